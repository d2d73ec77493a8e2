"""Blank out what is no prose, so that names are looked for in the words alone.

Masked characters become spaces; the text keeps its length, so offsets stay true.
"""

from __future__ import annotations

import re
from typing import Final

from kg.values import Document

_URL: Final = re.compile(
    r"(?:https?://|www\.|ftp://|git@)[^\s<>{}\[\]\"']+(?<![.,;:!?)])"
    r"|\b(?:github|gitlab|huggingface|hf)\.(?:com|co|io)/[^\s<>{}\[\]\"']+(?<![.,;:!?)])"
    r"|\b[\w.+-]+@[A-Za-z][\w-]*(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"
)
#: TeX commands go, what stands in their braces stays.
_TEX: Final = re.compile(
    r"\\(?:url|href|footnote|cite[pt]?|ref|label)\b|\\[A-Za-z]+(?=\{)|\\(?=[%&#_$])"
)
_TEX_WORD: Final = re.compile(
    r"\\[A-Za-z]+|(?<![A-Za-z])(?:ell|mathcal|mathbf|mathbb|mathrm)_?\d?\b(?=[\s_{^]|$)"
)
#: One of these stands in whatever ``_URL`` matches; ``in`` finds them faster than it looks.
_IN_URLS: Final = ("://", "www.", "@", ".com/", ".co/", ".io/")
_MARKS: Final = re.compile(r"[{}]|\*\*+|(?<!\w)[*_]{1,3}(?=\w)|(?<=\w)[*_]{1,3}(?!\w)|``?|''")
_IN_MARKS: Final = ("{", "}", "*", "_", "`", "''")
#: A number begins at its first digit: what may not stand before is asked after, so that the
#: search can jump from digit to digit.
_TIMES: Final = re.compile(r"\d(?<![\w.]\d)\d*(?:\.\d+)?(?:times|x|×)(?![A-Za-z0-9])")

_FENCE: Final = re.compile(r"^(```|~~~).*?(?:^\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_INDENTED: Final = re.compile(r"^(?: {4}|\t)(?![*+-] |\d+\. ).*$", re.MULTILINE)
_HTML: Final = re.compile(
    r"<!--.*?-->|<(style|script|pre|code)\b.*?</\1>|</?[A-Za-z][^<>]*>", re.DOTALL | re.IGNORECASE
)
_TABLE: Final = re.compile(r"^[^\S\n]*\|.*$|^[^\n|]+\|[^\n|]+\|.*$", re.MULTILINE)
_CODE: Final = re.compile(r"`[^`\n]*`")
_HUB_ID: Final = re.compile(r"`([\w.-]+/[\w.-]+|[\w.-]+)`")
_LINK: Final = re.compile(r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\s*(?:\"[^\"]*\")?\)")
_IMAGE: Final = re.compile(r"!\[[^\]]*\]")


def blank(text: str, start: int, end: int) -> str:
    """Return ``text[start:end]`` as spaces; line breaks stay."""
    return re.sub(r"[^\n]", " ", text[start:end])


def _mask(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def prose(document: Document) -> str:
    """Return the document's text with all but its prose masked by spaces.

    >>> prose(Document("a", "text", "", "See https://x.org/BERT and \\\\textbf{SIFT}"))
    'See                    and         SIFT '
    """
    text = document.text
    if document.kind.endswith("card"):
        text = blank(text, 0, document.body) + _card(text[document.body :])
    return plain(text)


def _card(text: str) -> str:
    for pattern in (_FENCE, _HTML, _TABLE):
        text = _mask(pattern, text)
    text = _HUB_ID.sub(r" \1 ", text)
    for pattern in (_CODE, _IMAGE, _LINK):
        text = _mask(pattern, text)
    return text


def plain(text: str) -> str:
    """Return ``text`` with addresses, TeX and Markdown marks masked by spaces."""
    if any(sign in text for sign in _IN_URLS):
        text = _mask(_URL, text)
    if "\\" in text:
        text = _mask(_TEX, text)
    if "\\" in text or "ell" in text or "math" in text:
        text = _mask(_TEX_WORD, text)
    if any(mark in text for mark in _IN_MARKS):
        text = _mask(_MARKS, text)
    return _mask(_TIMES, text)
