"""Turtle, TriG and Turtle 1.2, with prefixes declared where they are used."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from kg.exporters import BASE
from kg.exporters.rdf.alignments import choose
from kg.exporters.rdf.blocks import Block
from kg.exporters.rdf.content import believed, blocks
from kg.exporters.rdf.lines import quoted
from kg.exporters.rdf.provenance import provenance_blocks
from kg.exporters.rdf.terms import (
    OBJECT,
    PREDICATE,
    PREFIXES,
    RDF_TYPE,
    SUBJECT,
    Iri,
    Term,
    checked_base,
)
from kg.values import LABELS, GraphView

#: The part of PN_LOCAL that our IRIs need, in ASCII.
_LOCAL: Final = re.compile(
    r"(?:[A-Za-z0-9_:]|%[0-9A-F]{2})(?:(?:[A-Za-z0-9_.:\-]|%[0-9A-F]{2})*"
    r"(?:[A-Za-z0-9_:\-]|%[0-9A-F]{2}))?"
)


def prefixes(base: str = BASE) -> dict[str, str]:
    """Return the prefixes that our files may use; those of entities depend on ``base``."""
    own = {name.lower(): f"{base}{name.lower()}/" for name in (*LABELS, "doc")}
    parts = ("assertion", "evidence", "result", "fact", "extractor", "run")
    return {**PREFIXES, **own, **{name: f"{base}{name}/" for name in parts}}


class Shortener:
    """Writes IRIs with prefixes, and remembers which it needed."""

    def __init__(self, base: str) -> None:
        self._by_namespace = {namespace: name for name, namespace in prefixes(base).items()}
        self.prefixes = prefixes(base)
        self.used: set[str] = set()

    def short(self, iri: str) -> str | None:
        """Return ``iri`` as ``prefix:local``, or ``None`` where that cannot be written."""
        cut = max(iri.rfind("/"), iri.rfind("#")) + 1
        prefix = self._by_namespace.get(iri[:cut])
        if prefix is None or not _LOCAL.fullmatch(iri, cut):
            return None
        self.used.add(prefix)
        return f"{prefix}:{iri[cut:]}"

    def iri(self, iri: str) -> str:
        """Return ``iri`` as Turtle writes it."""
        return self.short(iri) or f"<{iri}>"

    def turtle(self, value: Term) -> str:
        """Return ``value`` as Turtle writes it."""
        if isinstance(value, Iri):
            return self.iri(value)
        if value.datatype == "string":
            return quoted(value.value)
        if value.datatype in ("integer", "decimal", "boolean"):
            return value.value
        return f"{quoted(value.value)}^^{self.iri(PREFIXES['xsd'] + value.datatype)}"

    def declarations(self) -> str:
        """Return the ``@prefix`` lines of what was used, sorted."""
        names = sorted(self.used)
        return "".join(f"@prefix {name}: <{self.prefixes[name]}> .\n" for name in names)


def turtle_block(block: Block, shortener: Shortener, indent: str = "") -> str:
    """Return ``block`` as one statement of Turtle, a predicate a line."""
    lines = []
    for predicate, objects in block.pairs:
        verb = "a" if predicate == RDF_TYPE else shortener.iri(predicate)
        values = [shortener.turtle(value) for value in objects]
        separator = f",\n{indent}        " if len(values) > 2 else ", "
        lines.append(f"{verb} {separator.join(values)}")
    body = f" ;\n{indent}    ".join(lines)
    return f"{indent}{shortener.iri(block.subject)} {body} .\n"


def write_with_header(path: Path, body: Iterable[str], header: Callable[[], str]) -> None:
    """Write ``header()``, which is known only after the body, and then the body."""
    with tempfile.TemporaryFile() as parked:
        for part in body:
            parked.write(part.encode())
        parked.seek(0)
        with path.open("wb") as file:
            file.write(header().encode())
            shutil.copyfileobj(parked, file)


def write_blocks(path: Path, source: Iterable[Block], base: str, title: str) -> None:
    """Write blocks as Turtle under ``title``, with the prefixes that they need."""
    shortener = Shortener(base)
    body = ("\n" + turtle_block(block, shortener) for block in source)
    write_with_header(path, body, lambda: f"# {title}\n\n{shortener.declarations()}")


def write_turtle(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write what is believed as Turtle: entities, accepted edges and scores."""
    base = checked_base(base)
    title = "Entities, accepted edges and scores. Why each is believed: provenance.ttl."
    write_blocks(path, believed(graph, base, also), base, title)


def write_provenance(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write why it is believed as Turtle: documents, assertions of every status, evidence."""
    base = checked_base(base)
    choose(also)
    title = "Documents, assertions and their evidence. What is believed: graph.ttl."
    write_blocks(path, provenance_blocks(graph, base), base, title)


def write_trig(graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()) -> None:
    """Write everything as TriG, in its named graphs."""
    base = checked_base(base)
    shortener = Shortener(base)

    def body() -> Iterator[str]:
        for name, group in groupby(blocks(graph, base, also), key=lambda block: block.graph):
            yield f"\n<{base}{name}> {{\n"
            for block in group:
                yield "\n" + turtle_block(block, shortener, "  ")
            yield "}\n"

    title = "What is believed, and why, in a named graph each."
    write_with_header(path, body(), lambda: f"# {title}\n\n{shortener.declarations()}")


def write_rdf12(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write Turtle 1.2: each accepted triple reified by its assertion, and others only quoted.

    The evidence is the same as in ``provenance.ttl``; instead of ``rdf:subject``,
    ``rdf:predicate`` and ``rdf:object`` an assertion ``rdf:reifies`` a triple term.
    """
    base = checked_base(base)
    shortener = Shortener(base)
    reified = {SUBJECT, PREDICATE, OBJECT}
    reifies = Iri(PREFIXES["rdf"] + "reifies")

    def body() -> Iterator[str]:
        for block in blocks(graph, base, also):
            said = dict(block.pairs)
            if SUBJECT not in said:
                yield "\n" + turtle_block(block, shortener)
                continue
            quoted = " ".join(
                shortener.turtle(said[part][0]) for part in (SUBJECT, PREDICATE, OBJECT)
            )
            rest = tuple(pair for pair in block.pairs if pair[0] not in reified)
            name = shortener.iri(block.subject)
            yield f"\n{name} {shortener.iri(reifies)} <<( {quoted} )>> .\n"
            yield turtle_block(Block(block.graph, block.subject, rest), shortener)

    title = "RDF 1.2: assertions reify triple terms."
    write_with_header(path, body(), lambda: f"# {title}\n\n{shortener.declarations()}")
