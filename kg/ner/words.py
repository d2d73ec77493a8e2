"""Cut a text into words and word pieces, with their shapes.

The splitter is ours, so that a span of words can begin and end wherever a name can; the word
pieces are BERT's (uncased), so that a pretrained encoder understands them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
UNKNOWN, CLS, SEP = "[UNK]", "[CLS]", "[SEP]"
LONGEST = 100  # characters; longer words are unknown, as in BERT

#: what a word looks like; the index is the number the model sees
SHAPES = (
    "other", "lower", "title", "upper", "letter", "plural acronym", "mixed", "number",
    "lower with digits", "title with digits", "upper with digits", "mixed with digits",
    ".", ",", "(", ")", "-", "/", ":", "quote", "symbol",
)  # fmt: skip
SHAPE_NUMBER = {shape: i for i, shape in enumerate(SHAPES)}
QUOTES = frozenset("'\"`‘’“”")


class Word(NamedTuple):
    """A word and where it stands: ``text[start:end]``."""

    start: int
    end: int
    text: str


def split(text: str) -> list[Word]:
    """The words of a text in order: runs of letters and digits, and every other sign alone."""
    return [Word(match.start(), match.end(), match[0]) for match in WORD.finditer(text)]


@lru_cache(maxsize=32_768)
def shape(word: str) -> int:
    """The number of a word's shape in :data:`SHAPES`.

    >>> SHAPES[shape("ViTs")], SHAPES[shape("LLMs")], SHAPES[shape("Qwen2")]
    ('mixed', 'plural acronym', 'title with digits')
    """
    return SHAPE_NUMBER[_shape(word)]


def _shape(word: str) -> str:
    if len(word) == 1 and not word.isalnum():
        return word if word in SHAPE_NUMBER else "quote" if word in QUOTES else "symbol"
    if word.isdigit():
        return "number"
    letters = "".join(c for c in word if not c.isdigit())
    if not letters.isalpha():
        return "other"
    if letters.islower():
        kind = "lower"
    elif letters.isupper():
        kind = "upper"
    elif letters[0].isupper() and letters[1:].islower():
        kind = "title"
    else:
        kind = "mixed"
    if len(letters) < len(word):
        return kind + " with digits"
    if kind == "upper" and len(word) == 1:
        return "letter"
    if kind == "mixed" and len(word) > 2 and word[-1] == "s" and word[:-1].isupper():
        return "plural acronym"
    return kind


@dataclass(slots=True)
class WordPieces:
    """BERT's uncased word pieces over a vocabulary of piece -> number."""

    vocabulary: Mapping[str, int]
    cache: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __call__(self, word: str) -> tuple[int, ...]:
        """The numbers of the pieces of one word; ``[UNK]`` alone if it cannot be built."""
        found = self.cache.get(word)
        if found is None:
            found = self._pieces(word)
            if len(self.cache) < 200_000:
                self.cache[word] = found
        return found

    def _pieces(self, word: str) -> tuple[int, ...]:
        plain = unicodedata.normalize("NFD", word.lower())
        plain = "".join(c for c in plain if unicodedata.category(c) != "Mn")
        unknown = (self.vocabulary[UNKNOWN],)
        if not plain or len(plain) > LONGEST:
            return unknown
        pieces: list[int] = []
        start = 0
        while start < len(plain):
            for end in range(len(plain), start, -1):
                number = self.vocabulary.get(("##" if start else "") + plain[start:end])
                if number is not None:
                    pieces.append(number)
                    break
            else:
                return unknown
            start = end
        return tuple(pieces)
