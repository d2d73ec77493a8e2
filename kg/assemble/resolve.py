"""Which mentions in different documents are one thing: decided key by key, from counts.

A *group* is everything in the corpus whose name leads to one key.  It falls into *cells*, one an
entity: by type where the types stay apart, by Hub repository, and by document where a short name
is coined by several papers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kg import names
from kg.assemble.spelling import Known, is_coinable
from kg.assemble.weighing import noisy_or
from kg.text import slug

#: A type this many times as common as another takes its mentions over.
_DOMINANCE: Final = 4.0
_DOMINANCE_OF_SHORT: Final = 8.0
#: What a document that introduces a thing counts for, when its type is put to the vote.
_INTRODUCED_WEIGHT: Final = 3.0
#: What the lexicon counts for.
_LEXICON_WEIGHT: Final = 4.0
#: These are told apart by what a thing is for, so documents disagree on one and the same thing.
_CONFUSABLE: Final = frozenset({"Dataset", "Benchmark"})
#: Where others mention a coined name this many times as often as papers coin it, it is well known.
_WELL_KNOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One entity of one document, as far as resolution looks at it."""

    document: str
    year: int | None
    #: Its place among the entities of that document.
    n: int
    key: str
    label: str
    name: str
    introduced: bool
    mentions: int
    confidence: float
    repository: str
    #: ``(spelling, times printed)`` of the name itself.
    spellings: tuple[tuple[str, int], ...]
    #: Other names that this document gives it, as ``(spelling, times printed)``.
    aliases: tuple[tuple[str, int], ...]
    facts: tuple[tuple[str, str], ...]
    #: Whether the document spells the name out, so that it cannot be mistaken.
    spelt_out: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Rows that are one entity."""

    type: str
    rows: tuple[Row, ...]
    #: What tells its id from that of another entity with the same name; empty for the main one.
    suffix: str = ""
    prefix: str = ""


def cells(rows: Sequence[Row], known: Known | None) -> Iterator[Cell]:
    """Yield the entities of one group of ``rows``; ``known`` is what the lexicon says of it."""
    for label, members in _by_type(rows, known).items():
        for repository, hosted in _by_repository(members).items():
            if repository:
                yield Cell(label, tuple(hosted), prefix=slug(repository.partition("/")[0]))
            else:
                for suffix, senses in _by_sense(hosted, known).items():
                    yield Cell(label, tuple(senses), suffix=suffix)


def _by_type(rows: Sequence[Row], known: Known | None) -> Mapping[str, list[Row]]:
    """Split ``rows`` by type, after the clear majority has taken the stray ones over."""
    best: dict[tuple[str, str], float] = {}
    for row in rows:
        weight = row.confidence * (_INTRODUCED_WEIGHT if row.introduced else 1.0)
        place = (row.label, row.document)
        best[place] = max(best.get(place, 0.0), weight)
    votes: Counter[str] = Counter()
    # Sorted, since sums of floats depend on their order.
    for (label, _), weight in sorted(best.items()):
        votes[label] += weight  # type: ignore[assignment]  # Counter counts in floats too
    # A few letters mean different things to different people: MAE the metric, MAE the model.
    short = any(is_coinable(row.name) for row in rows)
    dominance = _DOMINANCE_OF_SHORT if short else _DOMINANCE
    if known is not None and known.type in votes and not short:
        votes[known.type] += _LEXICON_WEIGHT  # type: ignore[assignment]
    ranked = sorted(votes, key=lambda label: (-votes[label], label))
    target: dict[str, str] = {}
    for place_, label in enumerate(ranked):
        target[label] = label
        for stronger in ranked[:place_]:
            if target[stronger] != stronger:
                continue
            confusable = {label, stronger} <= _CONFUSABLE
            if confusable or votes[label] * dominance <= votes[stronger]:
                target[label] = stronger
                break
    split: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        split[target[row.label]].append(row)
    return dict(sorted(split.items()))


def _by_repository(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """Split ``rows`` by Hub repository: copies in other organisations are things of their own.

    Rows without a repository go with the one that most documents name, if there is such a one.
    """
    documents: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.repository:
            documents[row.repository.casefold()].add(row.document)
    if len(documents) < 2:
        return {"": list(rows)}
    official = {r for r in documents if names.official(names.parse(r))}
    ranked = sorted(documents, key=lambda r: (r not in official, -len(documents[r]), r))
    clear = (ranked[0] in official) > (ranked[1] in official) or (
        len(documents[ranked[0]]) > len(documents[ranked[1]])
    )
    main = ranked[0] if clear else None
    split: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        repository = row.repository.casefold()
        own = repository and repository != main
        split[repository if own else ""].append(row)
    return dict(sorted(split.items()))


def _by_sense(rows: Sequence[Row], known: Known | None) -> Mapping[str, list[Row]]:
    """Split ``rows`` of a short name by the documents that coined it.

    Each document that presents the name as its own has a thing of its own; documents that spell
    the name out in one way share one.  What only mentions the name goes to the one document that
    coined it before, where there is exactly one, else it stays with the plain name.
    """
    ambiguous = known is not None and known.scope == "ambiguous"
    short = any(is_coinable(row.name) for row in rows)
    if (known is not None and not ambiguous) or not (short or ambiguous):
        return {"": list(rows)}
    # By the owner of the sense: a document, or "" for the sense that is spelt out.
    coined: dict[str, int | None] = {}
    for row in sorted(rows, key=lambda r: (r.document, r.n)):
        if row.introduced:
            owner = "" if row.spelt_out else row.document
            coined[owner] = _earliest(coined.get(owner, row.year), row.year)
    if len(coined) < 2:
        return {"": list(rows)}
    first = _first(coined, others=len({row.document for row in rows} - set(coined)))
    split: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.spelt_out:
            owner = ""
        elif row.document in coined:
            owner = row.document
        else:
            owner = _earlier(row, coined)
        split[slug(owner) if owner not in ("", first) else ""].append(row)
    return dict(sorted(split.items()))


def _earliest(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else min(one, other)


def _first(coined: Mapping[str, int | None], *, others: int) -> str:
    """Return the document that keeps the plain name, since it was first and is known since."""
    years = sorted((year, owner) for owner, year in coined.items() if year is not None)
    if len(years) < len(coined) or years[0][0] == years[1][0]:
        return ""
    return years[0][1] if others >= _WELL_KNOWN * len(coined) else ""


def _earlier(row: Row, coined: Mapping[str, int | None]) -> str:
    """Return the owner of the one sense coined before this row's document, else nothing."""
    if row.year is None or None in coined.values():
        return ""
    before = [o for o, year in coined.items() if year is not None and year <= row.year]
    return before[0] if len(before) == 1 else ""


@dataclass(frozen=True, slots=True)
class Naming:
    """What an entity is called."""

    name: str
    #: The key under which most documents know it.
    key: str
    aliases: tuple[str, ...]
    confidence: float


def naming(rows: Sequence[Row], *, preferred: str = "") -> Naming:
    """Return the name most often printed, all other spellings, and the combined confidence.

    The name is a spelling of the key that most documents use; ``preferred`` overrides it.
    """
    users: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        users[row.key].add(row.document)
    main = min(users, key=lambda k: (-len(users[k]), k))
    printed: Counter[str] = Counter()
    others: set[str] = set()
    for row in rows:
        if row.key == main:
            printed.update(dict(row.spellings))
            printed[row.name] += 0
        others.update(spelling for spelling, _ in (*row.spellings, *row.aliases))
        others.add(row.name)
    name = preferred or min(printed, key=lambda n: (-printed[n], n))
    best: dict[str, float] = {}
    for row in rows:
        best[row.document] = max(best.get(row.document, 0.0), row.confidence)
    others.discard(name)
    return Naming(name, main, tuple(sorted(others)), noisy_or(best.values()))


def first_with(rows: Iterable[Row], spelling: str) -> Row:
    """Return the row of the first document that uses ``spelling``."""
    matching = (
        row
        for row in rows
        if row.name == spelling or any(s == spelling for s, _ in (*row.spellings, *row.aliases))
    )
    return min(matching, key=lambda row: (row.document, row.n))
