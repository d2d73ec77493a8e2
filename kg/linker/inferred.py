"""Edges that nobody states: what names say, and teachers behind the data.

All are of kind ``inferred``, name their rule and their premises, and give way: a name says
nothing of a model whose parents a card, a text or a person has stated.

* ``name:...`` a model's name holds that of another model that is known (:mod:`kg.names`).
* ``name:family`` a model's name begins with that of a family that is known.
* ``chain:teacher`` a model was trained on data that a teacher wrote, so it learned from the
  teacher, though no sentence says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from kg import schema
from kg.names import families, identity, official, parents, parse
from kg.text import sentence_at, sentences
from kg.values import Document, Edge, Entity, Evidence, Span

#: How often each rule agrees with what cards declare (scripts/measure_names): found of made, both
#: drawn towards the share of all rules (131 of 133) as if by four more cards, for counts are small;
#: rounded down to 0.05, at most 0.95.  Rules that no such card could test have 0.9.
CONFIDENCE: Final[Mapping[str, float]] = {
    "name:quantised": 0.95,
    "name:distilled": 0.9,
    "name:distil": 0.9,
    "name:fine-tuned": 0.95,
    "name:adapter": 0.9,
    "name:tuned": 0.9,
    "name:prefix": 0.9,
    "name:embedded": 0.85,
    "name:family": 0.95,
}
#: A chain is as sure as its weaker half, and a little less.
_CHAIN: Final = 0.9
#: These take a part of a name for a model, so it must be one that its maker publishes.
_PUBLISHED_ONLY: Final = frozenset({"name:prefix", "name:embedded"})
_WRITTEN_BY: Final = frozenset({"generatedBy", "distilledFrom"})


def infer_graph(
    entities: Iterable[Entity],
    edges: Callable[[], Iterable[Edge]],
    document: Callable[[str], Document | None],
) -> Iterator[Edge]:
    """Yield the edges that an assembled graph implies, by subject, relation and object.

    ``edges()`` is called twice; ``document(id)`` gives a document of the graph, to quote the name
    from.  What is yielded relates no pair that is related by descent already.
    """
    models = {e.id: e for e in entities if e.type == "Model"}
    state = _State()
    for edge in edges():
        state.see(edge)
    found: dict[tuple[str, str, str], Edge] = {}
    for edge in _teachers(edges(), state):
        found.setdefault(edge.key, edge)
    for edge in _by_name(models, state, document):
        found.setdefault(edge.key, edge)
    yield from (found[key] for key in sorted(found))


def _is_parent(relation: str) -> bool:
    known = schema.relations().get(relation)
    return known is not None and known.lineage


def _is_descent(relation: str) -> bool:
    return relation in ("memberOf", "successorOf") or _is_parent(relation)


class _State:
    """What the graph says already."""

    def __init__(self) -> None:
        #: Pairs that are related by descent or family, in either direction.
        self.pairs: set[tuple[str, str]] = set()
        #: Those that are related by descent or succession.
        self.descent: set[tuple[str, str]] = set()
        #: Entities with a parent that somebody stated.
        self.with_parent: set[str] = set()
        #: Data and the accepted edges to those who wrote it.
        self.writers: defaultdict[str, list[Edge]] = defaultdict(list)

    def see(self, edge: Edge) -> None:
        """Take in one edge; the order does not matter."""
        # What is too weak to be accepted does not stand against what others imply.
        if edge.status == "candidate" or not _is_descent(edge.relation):
            return
        both = {(edge.subject, edge.object), (edge.object, edge.subject)}
        self.pairs |= both
        if edge.relation != "memberOf":
            self.descent |= both
        if edge.status != "accepted":
            return
        if edge.relation not in ("memberOf", "successorOf"):
            self.with_parent.add(edge.subject)
        if edge.relation in _WRITTEN_BY and not edge.subject.startswith("model/"):
            self.writers[edge.subject].append(edge)


def _teachers(edges: Iterable[Edge], state: _State) -> Iterator[Edge]:
    """Yield ``student distilledFrom teacher`` for data that the teacher wrote."""
    for edge in edges:
        if edge.relation != "trainedOn" or edge.status != "accepted":
            continue
        for written in state.writers.get(edge.object, ()):
            student, teacher = edge.subject, written.object
            is_model = student.startswith("model/") and teacher.startswith("model/")
            if not is_model or student == teacher or (student, teacher) in state.pairs:
                continue
            confidence = _CHAIN * min(edge.confidence, written.confidence)
            base = max(edge.evidence, key=lambda item: (item.confidence, item.document))
            evidence = replace(
                base,
                kind="inferred",
                extractor="chain",
                rule="chain:teacher",
                confidence=round(confidence, 4),
                object=None,
                premises=(" ".join(edge.key), " ".join(written.key)),
            )
            key = (student, "distilledFrom", teacher)
            yield Edge(*key, (evidence,), round(confidence, 4))


Known = Mapping[tuple[object, ...], tuple[tuple[str, str], ...]]


def index(names: Iterable[tuple[str, str]]) -> Known:
    """Return ``(spelling, target)`` pairs by what all spellings of a name share.

    ``org/name`` is found as ``org-name`` too, as those who convert models by the hundred write.
    """
    found: defaultdict[tuple[object, ...], set[tuple[str, str]]] = defaultdict(set)
    for spelling, target in names:
        found[identity(spelling)].add((spelling, target))
        if "/" in spelling:
            found[identity(spelling.replace("/", "-"))].add((spelling, target))
    return {key: tuple(sorted(entries)) for key, entries in found.items()}


def _targets(known: Known, name: str, own: str) -> list[str]:
    """Return what ``name`` can stand for but ``own``: the publisher's repository where known."""
    entries = [entry for entry in known.get(identity(name), ()) if entry[1] != own]
    published = [entry for entry in entries if official(parse(entry[0]))]
    return sorted({target for _, target in published or entries})


def suggested(name: str, known: Known, own: str) -> Iterator[tuple[str, str, str]]:
    """Yield ``(relation, target, rule)`` for what ``name`` says of models that are known.

    Where a name could stand for several models nothing is yielded: a guess is no evidence.
    """
    for hint in parents(name):
        targets = _targets(known, hint.parent, own)
        if hint.rule in _PUBLISHED_ONLY:
            targets = [t for t in targets if official(parse(t)) or "/" not in t]
        if len(targets) == 1:
            yield hint.relation, targets[0], hint.rule
            break
    for step in families(name):
        targets = _targets(known, step, own)
        if targets:
            if len(targets) == 1:
                yield "memberOf", targets[0], "name:family"
            break


def _by_name(
    models: Mapping[str, Entity], state: _State, document: Callable[[str], Document | None]
) -> Iterator[Edge]:
    spelt = [
        (name, model.id) for model in models.values() for name in (model.name, *model.repositories)
    ]
    known = index(spelt)
    for id_, model in sorted(models.items()):
        name = model.repositories[0] if len(model.repositories) == 1 else model.name
        quote: Evidence | None = None
        for relation, parent, rule in suggested(name, known, id_):
            # That a copy in fewer bits is of its original's family does not say what it is.
            related = state.pairs if relation == "memberOf" else state.descent
            if parent == id_ or (id_, parent) in related:
                continue
            if relation != "memberOf" and id_ in state.with_parent:
                continue
            quote = quote or _quote(model, document)
            if quote is None:
                break
            confidence = CONFIDENCE[rule]
            evidence = replace(quote, rule=rule, confidence=confidence)
            yield Edge(id_, relation, parent, (evidence,), confidence)


def _quote(model: Entity, document: Callable[[str], Document | None]) -> Evidence | None:
    """Return evidence that quotes where the name stands, in the document that introduces it."""
    names = sorted({model.name, *model.aliases, *model.repositories}, key=lambda n: (-len(n), n))
    pattern = re.compile(
        rf"(?<![\w])(?:{'|'.join(re.escape(name) for name in names)})(?![\w])", re.IGNORECASE
    )
    for id_ in (*model.introduced_in, *(id_ for id_, _ in model.mentioned_in)):
        source = document(id_)
        match = pattern.search(source.text) if source is not None else None
        if source is not None and match is not None:
            return _evidence(source, Span(*match.span()))
    return None


def _evidence(document: Document, mention: Span) -> Evidence:
    start = document.text.rfind("\n", 0, mention.start) + 1
    end = document.text.find("\n", mention.end)
    line = sentences(document.text, start, len(document.text) if end < 0 else end)
    span = sentence_at(line, mention.start) if line else mention
    if not (span.start <= mention.start and mention.end <= span.end):
        span = mention
    return Evidence(
        document=document.id,
        field="name",
        span=span,
        sentence=span.of(document.text),
        kind="inferred",
        extractor="names",
        rule="",
        confidence=0.0,
        subject=mention,
    )
