"""Rows as a person reads them in a terminal: a line a row, and long text below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kg import schema
from kg.query.answers import Answer, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

_NUMBERS: Final = frozenset(
    schema.PREFIXES["xsd"] + name for name in ("integer", "decimal", "double")
)
#: Blanks between two columns, and before the first.
_GAP: Final = 3
_EDGE: Final = 1
#: A line of text with less room than this is no pleasure to read.
_READABLE: Final = 24


def table(answer: Answer, width: int) -> RenderableType:
    """Return the rows of ``answer`` for a terminal of ``width`` cells, to be printed by rich.

    Columns that fit stand side by side, in the order of the query.  Where they do not all fit,
    the widest are written below each row with their names, over the whole width.
    """
    from rich.cells import cell_len
    from rich.console import Group
    from rich.text import Text

    cells = [[" ".join(plain(value).split()) for value in row] for row in answer.rows]
    widths = [
        max([cell_len(name), *(cell_len(row[index]) for row in cells)])
        for index, name in enumerate(answer.columns)
    ]
    beside = _beside(widths, width)
    below = [index for index in range(len(widths)) if index not in beside]
    right = {index for index in beside if _numeric(answer, index)}

    def line(texts: Sequence[str], style: str = "") -> Text:
        parts = []
        for index in beside:
            room = " " * (widths[index] - cell_len(texts[index]))
            parts.append(room + texts[index] if index in right else texts[index] + room)
        text = (" " * _EDGE + (" " * _GAP).join(parts)).rstrip()
        return Text(text, style=style, overflow="fold")

    ruler = sum(widths[index] for index in beside) + _GAP * (len(beside) - 1) + 2 * _EDGE
    made: list[RenderableType] = [
        Text(""),
        line(answer.columns, "bold"),
        Text(" " + "─" * (min(ruler, width) - _EDGE)),
    ]
    label = max([cell_len(answer.columns[index]) for index in below], default=0)
    for number, row in enumerate(cells):
        if below and number:
            made.append(Text(""))
        made.append(line(row))
        for index in below:
            if not row[index]:
                continue
            name = answer.columns[index]
            # In a narrow terminal the name has a line of its own.
            hang = label + 2 if width - _GAP - label - 2 >= _READABLE else 0
            parts = _wrapped(row[index], width - _GAP - hang)
            if not hang:
                made.append(Text(" " * _GAP + name, style="dim"))
            for place, part in enumerate(parts):
                shown = Text(" " * _GAP)
                shown.append("" if place or not hang else name, style="dim")
                shown.pad_right(_GAP + hang - cell_len(shown.plain))
                made.append(shown.append(part))
    made.append(Text(""))
    return Group(*made)


def _beside(widths: Sequence[int], width: int) -> list[int]:
    """Return the columns that fit beside each other, the first always among them."""
    kept = list(range(len(widths)))
    while len(kept) > 1 and sum(widths[i] + _GAP for i in kept) - _GAP + 2 * _EDGE > width:
        kept.remove(max(kept[1:], key=lambda index: (widths[index], index)))
    return kept


def _numeric(answer: Answer, index: int) -> bool:
    found = [row[index] for row in answer.rows if row[index] is not None]
    return bool(found) and all(cell is not None and cell.datatype in _NUMBERS for cell in found)


def _wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, broken between words where it can be."""
    from rich.console import Console
    from rich.text import Text

    room = max(width, 1)
    screen = Console(width=room)
    return [line.plain.rstrip() for line in Text(text).wrap(screen, room, overflow="fold")]
