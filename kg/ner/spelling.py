"""Names as runs of letters and digits, so that blanks and hyphens inside them do not matter."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: A run of letters and digits, or one sign that can belong to a name.
PIECE: Final = re.compile(r"[^\W_]+|[+#@^$%&/.]")
WORD: Final = re.compile(r"[^\W_]+")
#: Fields in -ics are no plurals, these are.
_FIELD: Final = re.compile(r"(?<!metr)(?<!top)(?<!crit)(?<!heurist)(?<!characterist)ics$")
_PLURAL: Final = re.compile(r"(?<=[^\W_sui])s$")


def pieces(text: str) -> list[tuple[int, int, str]]:
    """Return start, end and folded text of the pieces of ``text``, in order."""
    return [(m.start(), m.end(), m[0].casefold()) for m in PIECE.finditer(text)]


@lru_cache(maxsize=32_768)
def key(name: str) -> str:
    """Return what the spellings of a name share: ``F1-score``, ``F1 score`` and ``f1score``."""
    return "".join(PIECE.findall(name)).casefold()


@lru_cache(maxsize=32_768)
def singular(word: str) -> str:
    """Return a word without its plural s; short words and those in -ss, -us, -is stay.

    >>> singular("mathematics"), singular("metrics")
    ('mathematics', 'metric')
    """
    if len(word) <= 3 or _FIELD.search(word.casefold()):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return _PLURAL.sub("", word)
