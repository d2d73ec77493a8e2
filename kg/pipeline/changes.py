"""What appeared, vanished or changed between two graphs, in one pass over both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kg.values import Document, Edge, Entity, GraphView, Result

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between an old and a new graph."""

    #: ``document``, ``entity``, ``edge`` or ``result``.
    kind: str
    #: ``appeared``, ``vanished`` or ``changed``.
    what: str
    #: What it concerns: an id, or ``subject relation object``.
    key: str
    #: For a change, what changed: ``confidence 0.7 -> 0.91``, ``licence mit -> cc-by-nc-4.0``.
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        sign = {"appeared": "+", "vanished": "-", "changed": "~"}[self.what]
        details = f" ({'; '.join(self.details)})" if self.details else ""
        return f"{sign} {self.kind} {self.key}{details}"


def changes(old: GraphView, new: GraphView) -> Iterator[Change]:
    """Yield the differences: documents, entities, edges, then scores, each sorted by key."""
    yield from _compare("document", old.documents, new.documents, lambda d: (d.id,), _document)
    yield from _compare("entity", old.entities, new.entities, lambda e: (e.id,), _entity)
    yield from _compare("edge", old.edges, new.edges, lambda e: e.key, _edge)
    yield from _compare("result", old.results, new.results, _result_key, _result)


_END: Final = object()


def _compare(
    kind: str,
    old: Iterable[T],
    new: Iterable[T],
    key: Callable[[T], tuple[str, ...]],
    details: Callable[[T, T], Iterator[str]],
) -> Iterator[Change]:
    """Walk two sorted collections side by side."""
    olds, news = iter(old), iter(new)
    one: Any = next(olds, _END)
    other: Any = next(news, _END)
    while one is not _END or other is not _END:
        if other is _END or (one is not _END and key(one) < key(other)):
            yield Change(kind, "vanished", " ".join(key(one)))
            one = next(olds, _END)
        elif one is _END or key(other) < key(one):
            yield Change(kind, "appeared", " ".join(key(other)))
            other = next(news, _END)
        else:
            if changed := tuple(details(one, other)):
                yield Change(kind, "changed", " ".join(key(one)), changed)
            one, other = next(olds, _END), next(news, _END)


def _document(old: Document, new: Document) -> Iterator[str]:
    if old != new:
        yield "text" if old.text != new.text else "metadata"


def _entity(old: Entity, new: Entity) -> Iterator[str]:
    if old.name != new.name:
        yield f"name {old.name} -> {new.name}"
    yield from _difference("alias", old.aliases, new.aliases)
    yield from _difference("repository", old.repositories, new.repositories)
    if old.mentioned_in != new.mentioned_in:
        yield f"documents {len(old.mentioned_in)} -> {len(new.mentioned_in)}"
    yield from _facts(old, new)
    yield from _confidence(old.confidence, new.confidence)


def _facts(old: Entity, new: Entity) -> Iterator[str]:
    """Yield what the two are said to be, where it is not the same: a licence, a language."""
    for key in sorted({key for key, _, _ in (*old.facts, *new.facts)}):
        was, is_ = (
            ", ".join(sorted({value for k, value, _ in entity.facts if k == key})) or "none"
            for entity in (old, new)
        )
        if was != is_:
            yield f"{key.replace('license', 'licence').replace('_', ' ')} {was} -> {is_}"


def _edge(old: Edge, new: Edge) -> Iterator[str]:
    if old.status != new.status:
        yield f"status {old.status} -> {new.status}"
    yield from _confidence(old.confidence, new.confidence)
    yield from _evidence(old, new)


def _result_key(result: Result) -> tuple[str, ...]:
    return result.subject, result.on or "", result.metric or "", result.value


def _result(old: Result, new: Result) -> Iterator[str]:
    if old.status != new.status:
        yield f"status {old.status} -> {new.status}"
    yield from _confidence(old.confidence, new.confidence)
    yield from _evidence(old, new)


def _evidence(old: Edge | Result, new: Edge | Result) -> Iterator[str]:
    if len(old.evidence) != len(new.evidence):
        yield f"evidence {len(old.evidence)} -> {len(new.evidence)}"
    elif {item.sentence for item in old.evidence} != {item.sentence for item in new.evidence}:
        yield "evidence text changed"
    elif old.evidence != new.evidence:
        yield "evidence moved or judged anew"


def _difference(what: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    for item in old:
        if item not in new:
            yield f"{what} {item} vanished"
    for item in new:
        if item not in old:
            yield f"{what} {item} appeared"


def _confidence(old: float, new: float) -> Iterator[str]:
    if old != new:
        yield f"confidence {old:.4g} -> {new:.4g}"
