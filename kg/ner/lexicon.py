"""The names that are known beforehand, and where they stand in a text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from kg.errors import UsageError
from kg.ner.spelling import PIECE, key, singular
from kg.resources import ontology
from kg.values import LABELS

SCOPES: Final = ("label", "alias", "abbreviation", "ambiguous")
#: How sure a row is before the annotations were asked, by its table and scope.
PRIOR: Final = {"core": 0.85, "curated": 0.6, "mined": 0.6}
#: How many occurrences in the annotations that prior is worth.
PRIOR_WEIGHT: Final = 1.5
#: Signs that never begin or end a name.
_BARE_SIGNS: Final = frozenset(".&/%")


@dataclass(frozen=True, slots=True)
class Entry:
    """A known spelling: what it names, of which type, and how often it really does."""

    text: str
    #: The name under which the entity is known.
    name: str
    label: str
    scope: str
    #: Share of the occurrences of this spelling that name the thing, 0 to 1.
    share: float
    #: Occurrences in the annotations that the share rests on.
    seen: int


@dataclass(frozen=True, slots=True)
class Match:
    """A known name in a text."""

    start: int
    end: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries by the key of their spelling, and the greatest length by first piece."""

    entries: dict[str, Entry]
    lengths: dict[str, int]

    def get(self, name: str) -> Entry | None:
        """Return the entry of ``name``, in the singular or plural, or None."""
        folded = key(name)
        return self.entries.get(folded) or self.entries.get(key(singular(name)))

    def matches(self, text: str) -> list[Match]:
        """Return the longest known names from left to right; the plural s is left outside."""
        spans = [(m.start(), m.end(), m[0].casefold()) for m in PIECE.finditer(text)]
        found = []
        lengths, entries = self.lengths, self.entries
        i = -1
        while i + 1 < len(spans):
            i += 1
            start, _, first = spans[i]
            length = lengths.get(first, 0)
            if not length and not (first[-1] == "s" and singular(first) in entries):
                continue
            best = None
            reach = min(i + length, len(spans))
            joined = ""
            for j in range(i, reach):
                if j > i and not _joins(text, spans[j - 1][1], spans[j][0]):
                    break
                joined += spans[j][2]
                if joined in entries or joined[-1] == "s":
                    match = self._match(text, start, spans[j][1], joined)
                    if match:
                        best = (j, match)
            if not reach > i and first.endswith("s"):
                match = self._match(text, start, spans[i][1], first)
                if match:
                    best = (i, match)
            if best:
                found.append(best[1])
                i = best[0]
        return found

    def _match(self, text: str, start: int, end: int, joined: str) -> Match | None:
        entry = self.entries.get(joined)
        if entry is None and joined.endswith("s"):
            single = singular(joined)
            entry = self.entries.get(single)
            if entry and single == joined[:-1] and text[end - 1] == "s":
                end -= 1
        if entry is None or text[start] in _BARE_SIGNS or text[end - 1] in "&/.":
            return None
        if entry.scope in ("ambiguous", "abbreviation") and not _same_case(
            text[start:end], entry.text
        ):
            return None
        return Match(start, end, entry)


def _same_case(surface: str, text: str) -> bool:
    return [c for c in surface if c.isalnum()] == [c for c in text if c.isalnum()]


def _joins(text: str, end: int, start: int) -> bool:
    """Whether what stands between two pieces can stand inside a name."""
    return text[end:start] in ("", " ", "-", "‑", "–", "'", "’", "\n")


@cache
def load(folder: Path | None = None) -> Lexicon:
    """Return the lexicon in ``ontology/lexicon``."""
    folder = folder or ontology("lexicon")
    return build(
        [*read(folder / "curated.tsv"), *read(folder / "mined.tsv")], read(folder / "core.tsv")
    )


def build(counted: Iterable[Entry], core: Iterable[Entry]) -> Lexicon:
    """Return the lexicon of these entries.

    What people wrote by hand (``core``) says what a name names; what was counted in annotations
    says how sure it is.
    """
    entries: dict[str, Entry] = {key(entry.text): entry for entry in counted}
    for entry in core:
        folded = key(entry.text)
        known = entries.get(folded)
        if known and known.label == entry.label and known.seen:
            share = (known.share * (known.seen + PRIOR_WEIGHT) + entry.share) / (
                known.seen + PRIOR_WEIGHT + 1
            )
            entry = Entry(entry.text, entry.name, entry.label, entry.scope, share, known.seen)
        elif known and known.seen >= 3:
            continue
        entries[folded] = entry
    lengths: dict[str, int] = {}
    for entry in entries.values():
        parts = [m[0].casefold() for m in PIECE.finditer(entry.text)]
        # Spellings differ in where the pieces are cut: ``fine-tuning`` is two, ``finetuning`` one.
        joined = ""
        for part in parts:
            joined += part
            lengths[joined] = max(lengths.get(joined, 0), len(parts) + 1)
    return Lexicon(entries, lengths)


def read(path: Path) -> Iterator[Entry]:
    """Yield the entries of one table; a malformed line is an error that names it."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        yield from _entries(path, rows)


def _entries(path: Path, rows: Iterable[dict[str, str]]) -> Iterator[Entry]:
    prior = PRIOR.get(path.stem, 0.6)
    for number, row in enumerate(rows, 2):
        if row["type"] not in LABELS or row["scope"] not in SCOPES:
            raise UsageError(
                f"{path.name}, line {number}: type must be one of {', '.join(LABELS)} and scope "
                f"one of {', '.join(SCOPES)}, not {row['type']!r} and {row['scope']!r}"
            )
        marked, standing = int(row.get("marked") or 0), int(row.get("standing") or 0)
        share = (marked + PRIOR_WEIGHT * prior) / (standing + PRIOR_WEIGHT)
        yield Entry(row["text"], row["name"], row["type"], row["scope"], share, standing)
