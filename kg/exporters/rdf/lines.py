"""N-Triples and N-Quads: a triple a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from kg.exporters import BASE
from kg.exporters.rdf.blocks import Block
from kg.exporters.rdf.content import blocks
from kg.exporters.rdf.terms import PREFIXES, Iri, Term, checked_base
from kg.values import GraphView

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def quoted(text: str) -> str:
    """Return ``text`` as a quoted string of N-Triples and Turtle."""
    return f'"{text.translate(_ESCAPES)}"'


def _n3(value: Term) -> str:
    """Return ``value`` as N-Triples writes it."""
    if isinstance(value, Iri):
        return f"<{value}>"
    if value.datatype == "string":
        return quoted(value.value)
    return f"{quoted(value.value)}^^<{PREFIXES['xsd']}{value.datatype}>"


def _lines(source: Iterable[Block], base: str, *, graphs: bool) -> Iterator[str]:
    for graph, subject, pairs in source:
        end = f" <{base}{graph}> .\n" if graphs else " .\n"
        for predicate, objects in pairs:
            start = f"<{subject}> <{predicate}> "
            for value in objects:
                yield start + _n3(value) + end


def write_nquads(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write everything as N-Quads, in its named graphs."""
    base = checked_base(base)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(blocks(graph, base, also), base, graphs=True))


def write_ntriples(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write everything as N-Triples, in one graph."""
    base = checked_base(base)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(blocks(graph, base, also), base, graphs=False))
