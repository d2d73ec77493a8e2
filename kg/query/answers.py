"""What a query answers, and the forms in which it is written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, TypeAlias

from kg import schema
from kg.errors import UsageError

_XSD: Final = schema.PREFIXES["xsd"]

#: What Python has for a term: an IRI or text, a number, yes or no; ``None`` where it is unbound.
Cell: TypeAlias = str | int | float | bool | None

_CONVERTED: Final[Mapping[str, Callable[[str], Cell]]] = {
    _XSD + "integer": int,
    _XSD + "decimal": float,
    _XSD + "double": float,
    _XSD + "boolean": lambda text: text in ("true", "1"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """An RDF term in an answer."""

    #: ``uri``, ``literal``, ``bnode`` or ``triple`` (whose value is its N-Triples form).
    kind: str
    value: str
    #: The datatype's IRI, empty for plain strings.
    datatype: str = ""
    language: str = ""

    def n3(self) -> str:
        """Return the term as N-Triples, SPARQL and TSV results write it."""
        if self.kind == "uri":
            return f"<{self.value}>"
        if self.kind == "bnode":
            return f"_:{self.value}"
        if self.kind == "triple":
            return self.value
        quoted = quote(self.value)
        if self.language:
            return f"{quoted}@{self.language}"
        return f"{quoted}^^<{self.datatype}>" if self.datatype else quoted


def quote(text: str) -> str:
    """Return ``text`` as a SPARQL string; nothing in it can end the string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a query: rows, yes or no, or triples."""

    #: ``rows``, ``boolean`` or ``triples``.
    kind: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Value | None, ...], ...] = ()
    boolean: bool = False
    #: Whether there was more than was asked for.
    cut: bool = False
    #: IRIs in a query without answer that the graph does not know at all.
    unknown: tuple[str, ...] = ()
    #: Texts in such a query that the graph does not know, each with the names most like it.
    absent: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: What the parameters were read as, for messages.
    notes: tuple[str, ...] = field(default=())


def plain(value: Value | None) -> str:
    """Return a term as a person reads it: a short name, or the literal's characters."""
    if value is None:
        return ""
    return schema.curie(value.value) if value.kind == "uri" else value.value


def python_rows(answer: Answer) -> list[dict[str, Cell]]:
    """Return rows as dictionaries from column to IRI or literal, numbers as numbers."""
    return [
        {name: _cell(value) for name, value in zip(answer.columns, row, strict=True)}
        for row in answer.rows
    ]


def _cell(value: Value | None) -> Cell:
    if value is None:
        return None
    try:
        cell = _CONVERTED.get(value.datatype, str)(value.value)
    except ValueError:  # "many"^^xsd:integer is RDF, too
        return value.value
    # JSON has no infinity.
    return cell if not isinstance(cell, float) or isfinite(cell) else value.value


# --- rows --------------------------------------------------------------------------------------


def _csv(answer: Answer) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(answer.columns)
    for row in answer.rows:
        cells = ("" if value is None else _csv_cell(value) for value in row)
        writer.writerow(list(cells))
    yield buffer.getvalue()


def _csv_cell(value: Value) -> str:
    return f"_:{value.value}" if value.kind == "bnode" else value.value


def _tsv(answer: Answer) -> Iterator[str]:
    yield "\t".join(f"?{name}" for name in answer.columns) + "\n"
    for row in answer.rows:
        yield "\t".join("" if value is None else _tsv_cell(value) for value in row) + "\n"


def _tsv_cell(value: Value) -> str:
    numeric = value.datatype in (_XSD + "integer", _XSD + "decimal", _XSD + "double")
    return value.value if numeric else value.n3()


def _json_term(value: Value) -> dict[str, str]:
    term = {"type": value.kind, "value": value.value}
    if value.language:
        term["xml:lang"] = value.language
    elif value.datatype:
        term["datatype"] = value.datatype
    return term


def sparql_json(answer: Answer) -> dict[str, Any]:
    """Return the answer in the form of SPARQL 1.1 Query Results JSON."""
    if answer.kind == "boolean":
        return {"head": {}, "boolean": answer.boolean}
    bindings = [
        {
            name: _json_term(value)
            for name, value in zip(answer.columns, row, strict=True)
            if value is not None
        }
        for row in answer.rows
    ]
    return {"head": {"vars": list(answer.columns)}, "results": {"bindings": bindings}}


def _json(answer: Answer) -> Iterator[str]:
    yield json.dumps(sparql_json(answer), ensure_ascii=False, indent=1) + "\n"


def _jsonl(answer: Answer) -> Iterator[str]:
    for row in python_rows(answer):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _markdown(answer: Answer) -> Iterator[str]:
    def line(cells: Iterable[str]) -> str:
        escaped = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(escaped)} |\n"

    yield line(answer.columns)
    yield line("---" for _ in answer.columns)
    for row in answer.rows:
        yield line(plain(value) for value in row)


def _html(answer: Answer) -> Iterator[str]:
    from html import escape

    head = "".join(f"<th>{escape(name)}</th>" for name in answer.columns)
    yield f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
    for row in answer.rows:
        cells = "".join(f"<td>{_html_cell(value)}</td>" for value in row)
        yield f"<tr>{cells}</tr>\n"
    yield "</tbody>\n</table>\n"


def _html_cell(value: Value | None) -> str:
    from html import escape

    if value is not None and value.kind == "uri" and value.value.startswith(("http:", "https:")):
        return f'<a href="{escape(value.value)}">{escape(schema.curie(value.value))}</a>'
    return escape(plain(value))


#: How rows are written, by name; ``table`` needs a terminal's width and is the command's.
ROWS: Final[Mapping[str, Callable[[Answer], Iterator[str]]]] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "jsonl": _jsonl,
    "md": _markdown,
    "html": _html,
}


# --- triples -----------------------------------------------------------------------------------


def _ntriples(answer: Answer) -> Iterator[str]:
    for row in answer.rows:
        yield " ".join(value.n3() for value in row if value is not None) + " .\n"


def _serialised(answer: Answer, name: str) -> Iterator[str]:
    import pyoxigraph as ox

    formats = {
        "turtle": ox.RdfFormat.TURTLE,
        "jsonld": ox.RdfFormat.JSON_LD,
        "rdfxml": ox.RdfFormat.RDF_XML,
    }
    lines = "".join(_ntriples(answer)).encode()
    triples = [quad.triple for quad in ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)]
    triples.sort(key=str)
    used = {} if name == "jsonld" else _used_prefixes(lines.decode())
    written = ox.serialize(triples, format=formats[name], prefixes=used)
    yield (written or b"").decode()


def _used_prefixes(text: str) -> dict[str, str]:
    return {name: iri for name, iri in schema.PREFIXES.items() if f"<{iri}" in text}


#: How triples are written, by name.
TRIPLES: Final[Mapping[str, Callable[[Answer], Iterator[str]]]] = {
    "turtle": lambda answer: _serialised(answer, "turtle"),
    "nt": _ntriples,
    "jsonld": lambda answer: _serialised(answer, "jsonld"),
    "rdfxml": lambda answer: _serialised(answer, "rdfxml"),
}


def write(answer: Answer, name: str) -> Iterator[str]:
    """Yield the text of ``answer`` in the format called ``name``."""
    known = TRIPLES if answer.kind == "triples" else ROWS
    if name not in known:
        what = {"rows": "SELECT", "boolean": "ASK", "triples": "CONSTRUCT and DESCRIBE"}
        raise UsageError(
            f"{what[answer.kind]} cannot be written as {name}; there are: {', '.join(known)}"
        )
    if answer.kind == "boolean" and name != "json":
        yield f"{str(answer.boolean).lower()}\n"
        return
    yield from known[name](answer)
