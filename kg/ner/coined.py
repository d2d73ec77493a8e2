"""Names that a paper gives to its own work: "we introduce X", "X: a title", "a model called X"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from kg.ner.shapes import name_words
from kg.values import Mention

#: A proper name to look at: inner capitals, digits, or an acronym.
_NAME: Final = re.compile(
    r"(?<![\w-])(?:[A-Z][\w+]*[A-Z0-9][\w+]*|[a-z]+[A-Z][\w+]*"
    r"|[A-Z][A-Za-z]+(?:-[A-Z0-9][\w.+]*)+|[A-Z]{2,}[\w+]*)(?:[-.][\w+]+)*(?!\w)"
)
_TITLE_LEAD: Final = re.compile(r"^([^:\n]{2,60}?)\s*:\s")
_BEGINNING: Final = re.compile(r"\s*(?:The\s*)?")
_OUR: Final = re.compile(r"\b[Oo]ur\s+(?:[a-z-]+\s+){0,3}$")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The coining phrases of ``ontology/names.toml`` as patterns."""

    own: re.Pattern[str]
    called: re.Pattern[str]
    apposition: re.Pattern[str]
    nouns_after: tuple[tuple[str, re.Pattern[str]], ...]
    nouns_before: tuple[tuple[str, re.Pattern[str]], ...]
    definition: re.Pattern[str]
    heads: tuple[tuple[str, re.Pattern[str]], ...]


def any_of(words: Iterable[str]) -> str:
    """Return a pattern that matches any of ``words``; their blanks match any white space."""
    return "(?:" + "|".join(word.replace(" ", r"\s+") for word in words) + ")"


@cache
def phrases() -> Phrases:
    """Return the coining phrases, compiled once."""
    words = name_words()["coining"]
    nouns = {label: any_of(of_label) for label, of_label in words["nouns"].items()}
    return Phrases(
        re.compile(
            rf"\b{any_of(words['authors'])}\b[^.;:\n]{{0,60}}?\b{any_of(words['verbs'])}\b",
            re.IGNORECASE,
        ),
        re.compile(
            rf"\b{any_of(words['called'])}[,:]?\s+(?:as\s+)?(?:the\s+)?[\"“'‘`]*$", re.IGNORECASE
        ),
        re.compile(
            r"^\s*(?:\([^()]{2,90}\)\s*)?,?\s*(?:is\s+)?(?:an?|the first|the)\s+"
            rf"(?:[\w-]+[ ,]+){{0,6}}?{any_of(words['contribution'])}\b"
        ),
        tuple(
            (
                label,
                re.compile(
                    r"^(?:\s*\([^()]*\))?[,\s]+(?:is\s+)?(?:an?|the|our)?\s*"
                    rf"(?:[^\s.,;:()]+ ){{0,7}}?{pattern}\b"
                ),
            )
            for label, pattern in nouns.items()
        ),
        tuple(
            (label, re.compile(rf"\b{pattern},?\s+(?:called|named|dubbed|termed|namely)?\s*$"))
            for label, pattern in nouns.items()
        ),
        re.compile(
            rf"(?:\s*\([^()]*\))?\s+is\s+(?:an?|the|our)\s+((?:(?!{any_of(words['ends'])}\b)"
            r"[\w-]+\s+){0,7}?[\w-]+)(?=[,.;:()]|\s+(?:" + any_of(words["ends"]) + r")\b)"
        ),
        tuple((label, re.compile(rf"(?:^|\s){pattern}$")) for label, pattern in nouns.items()),
    )


@dataclass(frozen=True, slots=True)
class Coinage:
    """A stretch that a paper seems to give as the name of its own work."""

    start: int
    end: int
    label: str
    confidence: float


def title_lead(text: str) -> tuple[int, int] | None:
    """Return where the words before the colon of the title stand, or None."""
    line = text.find("\n")
    title = text if line < 0 else text[:line]
    lead = _TITLE_LEAD.match(title)
    return lead.span(1) if lead else None


@lru_cache(maxsize=1024)  # asked again and again of the names of the document at hand
def head_label(text: str, start: int, end: int) -> str:
    """Return the label that the noun beside a name tells: "X, a new benchmark", or nothing."""
    after = text[end : end + 120]
    best: tuple[int, str] | None = None
    for label, pattern in phrases().nouns_after:
        match = pattern.match(after)
        if match and (best is None or match.end() < best[0]):
            best = (match.end(), label)
    if best:
        return best[1]
    before = text[max(0, start - 60) : start]
    for label, pattern in phrases().nouns_before:
        if pattern.search(before):
            return label
    return ""


def defined_label(text: str, end: int) -> str:
    """Return the label of what a sentence says a name is: "X is a large dataset", or nothing."""
    found = phrases().definition.match(text, end, end + 160)
    if found:
        for label, pattern in phrases().heads:
            if pattern.search(found[1]):
                return label
    return ""


def opens_with(text: str, mentions: Iterable[Mention]) -> bool:
    """Whether an abstract begins by saying what this dataset or benchmark is.

    "The X is a large-scale dataset ...": such a paper presents X.  (Of methods this does not
    hold: eight abstracts of the training set open by defining one, and none presents it.)
    """
    begin = text.find("\n") + 1
    return any(
        m.label in ("Dataset", "Benchmark")
        and _BEGINNING.fullmatch(text, begin, m.span.start)
        and defined_label(text, m.span.end) == m.label
        for m in mentions
        if m.span.start >= begin
    )


def leads_title(text: str, mentions: Iterable[Mention]) -> bool:
    """Whether a title is a proper name, a colon, and what it is: "BERT: reading both ways".

    Of 384 titles of the training set that begin so with a name of any kind, 381 present it, be it
    as well known as BERT.
    """
    lead = title_lead(text)
    return lead is not None and any(
        (m.span.start, m.span.end) == lead
        and m.label not in ("Task", "Metric")
        and any(sign.isupper() or sign.isdigit() for sign in text[lead[0] + 1 : lead[1]])
        for m in mentions
    )


def own_verbs(text: str) -> list[tuple[int, int]]:
    """Return where "we introduce" and its like stand."""
    return [match.span() for match in phrases().own.finditer(text)]


def called(text: str, start: int) -> bool:
    """Whether a name that begins at ``start`` follows "called" or its like."""
    return phrases().called.search(text, max(0, start - 60), start) is not None


def ours(text: str, start: int) -> bool:
    """Whether a name that begins at ``start`` follows "our"."""
    return _OUR.search(text, max(0, start - 60), start) is not None


def in_apposition(text: str, end: int) -> bool:
    """Whether a name that ends at ``end`` goes on as ", a new method" does."""
    return phrases().apposition.match(text[end : end + 160]) is not None


def coinages(text: str) -> list[Coinage]:
    """Return the names that ``text`` seems to coin, in order."""
    found: dict[tuple[int, int], Coinage] = {}

    def note(start: int, end: int, confidence: float) -> None:
        label = head_label(text, start, end) or "Method"
        found.setdefault((start, end), Coinage(start, end, label, confidence))

    lead = title_lead(text)
    if lead:
        words = text[slice(*lead)].split()
        single = len(words) == 1 and words[0][0].isalnum()
        if single or (len(words) <= 3 and _NAME.fullmatch(words[0])):
            note(*lead, 0.85)
    for _, end in own_verbs(text):
        far = end + 140
        ends = (text.find(". ", end, far + 1), text.find("\n", end, far), far, len(text))
        stop = min(x for x in ends if x >= 0)
        name = _NAME.search(text, end, stop)
        if name:
            note(name.start(), name.end(), 0.6)
    for name in _NAME.finditer(text):
        if called(text, name.start()):
            note(name.start(), name.end(), 0.7)
    return sorted(found.values(), key=lambda c: (c.start, c.end))
