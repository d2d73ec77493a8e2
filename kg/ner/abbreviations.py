"""Long forms and the abbreviations that stand behind them in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kg.values import Span

_BRACKET: Final = re.compile(r"\(\s*([^()\s][^()\n]{0,110}?)\s*\)")
_OR: Final = re.compile(r"\bor\s+([A-Z][A-Z0-9]{2,})\b")
_BEFORE: Final = re.compile(r"[^\s()]++(?:[^\S\n]++[^\s()]++){0,11}+[^\S\n]*+$")
_STOP: Final = frozenset({"e.g", "i.e", "cf", "eg", "ie", "vs", "etc"})
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A long form and its abbreviation, where they stand."""

    long: Span
    short: Span


def pairs(text: str) -> list[Pair]:
    """Return the pairs ``Long Form (LF)`` and ``LF (Long Form)`` of ``text``, in order.

    >>> pairs("Low-Rank Adaptation (LoRA)")
    [Pair(long=Span(start=0, end=19), short=Span(start=21, end=25))]
    """
    found = []
    for bracket in _BRACKET.finditer(text):
        inner, at = bracket[1], bracket.start(1)
        cut = re.split(r"[;,]", inner, maxsplit=1)[0].rstrip()
        short = _is_short(cut)
        if not short and " " not in inner:
            continue
        before = _BEFORE.search(text, max(0, bracket.start() - 160), bracket.start())
        if before is None:
            continue
        if short:
            start = _long_start(text, before.start(), bracket.start(), cut)
            if start is not None:
                end = before.start() + len(before[0].rstrip())
                found.append(Pair(Span(start, end), Span(at, at + len(cut))))
                continue
        last = re.search(r"[^\s()]+\s*$", text[before.start() : bracket.start()])
        if last and _is_short(last[0].strip()) and " " in inner:
            name = last[0].strip()
            start = _long_start(text, at, at + len(inner), name)
            if start == at:
                begin = before.start() + last.start()
                found.append(Pair(Span(at, at + len(inner)), Span(begin, begin + len(name))))
    for match in _OR.finditer(text):
        letters = [c.casefold() for c in match[1] if c.isalpha()]
        words = list(_WORD.finditer(text, max(0, match.start() - 90), match.start()))
        start = _initials(words, letters) if words else None
        if start is not None:
            end = start + len(text[start : match.start()].rstrip())
            found.append(Pair(Span(start, end), Span(match.start(1), match.end(1))))
    return sorted(found)


def initials(name: str) -> str:
    """Return the first letters of the words of ``name``, small words left out, folded."""
    words = (word.casefold() for word in _WORD.findall(name))
    return "".join(word[0] for word in words if word not in _SMALL_WORDS)


def _is_short(text: str) -> bool:
    return (
        2 <= len(text) <= 16
        and text.count(" ") <= 1
        and text[0].isalnum()
        and sum(c.isupper() for c in text) >= 1
        and text.casefold().rstrip(".") not in _STOP
        and not re.fullmatch(r"[\d.,%]+\w?", text)
    )


def _long_start(text: str, start: int, end: int, short: str) -> int | None:
    """Return where the long form of ``short`` begins in ``text[start:end]``, or None.

    Every letter of the abbreviation is found from right to left (Schwartz and Hearst, 2003); the
    first one must begin a word.
    """
    letters = [c for c in short.casefold() if c.isalnum()]
    if len(letters) > 2 and letters[-1] == "s" and short[-1] == "s" and short[-2:-1].isupper():
        letters.pop()
    words = list(_WORD.finditer(text, start, end))
    if not words:
        return None
    # The long form has no more words than the abbreviation has letters, and a few.
    words = words[-min(len(letters) + 5, 2 * len(letters)) :]
    by_initials = _initials(words, letters)
    if by_initials is not None:
        return by_initials
    floor = words[0].start()
    position = end
    for index in range(len(letters) - 1, -1, -1):
        position -= 1
        while position >= floor:
            same = text[position].casefold() == letters[index]
            if same and (index or position == 0 or not text[position - 1].isalnum()):
                break
            position -= 1
        if position < floor:
            return None
    long = text[position:end].strip()
    return position if len(long) > len(short) and short not in long.split() else None


def _initials(words: list[re.Match[str]], letters: list[str]) -> int | None:
    """Return where the words begin whose first letters are the abbreviation, or None."""
    count = len(letters)
    for skipped in range(0, 3):
        for first in range(len(words) - count - skipped, len(words) - count + 1):
            if first < 0:
                continue
            chosen = words[first:]
            content = [w for w in chosen if w[0].casefold() not in _SMALL_WORDS]
            for candidates in (chosen, content):
                if [w[0][0].casefold() for w in candidates] == letters and candidates:
                    return candidates[0].start()
    return None


_SMALL_WORDS: Final = frozenset(
    {"of", "for", "and", "with", "the", "a", "an", "to", "in", "on", "by", "from", "via", "at"}
)
