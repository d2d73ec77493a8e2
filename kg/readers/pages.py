"""Pages that list papers, copied as text: a title, its abstract, the next title, ...

Three renderings of such a page are understood: a paragraph a line; the same with addresses on
lines of their own; and Markdown in narrow lines with reference links.  All three give the same
documents with the same ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from kg.readers.documents import arxiv_id, arxiv_url, paper, year_of_arxiv
from kg.readers.source import Source, clean
from kg.values import Document

#: A title is no longer than this, in characters, and a paragraph above it is no title.
TITLE_LIMIT: Final = 300
#: A paragraph of this many characters is an abstract; a shorter one must be sentences.
ABSTRACT_LENGTH: Final = 300
_SENTENCES_LENGTH: Final = 60
#: A line of this many characters shows that lines are paragraphs, not wrapped pieces of them.
_UNWRAPPED_LENGTH: Final = 160
#: How much of a paragraph's end tells whether it is finished: an address, and what closes it.
_END: Final = 2_100

_ADDRESS = re.compile(r"<?(https?://[^\s<>]+?)>?[.,;]?")
_DEFINITION = re.compile(
    r"\s{0,8}(?:\[(?P<name>[^\]]+)\]:|(?P<number>\d+)\.)\s+<?(?P<url>https?://[^\s>]+)>?.*"
)
_HEADING = re.compile(r"#{1,6}\s+")
_BULLET = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s+(?=\S)")
_INLINE_LINK = re.compile(
    r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]{0,200}\]){1,500})\]\((?P<url>[^()\s]{1,2000})(?:\s+\"[^\"]{0,300}\")?\)"
)
_REFERENCE_LINK = re.compile(
    r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]{0,200}\]){1,500})\] ?\[(?P<name>[^\]]{0,100})\]"
)
_NUMBERED_LINK = re.compile(r"^\[(?P<name>\d+)\](?=\S)")
_IMAGE = re.compile(r"!\[[^\]]{0,300}\](?:\([^)]{0,2000}\)|\[[^\]]{0,100}\])")
_ESCAPE = re.compile(r"\\([_*#\[\]`>.!()-])")
_PAPER_ADDRESS = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co/papers/|arxiv\.org/(?:abs|pdf|html)/|openreview\.net/"
    r"|aclanthology\.org/|alphaxiv\.org/|doi\.org/|api\.semanticscholar\.org|semanticscholar\.org/)",
    re.IGNORECASE,
)
_SIGNS = re.compile(
    r"get trending papers|and the research community|huggingface\.co/papers/\d", re.IGNORECASE
)


@dataclass
class _Block:
    """A paragraph, unwrapped, with the addresses that its links lead to."""

    text: str
    line: int
    heading: bool = False
    urls: list[str] = field(default_factory=list)


@dataclass
class _Found:
    """A paper that is being put together."""

    title: str
    line: int
    #: Each paragraph as the pieces that it is put together from.
    pieces: list[list[str]] = field(default_factory=list)
    url: str = ""

    @property
    def paragraphs(self) -> list[str]:
        return ["".join(pieces) for pieces in self.pieces]

    @property
    def end(self) -> str:
        """The last characters of the last paragraph."""
        pieces = self.pieces[-1]
        first = len(pieces) - 1
        size = len(pieces[first])
        while first and size < _END:
            first -= 1
            size += len(pieces[first])
        return "".join(pieces[first:])[-_END:]


def read_page(source: Source) -> Iterator[Document]:
    """Yield a paper for each title with an abstract below it."""
    for item in _papers(_blocks(source.text())):
        if isinstance(item, _Block):
            reason = f"neither a title with an abstract nor known boilerplate: {item.text[:60]!r}"
            tell = source.note if _is_label(item) else source.skip
            tell(f"line {item.line}", reason)
            continue
        number = arxiv_id(item.url)
        yield paper(
            item.title,
            "\n".join(item.paragraphs),
            url=arxiv_url(number) if number else item.url,
            year=_year(number),
        )


def looks_like_page(head: str) -> bool:
    """Whether a text begins with titles and abstracts by turns."""
    if head.lstrip().startswith(("{", "---", "<")):
        return False
    items = list(_papers(_blocks(head)))
    found = [item for item in items if isinstance(item, _Found)]
    signs = len(_SIGNS.findall(head))
    if signs and found:
        return True
    long = sum(len(item.paragraphs) == 1 and len(item.paragraphs[0]) > 400 for item in found)
    linked = sum(bool(item.url) for item in found)
    stray = sum(isinstance(item, _Block) and not _is_label(item) for item in items)
    return len(found) >= 2 and stray <= len(found) // 4 and max(long, linked) >= 0.7 * len(found)


def _is_label(block: _Block) -> bool:
    """Whether a stray block is too short to be a title: a button, a menu entry."""
    return len(block.text) < 25 and block.text.count(" ") < 3


def _year(number: str) -> int | None:
    return year_of_arxiv(number) if number else None


@lru_cache(maxsize=1)
def _boilerplate() -> re.Pattern[str]:
    lines = (Path(__file__).parent / "boilerplate.txt").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def _blocks(text: str) -> list[_Block]:
    """Return the paragraphs of a page without boilerplate; an address alone is a block."""
    lines = clean(text).split("\n")
    targets, kept = _without_definitions(lines)
    unwrapped = any(len(line) > _UNWRAPPED_LENGTH for _, line in kept)
    blocks: list[_Block] = []
    waiting: list[tuple[int, str]] = []

    def close() -> None:
        if waiting:
            block = _block(waiting, targets)
            if block is not None:
                blocks.append(block)
            waiting.clear()

    for number, line in kept:
        line = line.strip()
        bare = _IMAGE.sub("", line).strip()
        if not bare or (_boilerplate().fullmatch(bare) and not waiting):
            close()
            continue
        if unwrapped:
            waiting.append((number, line))
            close()
            continue
        starts = bool(_HEADING.match(line))
        if starts:
            close()
        waiting.append((number, line))
        if starts and line.count("[") == line.count("]"):
            close()
    close()
    return blocks


def _without_definitions(lines: list[str]) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the targets of reference links, and the other lines with their numbers."""
    targets: dict[str, str] = {}
    kept = []
    for number, line in enumerate(lines, 1):
        match = _DEFINITION.fullmatch(line)
        if match:
            targets[(match["name"] or match["number"]).casefold()] = match["url"]
        else:
            kept.append((number, line))
    return targets, kept


def _block(lines: list[tuple[int, str]], targets: dict[str, str]) -> _Block | None:
    number, first = lines[0]
    heading = bool(_HEADING.match(first))
    urls: list[str] = []
    texts = [line for _, line in lines]
    if len(texts) > 1:
        # "Title" with its address in the line above or below it.
        while len(texts) > 1 and _PAPER_ADDRESS.match(texts[0]) and _ADDRESS.fullmatch(texts[0]):
            urls.append(texts.pop(0).strip("<>"))
        while len(texts) > 1 and _PAPER_ADDRESS.match(texts[-1]) and _ADDRESS.fullmatch(texts[-1]):
            urls.append(texts.pop().strip("<>"))
    text = _joined(texts)

    def inline(match: re.Match[str]) -> str:
        urls.append(match["url"])
        return match["text"]

    def reference(match: re.Match[str]) -> str:
        target = targets.get((match["name"] or match["text"]).casefold())
        if target is None:
            return match.group()
        urls.append(target)
        return match["text"]

    marked = bool(targets) or heading
    text = _IMAGE.sub("", text)
    text = _REFERENCE_LINK.sub(reference, text)
    if marked or (_INLINE_LINK.match(_HEADING.sub("", text)) and len(text) < TITLE_LIMIT * 2):
        text = _INLINE_LINK.sub(inline, text)
    numbered = _NUMBERED_LINK.match(text)
    if numbered and numbered["name"] in targets:
        urls.append(targets[numbered["name"]])
        text = text[numbered.end() :]
    text = _HEADING.sub("", text, count=1) if heading else text
    if len(text) < TITLE_LIMIT:
        text = _BULLET.sub("", text, count=1)
        bold = re.fullmatch(r"(\*\*|__)(?P<text>.+)\1", text)
        text = bold["text"] if bold else text
    if marked:
        text = _ESCAPE.sub(r"\1", text)
    text = text.strip()
    if not text or _boilerplate().fullmatch(text):
        return None
    return _Block(text, number, heading, urls)


def _joined(lines: list[str]) -> str:
    """Return wrapped lines as one; a word that was cut after its hyphen is whole again."""
    parts = lines[:1]
    for before, line in pairwise(lines):
        stem = before.rstrip("-")
        is_open = len(stem) < len(before) and re.match(r"\w", stem[-1:])
        cut = is_open and re.match(r"(?!(?:and|or|to)\b(?!-))\w", line)
        parts.append(line if cut else f" {line}")
    return "".join(parts)


def _papers(blocks: list[_Block]) -> Iterator[_Found | _Block]:
    """Yield what the blocks say, and each block that fits nowhere."""
    found: _Found | None = None
    title: _Block | None = None
    address = ""
    for block in blocks:
        alone = _ADDRESS.fullmatch(block.text)
        if alone and not (found and title is None and _unfinished(found)):
            if _PAPER_ADDRESS.match(alone[1]):
                if title is not None:
                    title.urls.append(alone[1])
                elif found and not found.url:
                    found.url = alone[1]
                else:
                    address = alone[1]
            elif found and title is None:
                found.pieces[-1].append(f" {alone[1]}")
            continue
        if found and title is None and _continues(found, block, alone is not None):
            found.pieces[-1].append(("" if block.text[0] in ".,;:)" else " ") + block.text)
            continue
        if title is None:
            if len(block.text) > TITLE_LIMIT:
                if found:
                    found.pieces.append([block.text])
                else:
                    yield block
                continue
            title = block
            continue
        if _is_abstract(block):
            if found:
                yield found
            url = next((u for u in title.urls if _PAPER_ADDRESS.match(u)), "") or address
            url = url or next(iter(title.urls), "")
            found = _Found(title.text, title.line, [[block.text]], url)
            title, address = None, ""
            continue
        if found and title.text.endswith((".", "!")):
            found.pieces.append([title.text])
        else:
            if found:
                yield found
                found = None
            yield title
        title = block
    if found:
        if title is not None and title.text.endswith((".", "!")):
            found.pieces.append([title.text])
            title = None
        yield found
    if title is not None:
        yield title


def _unfinished(found: _Found) -> bool:
    """Whether the last paragraph breaks off where an address or a clause must follow."""
    end = found.end
    closed = end.rstrip("'\")]}*").endswith((".", "!", "?", ":"))
    return not closed or end.endswith((" at:", "code:", "here:"))


def _ends_in_address(text: str) -> bool:
    last = text[-_END:].rsplit(maxsplit=1)[-1:]
    return bool(last) and text.endswith(last[0]) and bool(re.search(r"https?://.", last[0]))


def _continues(found: _Found, block: _Block, is_address: bool) -> bool:
    if block.heading:
        return False
    if block.text[0] in ".,;:)":
        return True
    if is_address:
        return _unfinished(found) and not _PAPER_ADDRESS.match(block.text)
    return block.text[0].islower() and (_unfinished(found) or _ends_in_address(found.end))


def _is_abstract(block: _Block) -> bool:
    if block.heading:
        return False
    if len(block.text) >= ABSTRACT_LENGTH:
        return True
    ends = re.search(r"[.!?]['\")\]}]*$", block.text) or _ends_in_address(block.text)
    return len(block.text) >= _SENTENCES_LENGTH and bool(ends) and block.text.count(" ") >= 8
