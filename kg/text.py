"""Names and sentences as characters: keys, slugs, sentence bounds. Offsets are never changed."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from kg.values import LABELS, Span

#: Ends that are no end of a sentence, in lower case and without their last full stop.
_ABBREVIATIONS = frozenset(
    {"e.g", "i.e", "al", "vs", "cf", "etc", "fig", "figs", "eq", "eqs", "sec", "tab", "no", "resp"}
    | {"approx", "ca", "incl", "dr", "prof", "st", "ref", "refs", "app", "w.r.t"}
)
_CANDIDATE = re.compile(r"[.!?][\"')\]}*”’]*(?=\s)|\n+")
#: A line of prose that an author broke, not a field nor a heading, and what it goes on with.
_BROKEN_LINE = re.compile(r"(?![#|>]|```).{60,}[^.!?:;|>\s]")
_GOES_ON = re.compile(r"\n[ \t]*(?=[\w(\[`\"'])(?!```|\d+[.)]\s|__)")
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_LAST_WORD = re.compile(r"[^\s(\[{]+$")
#: No abbreviation is longer, so no more of a word is looked at.
_LONGEST_ABBREVIATION = max(map(len, _ABBREVIATIONS)) + 2
_SOLID = re.compile(r"\S")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = re.compile(r"[\\${}~`\[\]<>()]|\*\*|__|\^\+")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)
_LINK_END = re.compile(r"\]\([^()\s]*\)?")
_ACCENTS = {
    '"': "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
}
_ACCENT = re.compile(r"""\\(["'`^~=])\{?([A-Za-z])\}?""")
_ESCAPED = re.compile(r"\\([&%_#])")
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*|\\")
_SIGNS = re.compile(r"[${}`]|\*\*|__")
#: What spellings of one name may hold between its words.
GAP: Final = r"[\s\-_‐-―−]+"
#: What stands for a name in a list ("Qwen2 and 2.5") and names nothing elsewhere.
BARE_NUMBER = re.compile(r"[\d.,]+")
#: Nothing longer is a name that somebody prints; its markup is left as it is.
_LONGEST_NAME = 1000
#: Longer slugs are cut and closed with a hash, so that file systems and people can bear them.
_SLUG_LENGTH = 80


def sentences(
    text: str, start: int = 0, end: int | None = None, *, markdown: bool = False
) -> list[Span]:
    """Return the sentences of ``text[start:end]`` as spans without outer white space, in order.

    A line break ends a sentence (the title is a line of its own), but for one within a paragraph
    of ``markdown``.  A full stop does only before white space and something that can begin a
    sentence, so ``Qwen2.5`` and ``e.g.`` stay whole.
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    fences = [match.start() for match in _FENCE.finditer(text, start, end)] if markdown else []
    begin = start
    for match in _CANDIDATE.finditer(text, start, end):
        if text[match.start()] == "\n":
            code = bisect_right(fences, match.start()) % 2
            if markdown and not code and _is_broken(text, match.start(), start):
                continue
        elif not _ends_sentence(text, match, begin, end):
            continue
        _append_trimmed(spans, text, begin, match.end())
        begin = match.end()
    _append_trimmed(spans, text, begin, end)
    return spans


def _is_broken(text: str, at: int, start: int) -> bool:
    """Whether the line that ends ``at`` goes on in the next one."""
    if not _GOES_ON.match(text, at):
        return False
    line = text.rfind("\n", start, at) + 1
    return _BROKEN_LINE.fullmatch(text, max(line, start), at) is not None


def _ends_sentence(text: str, match: re.Match[str], begin: int, end: int) -> bool:
    at = _SOLID.search(text, match.end(), end)
    if at is None:
        return True
    if text[match.start()] == ".":
        stop = match.start()
        word = _LAST_WORD.search(text, max(begin, stop - _LONGEST_ABBREVIATION), stop)
        last = word.group().casefold() if word else ""
        if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha() and last not in "ai"):
            return False
    return not at[0].islower()


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def sentence_at(spans: list[Span], offset: int) -> Span:
    """Return the sentence of ``spans`` (sorted) that holds ``offset``, or the one before it."""
    index = bisect_right(spans, offset, key=lambda span: span.start) - 1
    return spans[max(index, 0)]


@lru_cache(maxsize=32_768)
def printed(name: str) -> str:
    """Return a name as a reader sees it: without the signs of TeX, Markdown and HTML.

    >>> printed(r"$\\textbf{S}$elf-$\\mu^2$Net"), printed("**Whisper [large-v2")
    ('Self-μ^2Net', 'Whisper large-v2')
    """
    shown = name
    if len(name) < _LONGEST_NAME and _MARKUP.search(shown):
        shown = _LINK_END.sub("", _TAG.sub(" ", shown))
        shown = _ACCENT.sub(lambda m: unicodedata.normalize("NFC", m[2] + _ACCENTS[m[1]]), shown)
        shown = _COMMAND.sub(lambda m: _greek(m[1]) if m[1] else "", _ESCAPED.sub(r"\1", shown))
        shown = _SIGNS.sub("", shown.replace("~", " ")).replace("^+", "+")
        for opening, closing in ("[]", "()"):
            if shown.count(opening) != shown.count(closing):
                shown = shown.replace(opening, "").replace(closing, "")
    shown = " ".join(shown.split()).strip("^ ")
    bare = shown.strip("-–— ")
    return (bare if sum(map(str.isalnum, bare)) > 1 else shown) or " ".join(name.split())


def _greek(command: str) -> str:
    letter = command.upper().replace("LAMBDA", "LAMDA").removeprefix("VAR")
    size = "CAPITAL" if command[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {letter}")
    except KeyError:
        return ""


@lru_cache(maxsize=32_768)
def name_key(name: str) -> str:
    """Return what spellings of one name share: case, blanks, hyphens and underscores aside."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).casefold()
    return re.sub(GAP, "", folded)


@lru_cache(maxsize=32_768)
def slug(name: str) -> str:
    """Return ``name`` as the last part of an IRI: ``a-z0-9.-``, never empty, at most 80 long.

    ``+`` and ``#`` are spelt out, since ``C``, ``C++`` and ``C#`` differ; what has no ASCII
    form, or is too long, is closed with a hash of the whole name.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name)).casefold()
    ascii_only = folded.encode("ascii", "ignore").decode()
    spelt = ascii_only.replace("+", "-plus").replace("#", "-sharp")
    plain = re.sub(r"[^a-z0-9.]+", "-", spelt).strip("-.")
    lossy = any(ord(c) > 127 and unicodedata.category(c)[0] in "LN" for c in folded)
    if plain and not lossy and len(plain) <= _SLUG_LENGTH:
        return plain
    digest = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain[: _SLUG_LENGTH - 9].strip('-.')}-{digest}".strip("-")


def xml_characters(text: str) -> str:
    """Return ``text`` with each character that XML 1.0 forbids replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def counted(number: int, noun: str) -> str:
    """Return ``1 edge``, ``2 edges``, ``3,000 entities``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def nearest(name: str, names: Iterable[str], count: int = 5) -> list[str]:
    """Return the ``count`` of ``names`` most like ``name``, best first; none if none is like it.

    The same letters come first, then names that begin with ``name`` or hold it, those a few letters
    off, the fewer the shorter it is, and those it holds.  Names a few letters off are let in
    however many hold it.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    wanted = name_key(name)
    keys: dict[str, str] = {}
    for other in sorted(names):
        keys.setdefault(name_key(other), other)
    keys.pop("", None)
    if not wanted:
        return []
    ranked = sorted((rank, len(key), key) for key in keys if (rank := _holding(wanted, key)) < 3)
    longer = [key for _, _, key in ranked]
    others = sorted(keys.keys() - set(longer))
    close = process.extract(
        wanted, others, scorer=OSA.distance, limit=count, score_cutoff=len(wanted) // 3
    )
    shorter = [key for key in others if key in wanted and 3 <= len(key) >= len(wanted) / 2]
    room = count - min(len(close), count // 2)
    found = dict.fromkeys((*longer[:room], *(key for key, _, _ in close), *longer[room:]))
    found |= dict.fromkeys(sorted(shorter, key=len, reverse=True))
    return [keys[key] for key in list(found)[:count]]


def did_you_mean(word: str, words: Iterable[str], otherwise: str = "") -> str:
    """Return the question whether the nearest of ``words`` was meant, else ``otherwise``.

    >>> did_you_mean("biuld", ["build", "query"])
    "did you mean 'build'?"
    """
    near = nearest(word, words, 1)
    return f"did you mean '{near[0]}'?" if near else otherwise


def preference(
    wanted: str, called: str, *, name: str, type: str, mentions: int, id: str
) -> tuple[bool, bool, bool, int, int, str]:
    """Return what sorts the things that ``wanted`` may name, the one that is meant first.

    Of a thing that is called ``called``: one written exactly so comes first, then a name before an
    alias, then the types in their usual order, then what is named most often.
    """
    written = called != wanted, called.casefold() != wanted.casefold()
    return (*written, called != name, LABELS.index(type), -mentions, id)


def _holding(wanted: str, key: str) -> int:
    """Return 0 for the same key, 1 for one that begins with ``wanted``, 2 for one that holds it."""
    if key == wanted:
        return 0
    if len(wanted) > 1 and key.startswith(wanted):
        return 1
    return 2 if len(wanted) > 2 and wanted in key else 3
