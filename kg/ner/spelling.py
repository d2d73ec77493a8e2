"""Names as runs of letters and digits, so that blanks and hyphens inside them do not matter."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: A run of letters and digits, or one sign that can belong to a name.
PIECE: Final = re.compile(r"[^\W_]+|[+#@^$%&/.]")
WORD: Final = re.compile(r"[^\W_]+")
#: By so many letters at most a part of a name is looked up; more are compared.
_OPENING: Final = 24
#: So few parts are faster asked one by one than looked up.
_FEW: Final = 100
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


@dataclass(frozen=True, slots=True)
class Parts:
    """Folded names, to be asked which of them another one holds."""

    listed: Sequence[str]
    #: By their first letters.
    openings: Mapping[str, list[str]]
    #: How many letters these are, of one or another.
    lengths: Sequence[int]

    @classmethod
    def of(cls, parts: Iterable[str]) -> Parts:
        """Return the parts, each once, without the empty one."""
        listed = [part for part in dict.fromkeys(parts) if part]
        openings: defaultdict[str, list[str]] = defaultdict(list)
        for part in listed:
            openings[part[:_OPENING]].append(part)
        return cls(listed, openings, sorted({len(opening) for opening in openings}))

    def inside(self, name: str) -> set[str]:
        """Return the parts that ``name`` holds.

        >>> sorted(Parts.of(["net", "bert", "tiny"]).inside("tinybert"))
        ['bert', 'tiny']
        """
        if len(self.listed) <= _FEW:
            return {part for part in self.listed if part in name}
        return {
            part
            for length in self.lengths
            for start in range(len(name) - length + 1)
            for part in self.openings.get(name[start : start + length], ())
            if name.startswith(part, start)
        }
