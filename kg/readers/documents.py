"""Make documents out of the fields that a source gives: ids, addresses, years, offsets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from kg.readers.source import clean
from kg.text import slug
from kg.values import Document

#: The longest id that is kept as given, in characters.
ID_LIMIT: Final = 256

_ARXIV = re.compile(
    r"(?:arxiv[:.-]?\s*)?(?P<id>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?",
    re.IGNORECASE,
)
_ARXIV_ADDRESS = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/|alphaxiv\.org/abs/)"
    r"(?P<id>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]+", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_LINE_BREAK = re.compile(r"[\r\n]")


def paper(
    title: str,
    abstract: str,
    *,
    given_id: str = "",
    url: str = "",
    year: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Document:
    """Return a paper, whose text is its title, a line feed, and its abstract."""
    title = one_line(clean(title))
    text = f"{title}\n{_unwrapped(clean(abstract))}"
    number = arxiv_id(given_id)
    return Document(
        id=given_id or content_id(title, text),
        kind="paper",
        title=title,
        text=text,
        url=safe_url(url) or (arxiv_url(number) if number else ""),
        year=year or (year_of_arxiv(number) if number else None),
        metadata=dict(metadata or {}),
    )


def plain_text(
    title: str, text: str, *, given_id: str = "", url: str = "", year: int | None = None
) -> Document:
    """Return a text that is neither paper nor card."""
    text = clean(text)
    title = one_line(clean(title))
    return Document(
        id=given_id or content_id(title, text),
        kind="text",
        title=title,
        text=text,
        url=safe_url(url),
        year=year,
    )


def content_id(title: str, text: str) -> str:
    """Return an id that depends on the content alone: a readable part, and a hash of ``text``."""
    return f"{slug(title or 'untitled')[:48].strip('-.')}-{short_hash(text)}"


def short_hash(text: str) -> str:
    """Return six hexadecimal digits that stand for ``text``."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]


def one_line(text: str) -> str:
    """Return ``text`` without outer white space, and with a blank for each line break."""
    lines = (line.strip() for line in _LINE_BREAK.split(text.strip()))
    return " ".join(line for line in lines if line)


def atx_title(written: str) -> str:
    """Return what stands behind the signs of a Markdown heading without those that close it."""
    return written[:1] + written[1:].rstrip(" \t#")


def safe_id(given: Any) -> str:
    """Return an id as it was given, or empty where it is no usable id."""
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        return ""
    text = str(given)
    usable = text.strip() and len(text) <= ID_LIMIT and text.isprintable() and clean(text) == text
    return text if usable else ""


def safe_url(given: str) -> str:
    """Return ``given`` if it is an http or https address, else an empty string."""
    given = given.strip()
    return given if len(given) <= 2048 and _ADDRESS.fullmatch(given) else ""


def arxiv_id(given: str) -> str:
    """Return the arXiv identifier that ``given`` is or links to, without version, or empty."""
    match = _ARXIV.fullmatch(given.strip()) or _ARXIV_ADDRESS.search(given)
    return match["id"] if match else ""


def arxiv_url(number: str) -> str:
    """Return the address of an arXiv paper's abstract."""
    return f"https://arxiv.org/abs/{number}"


def year_of_arxiv(number: str) -> int | None:
    """Return the year that an arXiv identifier tells (``2504.13837``, ``cs/0701001``)."""
    digits = number.rpartition("/")[2]
    if not 1 <= int(digits[2:4]) <= 12:
        return None
    short = int(digits[:2])
    return 1900 + short if short > 90 else 2000 + short


def year_in(value: Any) -> int | None:
    """Return the year that a number, a date or a time stamp in milliseconds tells."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        if 1900 <= value <= 2099:
            return int(value)
        # Milliseconds since 1970, as OpenReview writes them.
        return 1970 + int(value / 31_556_952_000) if 10**11 < value < 4 * 10**12 else None
    match = _YEAR.search(str(value))
    return int(match.group()) if match else None


def _unwrapped(abstract: str) -> str:
    """Return an abstract without the line breaks of a narrow column; no offset changes.

    arXiv's snapshot breaks lines below 80 characters; a break inside a paragraph is no end of a
    sentence.  An empty or indented line begins a new paragraph and stays.
    """
    if "\n" not in abstract.strip():
        return abstract
    lines = abstract.rstrip().split("\n")
    width = max(map(len, lines))
    if not 50 < width <= 100:
        return abstract
    joined = ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        wrapped = len(line) > 0.6 * width and line[-1:].strip() and following[:1].strip()
        joined += line + (" " if wrapped else "\n")
    return joined[: len("\n".join(lines))] + abstract[len("\n".join(lines)) :]
