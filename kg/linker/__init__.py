"""Relate the entities of one document: typed edges and scores, each with its sentence.

Cues (``ontology/cues.toml``) say what a sentence states; the learned linker weighs every pair
of names, cues among its evidence.  An edge's confidence is a probability; from
:func:`threshold` on it is accepted, below it is kept as a candidate.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kg import names, schema
from kg.linker import cues, evidence, features, learned, results, view
from kg.linker.view import Sentence, View
from kg.text import name_key
from kg.values import Document, Evidence, LocalEdge, LocalEntity, LocalResult, Reading

__all__ = ["accepted", "decide", "link", "threshold"]

logger = logging.getLogger(__name__)

#: Of how many names of one document every pair is weighed; no ordinary one holds so many.
_MOST = 150
#: Candidates are kept from this share of the threshold on.
_CANDIDATE = 0.6
#: What cues alone can say, with too few examples to learn from, is accepted from here on.
CUES_ALONE = 0.75
#: What no sentence shows of one of several heads stays under its threshold by this factor.
_UNSHOWN = 0.99
#: Of these only one holds between the same two, read either way.
_EXCLUSIVE = (
    frozenset({"usesMethod", "partOf", "successorOf"}),
    frozenset({"outperforms", "comparedWith"}),
)


@cache
def threshold(relation: str) -> float:
    """Return the confidence from which an extracted edge of ``relation`` is accepted."""
    return float(learned.manifest()["thresholds"].get(relation, CUES_ALONE))


def accepted(reading: Reading) -> Reading:
    """Return ``reading`` with those edges only that are stated, and surely enough."""
    return replace(
        reading,
        edges=tuple(
            edge
            for edge in reading.edges
            if any(
                not shown.negated
                and (shown.kind != "extracted" or shown.confidence >= threshold(edge.relation))
                for shown in edge.evidence
            )
        ),
    )


def link(
    document: Document, entities: Sequence[LocalEntity]
) -> tuple[tuple[LocalEdge, ...], tuple[LocalResult, ...]]:
    """Return the edges and the scores that ``document`` states between ``entities``.

    Edges under the threshold are candidates.  What a sentence denies of lineage is an edge with
    negated evidence.
    """
    seen = view.read(document, _foremost(document, entities))
    hits = tuple(cues.find(seen))
    pairs = features.pairs(seen, hits)
    called = [entity.canonical for entity in seen.entities]
    hits = (*hits, *cues.denials(seen))
    found = decide(seen, hits, pairs, learned.opinions(seen, pairs), learned.manifest())
    edges = [
        LocalEdge(called[head], relation, called[tail], (shown,))
        for (head, relation, tail), shown in sorted(found.items())
    ]
    stated = tuple(sorted(edges, key=lambda edge: (edge.head, edge.relation, edge.tail)))
    return stated, results.find(seen)


def _foremost(document: Document, entities: Sequence[LocalEntity]) -> Sequence[LocalEntity]:
    """Return the ``entities`` of a document, or of too many the foremost.

    These are what it introduces, then what it names most often, then what it names first.
    """
    named = [place for place, entity in enumerate(entities) if entity.mentions]
    if len(named) <= _MOST:
        return entities
    logger.info(
        "document %s names %d things; only the foremost %d are related",
        document.id, len(named), _MOST,
    )  # fmt: skip
    named.sort(
        key=lambda place: (
            not entities[place].introduced,
            -len(entities[place].mentions),
            min(mention.span.start for mention in entities[place].mentions),
        )
    )
    return [entities[place] for place in sorted(named[:_MOST])]


def decide(
    seen: View,
    hits: Sequence[cues.Hit],
    pairs: features.Pairs,
    opinions: npt.NDArray[np.float64],
    said: Mapping[str, Any],
) -> dict[tuple[int, str, int], Evidence]:
    """Return the edges of one document, each with what shows it, candidates and denials included.

    ``opinions`` has a row a pair and a column a relation of ``said["relations"]``; ``said`` holds
    ``thresholds`` by relation and, as ``cues``, how often each cue is right.
    """
    relations = schema.relations()
    trust = said["cues"] | {
        cue.id: cue.chance for cue in cues.load().card_cues if cue.chance is not None
    }
    limits = {name: float(said["thresholds"].get(name, CUES_ALONE)) for name in relations}
    chances: dict[tuple[int, str, int], float] = {}
    by_cue: dict[tuple[int, str, int], cues.Hit] = {}
    denied: dict[tuple[int, str, int], cues.Hit] = {}
    for hit in hits:
        key = (hit.head, hit.cue.relation, hit.tail)
        about = relations[hit.cue.relation]
        if not about.admits(seen.entities[hit.head].label, seen.entities[hit.tail].label):
            continue
        if hit.negated and about.lineage and hit.cue.trusted and not hit.hedged:
            denied.setdefault(key, hit)
        if hit.negated or hit.hedged:
            continue
        if of_origin(hit.cue.relation) and believed(seen, hit):
            chances[key] = max(chances.get(key, 0.0), trust[hit.cue.id])
        known = by_cue.get(key)
        if known is None or trust[hit.cue.id] > trust[known.cue.id]:
            by_cue[key] = hit
    stated = {
        (head, tail)
        for (head, relation, tail), hit in by_cue.items()
        if relations[relation].lineage and hit.cue.trusted and believed(seen, hit)
    }
    shown: dict[tuple[int, int], int] = {}
    learnt = said["relations"]
    model_card, own = seen.document.kind == "model-card", frozenset(seen.introduced)
    for row, (head, tail) in enumerate(zip(pairs.heads, pairs.tails, strict=True)):
        shown[head, tail] = row
        for column in opinions[row].nonzero()[0]:
            relation, chance = learnt[column], float(opinions[row, column])
            if chance < _CANDIDATE * limits[relation]:
                continue
            key = (head, relation, tail)
            if key not in by_cue and model_card and of_origin(relation) and head not in own:
                # The trees know papers; of another model than its own a card says little.
                continue
            # A sentence says that it is the other way round, or a card of which kind it is.
            told = (tail, head) in stated or (model_card and (head, tail) in stated)
            if told and key not in by_cue and relations[relation].lineage:
                continue
            unsaid = relations[relation].lineage and (head, tail) not in stated
            if unsaid and (
                learned.doubted(seen, head, tail) or learned.is_source(seen, head, tail)
            ):
                # What is compared or denied is no ancestor, however much else speaks for it.
                continue
            if key not in by_cue and _ambiguous(seen, pairs, row, relation):
                chance = min(chance, _UNSHOWN * limits[relation])
            chances[key] = max(chances.get(key, 0.0), chance)
    if model_card:
        for key in [key for key in chances if key[1] == "evaluatedOn" and key not in by_cue]:
            if _only_trained(seen, chances, limits, key):
                del chances[key]
    _share_benchmarks(seen, chances, limits)
    _share_sizes(seen, chances, limits)
    _leave_to_children(chances, limits)
    found = {}
    for key in _consistent(chances, limits):
        chance = round(chances[key], 4)
        if key in by_cue:
            found[key] = evidence.of_cue(seen, by_cue[key], chance)
        else:
            near = pairs.closest[shown[key[0], key[2]]]
            found[key] = evidence.of_pair(seen, key, near, chance)
    for key, hit in denied.items():
        if key not in by_cue:
            found[key] = evidence.of_cue(seen, hit, round(trust[hit.cue.id], 4))
    return found


def of_origin(relation: str) -> bool:
    """Whether a relation says what something was made from: lineage, and what it was trained on."""
    return schema.relations()[relation].lineage or relation == "trainedOn"


def believed(seen: View, hit: cues.Hit) -> bool:
    """Whether what a cue of lineage or of training says counts by itself.

    It does not of what is a source itself there, nor of a method ("trained by tuning on Bee" says
    nothing of tuning), nor, if it is not trusted, where its sentence compares the two, denies or
    hedges, nor of a card's model and its own family ("this Ant model is tuned") that no link binds
    to a repository.
    """
    if seen.entities[hit.head].label == "Method" or learned.is_source(seen, hit.head, hit.tail):
        return False
    if (
        cues.on_card(seen)
        and hit.head_implied
        and not seen.entities[hit.tail].repository
        and _is_family(seen, hit.head, hit.tail)
    ):
        return False
    return hit.cue.trusted or not learned.doubted(seen, hit.head, hit.tail)


def _is_family(seen: View, member: int, family: int) -> bool:
    """Whether a name is another without its size or what follows, or goes on from it."""
    one, other = seen.entities[member].canonical, seen.entities[family].canonical
    wider = {name_key(name) for name in names.families(one)}
    wider.add(name_key(names.without(one, "size", "active", "format")))
    return name_key(other) in wider or name_key(other).startswith(name_key(one))


def _ambiguous(seen: View, pairs: features.Pairs, row: int, relation: str) -> bool:
    """Whether origins are read where no sentence names both and "our model" may be another.

    A paper that presents two models trains "the model" on its data once, not each of them.
    """
    if not of_origin(relation):
        return False
    (here, _), (there, _) = pairs.closest[row]
    if here == there:
        return False
    label = seen.entities[pairs.heads[row]].label
    return sum(entity.introduced and entity.label == label for entity in seen.entities) > 1


def _only_trained(
    seen: View,
    chances: Mapping[tuple[int, str, int], float],
    limits: Mapping[str, float],
    key: tuple[int, str, int],
) -> bool:
    """Whether all that a card says of some data is, in one sentence, who learned from it."""
    learned_from = chances.get((key[0], "trainedOn", key[2]), 0.0)
    named_in = {sentence for sentence, _ in seen.places[key[2]]}
    return learned_from >= limits["trainedOn"] and len(named_in) == 1


def _share_benchmarks(
    seen: View, chances: dict[tuple[int, str, int], float], limits: Mapping[str, float]
) -> None:
    """Where a sentence says who won on what, the winner was tested on what the loser was."""
    for (winner, relation, loser), chance in sorted(chances.items()):
        if relation != "outperforms" or chance < limits[relation]:
            continue
        for sentence in _naming(seen, winner, loser):
            here = {sentence.owners[at] for at in sentence.names}
            for place in sorted(here - {winner}):
                tested = chances.get((loser, "evaluatedOn", place), 0.0)
                key = (winner, "evaluatedOn", place)
                if tested >= limits["evaluatedOn"] and chances.get(key, 0.0) < tested:
                    chances[key] = tested


def _share_sizes(
    seen: View, chances: dict[tuple[int, str, int], float], limits: Mapping[str, float]
) -> None:
    """Where one size of a model comes from something, so do the sizes listed with it.

    "We train Ant-2B/4B on Bee": both.  "Ant, a family initialized from Bee (8B, 14B)": Ant-8B from
    Bee-8B and Ant-14B from Bee-14B, where these are named.
    """
    sized = {
        place: (name_key(names.without(entity.canonical, "size", "active")), size)
        for place, entity in enumerate(seen.entities)
        if entity.label == "Model" and (size := names.parse(entity.canonical).size)
    }
    if not sized:
        return
    by_name = {(name, size): place for place, (name, size) in sized.items()}
    for (head, relation, tail), chance in sorted(chances.items()):
        if chance < limits[relation] or not of_origin(relation):
            continue
        more: set[tuple[int, int]] = set()
        if head in sized:
            own, size = sized[head]
            for other in _listed_with(seen, head, tail):
                if other in sized and sized[other][0] == own:
                    if tail in sized and sized[tail][1] == size:
                        matching = by_name.get((sized[tail][0], sized[other][1]))
                        if matching is not None:
                            more.add((other, matching))
                    else:
                        more.add((other, tail))
        elif tail not in sized:
            name, origin = (name_key(seen.entities[place].canonical) for place in (head, tail))
            more |= {
                (place, by_name[origin, size])
                for place, (family, size) in sized.items()
                if family == name and (origin, size) in by_name
            }
        for pair in more:
            if pair[0] != pair[1]:
                key = (pair[0], relation, pair[1])
                chances[key] = max(chances.get(key, 0.0), chance)


def _leave_to_children(
    chances: dict[tuple[int, str, int], float], limits: Mapping[str, float]
) -> None:
    """Take data from a parent that its child learned from: "we tune Bee on Cats to make Ant"."""
    relations = schema.relations()
    sure = [key for key, chance in chances.items() if chance >= limits[key[1]]]
    data: dict[int, list[int]] = {}
    for head, relation, tail in sure:
        if relation == "trainedOn":
            data.setdefault(head, []).append(tail)
    for child, relation, parent in sure:
        if relations[relation].lineage:
            for learned_from in data.get(child, ()):
                chances.pop((parent, "trainedOn", learned_from), None)


def _listed_with(seen: View, head: int, tail: int) -> set[int]:
    """Return the entities that stand in one list with ``head``, where ``tail`` is named too."""
    found: set[int] = set()
    for sentence in _naming(seen, head, tail):
        owners = [sentence.owners[at] for at in sentence.names]
        lists = {
            number for number, owner in zip(sentence.lists, owners, strict=True) if owner == head
        }
        listed = {
            owner for number, owner in zip(sentence.lists, owners, strict=True) if number in lists
        }
        if tail not in listed:
            found |= listed - {head}
    return found


def _naming(seen: View, one: int, other: int) -> list[Sentence]:
    """Return the sentences that name both of two entities, in order."""
    named = ({sentence for sentence, _ in seen.places[place]} for place in (one, other))
    return [seen.sentences[at] for at in sorted(set.intersection(*named))]


def _consistent(
    chances: dict[tuple[int, str, int], float], limits: Mapping[str, float]
) -> list[tuple[int, str, int]]:
    """Return the edges that may stand together, the surest first where two exclude each other."""
    relations = schema.relations()
    order = sorted(chances, key=lambda key: (-chances[key] / limits[key[1]], key))
    related = [
        {head, tail}
        for (head, relation, tail), chance in chances.items()
        if relations[relation].lineage and chance >= limits[relation]
    ]
    kept: list[tuple[int, str, int]] = []
    held: dict[tuple[int, int], set[str]] = {}
    for head, relation, tail in order:
        same, reverse = held.setdefault((head, tail), set()), held.get((tail, head), set())
        if relation in reverse and not relations[relation].symmetric:
            continue
        if relations[relation].lineage and any(relations[name].lineage for name in same | reverse):
            continue
        others = same | reverse
        if relation == "successorOf" and {head, tail} in related:
            # "A version of Bee" is no next version where it is a tuned one.
            continue
        if any(relation in group and others & group - {relation} for group in _EXCLUSIVE):
            continue
        same.add(relation)
        kept.append((head, relation, tail))
    return kept
