"""Relate the entities of one document: typed edges and scores, each with its sentence.

Cues (``ontology/cues.toml``) say what a sentence states; the learned linker weighs every pair
of names, cues among its evidence.  An edge's confidence is a probability; from
:func:`threshold` on it is accepted, below it is kept as a candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from kg import schema
from kg.linker import cues, evidence, features, learned, results, view
from kg.linker.view import View
from kg.values import Document, Evidence, LocalEdge, LocalEntity, LocalResult, Reading

__all__ = ["accepted", "link", "threshold"]

#: Candidates are kept from this share of the threshold on.
_CANDIDATE = 0.6
#: What cues alone can say, with too few examples to learn from, is accepted from here on.
_CUES_ALONE = 0.75
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
    return float(learned.manifest()["thresholds"].get(relation, _CUES_ALONE))


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
    seen = view.read(document, entities)
    hits = tuple(cues.find(seen))
    pairs = features.pairs(seen, hits)
    names = [entity.canonical for entity in entities]
    edges = [
        LocalEdge(names[head], relation, names[tail], (found,))
        for (head, relation, tail), found in sorted(_found(seen, hits, pairs).items())
    ]
    stated = tuple(sorted(edges, key=lambda edge: (edge.head, edge.relation, edge.tail)))
    return stated, results.find(seen)


def _found(
    seen: View, hits: Sequence[cues.Hit], pairs: features.Pairs
) -> dict[tuple[int, str, int], Evidence]:
    relations = schema.relations()
    trust = learned.manifest()["cues"]
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
        if about.lineage and hit.cue.trusted:
            chances[key] = max(chances.get(key, 0.0), trust[hit.cue.id])
        known = by_cue.get(key)
        if known is None or trust[hit.cue.id] > trust[known.cue.id]:
            by_cue[key] = hit
    stated = {
        (head, tail)
        for (head, relation, tail), hit in by_cue.items()
        if relations[relation].lineage and hit.cue.trusted
    }
    shown: dict[tuple[int, int], int] = {}
    opinions = learned.opinions(seen, pairs)
    names = learned.relations()
    for row, (head, tail) in enumerate(zip(pairs.heads, pairs.tails, strict=True)):
        shown[head, tail] = row
        for column in opinions[row].nonzero()[0]:
            relation, chance = names[column], float(opinions[row, column])
            if chance < _CANDIDATE * threshold(relation):
                continue
            unsaid = relations[relation].lineage and (head, tail) not in stated
            if unsaid and learned.doubted(seen, pairs, row):
                # What is compared or denied is no ancestor, however much else speaks for it.
                continue
            key = (head, relation, tail)
            if key not in by_cue and _ambiguous(seen, pairs, row, relation):
                chance = min(chance, _UNSHOWN * threshold(relation))
            chances[key] = max(chances.get(key, 0.0), chance)
    _share_benchmarks(seen, chances)
    found = {}
    for key in _consistent(chances):
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


def _ambiguous(seen: View, pairs: features.Pairs, row: int, relation: str) -> bool:
    """Whether origins are read where no sentence names both and "our model" may be another.

    A paper that presents two models trains "the model" on its data once, not each of them.
    """
    if not (schema.relations()[relation].lineage or relation == "trainedOn"):
        return False
    (here, _), (there, _) = pairs.closest[row]
    if here == there:
        return False
    label = seen.entities[pairs.heads[row]].label
    return sum(entity.introduced and entity.label == label for entity in seen.entities) > 1


def _share_benchmarks(seen: View, chances: dict[tuple[int, str, int], float]) -> None:
    """Where a sentence says who won on what, the winner was tested on what the loser was."""
    for (winner, relation, loser), chance in sorted(chances.items()):
        if relation != "outperforms" or chance < threshold(relation):
            continue
        for sentence in seen.sentences:
            here = {sentence.owners[at] for at in sentence.names}
            if not {winner, loser} <= here:
                continue
            for place in sorted(here - {winner}):
                tested = chances.get((loser, "evaluatedOn", place), 0.0)
                key = (winner, "evaluatedOn", place)
                if tested >= threshold("evaluatedOn") and chances.get(key, 0.0) < tested:
                    chances[key] = tested


def _consistent(chances: dict[tuple[int, str, int], float]) -> list[tuple[int, str, int]]:
    """Return the edges that may stand together, the surest first where two exclude each other."""
    relations = schema.relations()
    order = sorted(chances, key=lambda key: (-chances[key] / threshold(key[1]), key))
    kept: list[tuple[int, str, int]] = []
    held: dict[tuple[int, int], set[str]] = {}
    for head, relation, tail in order:
        same, reverse = held.setdefault((head, tail), set()), held.get((tail, head), set())
        if relation in reverse and not relations[relation].symmetric:
            continue
        if relations[relation].lineage and any(relations[name].lineage for name in same | reverse):
            continue
        others = same | reverse
        if any(relation in group and others & group - {relation} for group in _EXCLUSIVE):
            continue
        same.add(relation)
        kept.append((head, relation, tail))
    return kept
