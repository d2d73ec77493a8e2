"""Names that a paper gives to its own work: "we introduce X", "X: a title", "a model called X"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: A proper name to look at: inner capitals, digits, or an acronym; up to three such words.
_NAME: Final = (
    r"(?:[A-Z][\w+]*[A-Z0-9][\w+]*|[a-z]+[A-Z][\w+]*|[A-Z][A-Za-z]+(?:-[A-Z0-9][\w.+]*)+|[A-Z]{2,}[\w+]*)"
    r"(?:[-.][\w+]+)*"
)
_VERBS: Final = (
    r"(?:introduc(?:e|es|ed|ing)|propos(?:e|es|ed|ing)|present(?:s|ed|ing)?|releas(?:e|es|ed|ing)|"
    r"develop(?:s|ed|ing)?|describ(?:e|es|ing)|buil[dt]s?|construct(?:s|ed)?|creat(?:e|es|ed)|"
    r"curat(?:e|es|ed)|contribut(?:e|es)|unveil(?:s)?|open-sourc(?:e|es|ed)|design(?:s|ed)?|"
    r"formulat(?:e|es)|devis(?:e|es|ed)|offer(?:s)?|provid(?:e|es)|establish(?:es)?|announce|"
    r"(?:make|making) available|put forward|train(?:ed)?|derive)"
)
_OWN: Final = re.compile(
    rf"\b(?:we|[Tt]his (?:paper|work|report|study|article)|[Ww]e)\b[^.;:\n]{{0,60}}?\b{_VERBS}\b",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(
    r"\b(?:called|named|dubbed|termed|coined|namely|denoted as|denoted|referred to as|abbreviated as|"
    r"which we (?:call|name|term|dub)|we (?:call|name|term|dub)(?: it| this[\w -]{0,30})?|titled|entitled|"
    r"known as|code-?named)[,:]?\s+(?:as\s+)?(?:the\s+)?[\"“'‘`]*$",
    re.IGNORECASE,
)
_TITLE_LEAD: Final = re.compile(r"^([^:\n]{2,60}?)\s*:\s")
_OUR: Final = re.compile(r"\b[Oo]ur\s+(?:[a-z-]+\s+){0,3}$")
_APPOSITION: Final = re.compile(
    r"^\s*(?:\([^()]{2,90}\)\s*)?,?\s*(?:is\s+)?(?:an?|the first|the)\s+(?:[\w-]+[ ,]+){0,6}?"
    r"(?:novel|new|first|simple|unified|efficient|comprehensive|large-scale|lightweight|framework|method|"
    r"approach|benchmark|dataset|model|family|series|algorithm|suite|system|technique|pipeline|strategy|"
    r"architecture|library|corpus|paradigm|plug-and-play|training-free|open)\b"
)
_HEADS: Final = (
    ("Benchmark", r"benchmarks?|test suite|testbed|evaluation suite|leaderboard|challenge|arena"),
    ("Dataset", r"datasets?|corpus|corpora|collection|data set"),
    ("Model", r"(?:foundation |language |vision |multimodal |generative |reasoning |embedding |reward )?models?|LLMs?|MLLMs?|VLMs?|family of|series of|checkpoint|assistant"),
    ("Method", r"framework|method|algorithm|approach|technique|strategy|pipeline|paradigm|architecture|library|system|mechanism|module|loss|scheme|optimizer|toolkit|procedure|recipe"),
)  # fmt: skip
_HEAD_AFTER: Final = tuple(
    (
        label,
        re.compile(
            rf"^(?:\s*\([^()]*\))?[,\s]+(?:is\s+)?(?:an?|the|our)?\s*(?:[^\s.,;:()]+ ){{0,7}}?(?:{words})\b"
        ),
    )
    for label, words in _HEADS
)
_HEAD_BEFORE: Final = tuple(
    (label, re.compile(rf"\b(?:{words}),?\s+(?:called|named|dubbed|termed|namely)?\s*$"))
    for label, words in _HEADS
)
_NAME_PATTERN: Final = re.compile(rf"(?<![\w-]){_NAME}(?!\w)")


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


def head_label(text: str, start: int, end: int) -> str:
    """Return the label that the noun beside a name tells: "X, a new benchmark", or nothing."""
    after = text[end : end + 120]
    best: tuple[int, str] | None = None
    for label, pattern in _HEAD_AFTER:
        match = pattern.match(after)
        if match and (best is None or match.end() < best[0]):
            best = (match.end(), label)
    if best:
        return best[1]
    before = text[max(0, start - 60) : start]
    for label, pattern in _HEAD_BEFORE:
        if pattern.search(before):
            return label
    return ""


def own_verbs(text: str) -> list[tuple[int, int]]:
    """Return where "we introduce" and its like stand."""
    return [match.span() for match in _OWN.finditer(text)]


def called(text: str, start: int) -> bool:
    """Whether a name that begins at ``start`` follows "called" or its like."""
    return _CALLED.search(text, max(0, start - 60), start) is not None


def ours(text: str, start: int) -> bool:
    """Whether a name that begins at ``start`` follows "our"."""
    return _OUR.search(text, max(0, start - 60), start) is not None


def in_apposition(text: str, end: int) -> bool:
    """Whether a name that ends at ``end`` goes on as ", a new method" does."""
    return _APPOSITION.match(text[end : end + 160]) is not None


def coinages(text: str) -> list[Coinage]:
    """Return the names that ``text`` seems to coin, in order."""
    found: dict[tuple[int, int], Coinage] = {}

    def note(start: int, end: int, confidence: float) -> None:
        label = head_label(text, start, end) or "Method"
        found.setdefault((start, end), Coinage(start, end, label, confidence))

    lead = title_lead(text)
    if lead:
        words = text[slice(*lead)].split()
        if (
            len(words) == 1
            and words[0][0].isalnum()
            or len(words) <= 3
            and _NAME_PATTERN.fullmatch(words[0])
        ):
            note(*lead, 0.85)
    for _, end in own_verbs(text):
        stop = min(
            x for x in (text.find(". ", end), text.find("\n", end), end + 140, len(text)) if x >= 0
        )
        name = _NAME_PATTERN.search(text, end, stop)
        if name:
            note(name.start(), name.end(), 0.6)
    for name in _NAME_PATTERN.finditer(text):
        if called(text, name.start()):
            note(name.start(), name.end(), 0.7)
    return sorted(found.values(), key=lambda c: (c.start, c.end))
