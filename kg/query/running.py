"""Run one query on an Oxigraph store."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Final

import pyoxigraph as ox

from kg import schema
from kg.errors import NotAcceptable, UsageError
from kg.query import canned, language
from kg.query.answers import Answer
from kg.query.worker import Job, values
from kg.text import nearest

_PLACE: Final = re.compile(r"error at (\d+):(\d+): ")

#: Media types of rows and of yes or no, and the engine's name for them.
ROWS: Final = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
#: Media types of triples.
TRIPLES: Final = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
}


def _nodes(iris: tuple[str, ...]) -> list[ox.NamedNode]:
    try:
        return [ox.NamedNode(iri) for iri in iris]
    except ValueError as error:
        raise UsageError(f"a graph's name must be an absolute IRI: {error}") from error


def _run(store: ox.Store, query: str, job: Job) -> Any:
    options: dict[str, Any] = {"prefixes": job.prefixes}
    if job.default_graphs or job.named_graphs is not None:
        # With a dataset given, graphs that are not in it do not exist.
        options["default_graph"] = list(_nodes(job.default_graphs))
        options["named_graphs"] = list(_nodes(job.named_graphs or ()))
    elif not language.has_dataset(query):
        options["use_default_graph_as_union"] = True
    try:
        return store.query(query, **options)
    except (SyntaxError, ValueError) as error:
        raise UsageError(syntax_message(query, str(error), job.prefixes)) from error


def syntax_message(query: str, error: str, prefixes: Collection[str]) -> str:
    """Return what is wrong with a query, with the line it is about, and a mark below the place.

    The parser's words are used where neither a prefix nor a keyword is unknown: it lists some of
    what might follow, and not what was meant.
    """
    if not any(token.kind not in ("space", "comment") for token in language.tokens(query)):
        return "the query is empty; kg query --list shows the canned questions"
    if (undeclared := language.undeclared(query, prefixes)) is not None:
        prefix, at = undeclared
        preset = f"preset are {', '.join(f'{p}:' for p in prefixes)}; " if prefixes else ""
        words = f"no prefix is called {prefix}:; {preset}PREFIX {prefix}: <IRI> declares another"
        return _placed(query, *_line_and_column(query, at), words)
    if (misspelt := language.misspelt(query)) is not None:
        word, near, at = misspelt
        hint = f"; did you mean {near}?" if near else ""
        words = f"{word} is no word of SPARQL{hint}"
        return _placed(query, *_line_and_column(query, at), words)
    place = _PLACE.search(error)
    if place is None:
        return f"the query does not parse: {error}"
    plain = " ".join(error[place.end() :].split()) or "error"
    # The grammar's character ranges say nothing to a person.
    words = re.sub(r"(?:, )?\['.*?'\]", "", plain)
    return _placed(query, int(place[1]), int(place[2]), words)


def _line_and_column(query: str, at: int) -> tuple[int, int]:
    before = query[:at]
    return before.count("\n") + 1, at - before.rfind("\n")


def _placed(query: str, line_number: int, column: int, words: str) -> str:
    lines = query.split("\n")
    line = lines[min(line_number, len(lines)) - 1].rstrip("\r")
    begin = max(0, min(column - 1, len(line)) - 60)
    shown = line[begin : begin + 100]
    mark = " " * (min(column - 1, len(line)) - begin) + "^"
    where = f"line {line_number}, column {column}"
    return f"the query does not parse: {where}: {words}\n  {shown}\n  {mark}"


def answer(store: ox.Store, job: Job) -> Answer:
    """Return the answer to ``job``; raise :class:`UsageError` where it is no query."""
    query, notes = bound(store, job)
    language.check_allowed(query, services=job.services)
    found = _run(store, query, job)
    most = job.limit + 1 if job.limit else None
    if isinstance(found, ox.QueryBoolean):
        return Answer("boolean", boolean=bool(found), notes=notes)
    if isinstance(found, ox.QueryTriples):
        triples = [values((t.subject, t.predicate, t.object)) for t in islice(found, most)]
        cut = bool(job.limit) and len(triples) > job.limit
        if cut:
            triples.pop()
        columns = ("subject", "predicate", "object")
        unknown, absent = ((), ()) if triples else (_unknown(store, query), _absent(store, query))
        return Answer("triples", columns, tuple(triples), False, cut, unknown, absent, notes)
    names = [variable.value for variable in found.variables]
    ordered = language.columns(query, names)
    rows = [values(row[name] for name in ordered) for row in islice(found, most)]
    cut = bool(job.limit) and len(rows) > job.limit
    if cut:
        rows.pop()
    unknown, absent = ((), ()) if rows else (_unknown(store, query), _absent(store, query))
    return Answer("rows", tuple(ordered), tuple(rows), False, cut, unknown, absent, notes)


def bound(store: ox.Store, job: Job) -> tuple[str, tuple[str, ...]]:
    """Return the query of ``job`` with its parameters bound, and notes on how they were read."""
    asked = canned.parse_question(job.query, job.name, job.name)
    if not asked.parameters and not job.parameters:
        return job.query, ()
    return canned.bind(asked, job.parameters, lambda text: _select(store, text))


def _select(store: ox.Store, text: str) -> Answer:
    found = store.query(text, prefixes=dict(schema.PREFIXES), use_default_graph_as_union=True)
    if not isinstance(found, ox.QuerySolutions):
        raise UsageError("names are looked up by SELECT")
    names = [variable.value for variable in found.variables]
    return Answer("rows", tuple(names), tuple(values(row[name] for name in names) for row in found))


def _unknown(store: ox.Store, query: str) -> tuple[str, ...]:
    """Return the IRIs that the query names and the graph holds nowhere, in their order."""
    found: dict[str, None] = {}
    for iri in _named(query):
        try:
            node = ox.NamedNode(iri)
        except ValueError:
            continue
        patterns = ((node, None, None), (None, node, None), (None, None, node))
        if not any(next(store.quads_for_pattern(*pattern), None) for pattern in patterns):
            found[iri] = None
    return tuple(found)


def _absent(store: ox.Store, query: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the texts that the query wants whole and the graph holds nowhere, with near names."""
    missing = [
        text
        for text, language_ in language.whole_texts(query)
        if next(
            store.quads_for_pattern(None, None, ox.Literal(text, language=language_ or None)), None
        )
        is None
    ]
    if not missing:
        return ()
    label = ox.NamedNode(schema.PREFIXES["rdfs"] + "label")
    labels = (quad.object for quad in store.quads_for_pattern(None, label, None))
    names = {term.value for term in labels if isinstance(term, ox.Literal)}
    return tuple((text, tuple(nearest(text, names, 3))) for text in missing)


def _named(query: str) -> Iterator[str]:
    """Yield the IRIs that a query names outside of its prologue."""
    prefixes = dict(schema.PREFIXES)
    significant = [t for t in language.tokens(query) if t.kind not in ("space", "comment")]
    skip = 0
    for index, token in enumerate(significant):
        if skip:
            skip -= 1
            continue
        if token.kind == "word" and token.text.upper() == "PREFIX" and index + 2 < len(significant):
            prefixes[significant[index + 1].text.rstrip(":")] = significant[index + 2].text[1:-1]
            skip = 2
        elif token.kind == "word" and token.text.upper() == "BASE":
            skip = 1
        elif token.kind == "iri":
            yield token.text[1:-1]
        elif token.kind == "name" and not token.text.startswith("_:"):
            prefix, _, local = token.text.partition(":")
            if prefix in prefixes and prefix != "xsd":
                yield prefixes[prefix] + local.rstrip(".")


class _Bounded(io.BytesIO):
    """Bytes in memory, up to a limit."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self.is_full = False

    def write(self, data: Any, /) -> int:
        if self._most and self.tell() + len(data) > self._most:
            self.is_full = True
            raise OSError("answer too large")
        return super().write(data)


def serialised(store: ox.Store, job: Job) -> tuple[bytes, bool]:
    """Return the answer as the bytes of ``job.media_type``, and whether it was too large.

    ``job.media_type`` lists what the asker takes, best first; the first that fits the form of
    the query is used, and the bytes begin with its name and a line feed.
    """
    language.check_allowed(job.query, services=job.services)
    found = _run(store, job.query, job)
    accepted = job.media_type.split(",")
    output = _Bounded(job.most_bytes)
    formats: dict[str, Any] = dict(TRIPLES if isinstance(found, ox.QueryTriples) else ROWS)
    if isinstance(found, ox.QueryBoolean):
        formats = {name: formats[name] for name in ROWS if "json" in name or "xml" in name}
    chosen = next((name for name in accepted if name in formats), None)
    if chosen is None:
        raise NotAcceptable(f"not acceptable: this answer is written as {', '.join(formats)}")
    output_format = formats[chosen]
    try:
        if isinstance(found, ox.QueryTriples):
            prefixes = job.prefixes if chosen == "text/turtle" else {}
            ox.serialize(found, output, format=output_format, prefixes=prefixes)
        else:
            found.serialize(output, format=output_format)
    except OSError:  # The engine makes one of its own from the one that it met.
        if output.is_full:
            return b"", True
        raise
    return f"{chosen}\n".encode() + output.getvalue(), False
