"""Plain text and Markdown: one document a file, called by its first heading or line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kg.readers.documents import atx_title, plain_text
from kg.readers.source import Source
from kg.values import Document

_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>.+)$")


def read_text(source: Source) -> Iterator[Document]:
    """Yield the one document of a text file."""
    text = source.text()
    lines = [line.strip() for line in text[:100_000].splitlines() if line.strip()]
    if not lines:
        source.skip("", "the file is empty; remove it or fill it")
        return
    headings = (atx_title(match["title"]) for line in lines if (match := _HEADING.match(line)))
    yield plain_text(next(headings, lines[0])[:200], text)
