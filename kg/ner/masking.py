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
    r"|\b[\w.+-]{1,64}@[A-Za-z][\w-]*(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"
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
_OPENING: Final = re.compile(r"<!--|<(?:style|script|pre|code)\b|</?[A-Za-z]", re.IGNORECASE)
#: What ends that which an opening begins; where it never comes, ``_TAG`` alone is masked.
_CLOSING: Final = {
    "<!--": re.compile("-->"),
    **{
        f"<{name}": re.compile(f"</{name}>", re.IGNORECASE)
        for name in ("style", "script", "pre", "code")
    },
}
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")
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


def _without_html(text: str) -> str:
    """Return ``text`` with comments, tags, and all between those of code or style, masked.

    A closing tag that is missing is looked for once, so that the time taken is linear.
    """
    kept: list[str] = []
    cursor = 0
    missing: set[str] = set()
    for opening in _OPENING.finditer(text):
        if opening.start() < cursor:
            continue
        sign, end = opening[0].lower(), None
        if sign in _CLOSING and sign not in missing:
            end = _CLOSING[sign].search(text, opening.end())
            if end is None:
                missing.add(sign)
        end = end or _TAG.match(text, opening.start())
        if end is not None:
            kept += (text[cursor : opening.start()], blank(text, opening.start(), end.end()))
            cursor = end.end()
    return "".join(kept) + text[cursor:]


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
    text = _mask(_TABLE, _without_html(_mask(_FENCE, text)))
    text = _mask(_CODE, _HUB_ID.sub(r" \1 ", text))
    # Behind the last bracket no image can end, and looking for one would be quadratic.
    last = text.rfind("]") + 1
    return _mask(_LINK, _mask(_IMAGE, text[:last]) + text[last:])


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
