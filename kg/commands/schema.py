"""``kg schema``: describe the ontology, as text or as one HTML page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kg.commands.output import add_json, print_json

if TYPE_CHECKING:
    from kg.query import Child
    from kg.schema import Term

DESCRIPTION: Final = """\
Describe the ontology: classes, relations with their ends, and what the evidence layer holds.

  kg schema                          every term in a line
  kg schema distilledFrom            one term in full
  kg schema --html -o schema.html    one page without network: definitions, a picture of the
                                     classes, example triples and queries
  kg schema --graph out --html -o schema.html     with counts and triples of that graph
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg schema``."""
    parser.add_argument("term", nargs="?", metavar="TERM", help="a class, relation or property")
    parser.add_argument("--html", action="store_true", help="write one HTML page")
    parser.add_argument("--graph", metavar="DIR", help="count how often each term occurs there")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; stdout otherwise")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the description; return the exit status."""
    counts, examples = _of_graph(arguments.graph) if arguments.graph else (None, {})
    if arguments.html:
        from kg.exporters.schema_page import page

        text = page(counts, examples)
    elif arguments.json:
        return _json(arguments.term, counts)
    elif arguments.term:
        text = _one(arguments.term, counts, examples)
    else:
        text = _all(counts)
    if arguments.output:
        Path(arguments.output).write_text(text, encoding="utf-8")
        print(f"wrote {arguments.output}", file=sys.stderr)
    else:
        sys.stdout.write(text)
    return 0


def _of_graph(where: str) -> tuple[dict[str, int], dict[str, str]]:
    """Return how often each term occurs in a graph, and a triple with each."""
    from kg.query import Child
    from kg.query.sources import opening

    with opening(Path(where)) as source, Child(source) as child:
        counts = _counts(
            child, "SELECT ?t (COUNT(*) AS ?n) WHERE { { ?s ?t ?o } UNION { ?s a ?t } } GROUP BY ?t"
        )
        for value in ("status", "evidenceKind"):
            counts |= _counts(
                child, f"SELECT ?t (COUNT(*) AS ?n) WHERE {{ ?s mlkg:{value} ?t }} GROUP BY ?t"
            )
        return counts, _examples(child)


def _counts(child: Child, query: str) -> dict[str, int]:
    from kg.query import Job

    rows = child.ask(Job(query)).rows
    return {t.value: int(n.value) for t, n in rows if t is not None and n is not None}


def _examples(child: Child) -> dict[str, str]:
    """Return the first triple of each property and the first member of each class, as Turtle."""
    from kg import schema
    from kg.query import Job
    from kg.schema import curie

    found: dict[str, str] = {}
    for term in schema.terms().values():
        if term.kind not in ("class", "object property", "datatype property"):
            continue
        pattern = f"?s a mlkg:{term.name} . BIND(mlkg:{term.name} AS ?o)"
        if term.kind != "class":
            pattern = f"?s mlkg:{term.name} ?o"
        rows = child.ask(Job(f"SELECT ?s ?o WHERE {{ {pattern} }} LIMIT 1")).rows
        for subject, value in rows:
            if subject is None or value is None:
                continue
            start = curie(subject.value)
            start = f"<{start}>" if "://" in start else start
            end = curie(value.value) if value.kind == "uri" else value.n3()
            end = f"<{end}>" if value.kind == "uri" and "://" in end else end
            verb = "a" if term.kind == "class" else f"mlkg:{term.name}"
            found[term.name] = f"{start} {verb} {end} ."
    return found


def _json(name: str | None, counts: dict[str, int] | None) -> int:
    import msgspec

    from kg import schema

    chosen = [_term(name)] if name else list(schema.terms().values())
    data = []
    for term in chosen:
        item = msgspec.to_builtins(term)
        item["iri"] = term.iri
        relation = schema.relations().get(term.name)
        if relation:
            item["pairs"] = sorted(map(list, relation.pairs))
            item["lineage"], item["strand"] = relation.lineage, relation.strand
        if counts is not None:
            item["count"] = counts.get(term.iri, 0)
        data.append(item)
    print_json(data)
    return 0


def _term(name: str) -> Term:
    from kg import schema
    from kg.errors import NotFound
    from kg.text import name_key, nearest

    by_key = {name_key(term): term for term in schema.terms()}
    key = name_key(name.removeprefix("mlkg:"))
    if key not in by_key:
        near = nearest(key, by_key.values())
        raise NotFound(f"no term of the ontology is called {name!r}", nearest=near)
    return schema.terms()[by_key[key]]


def _one(name: str, counts: dict[str, int] | None, examples: dict[str, str]) -> str:
    from kg import schema
    from kg.exporters.schema_page import example_query

    term = _term(name)
    lines = [f"mlkg:{term.name} ({term.label}), {term.kind}", f"  {term.definition}"]
    lines.append(f"  example: {examples.get(term.name, term.example)}")
    for title, values in (("under", term.parents), ("from", term.domain), ("to", term.range)):
        if values:
            lines.append(f"  {title}: {', '.join(values)}")
    relation = schema.relations().get(term.name)
    if relation:
        pairs = ", ".join(f"{head} -> {tail}" for head, tail in sorted(relation.pairs))
        lines.append(f"  between: {pairs}")
    if term.inverse:
        lines.append(f"  inverse: {term.inverse}")
    for how, iri in term.matches:
        lines.append(f"  {how}: {iri}")
    if counts is not None:
        lines.append(f"  in this graph: {counts.get(term.iri, 0)}")
    lines.append(f"  query: {example_query(term)}")
    if remedy := schema.instead(term.name):
        lines.append(f"  note: {remedy}")
    return "\n".join(lines) + "\n"


def _all(counts: dict[str, int] | None) -> str:
    from kg import schema

    width = max(map(len, schema.terms())) + 2
    lines: list[str] = []
    kind = ""
    for term in schema.terms().values():
        if term.kind != kind:
            kind = term.kind
            lines += ["", f"{kind.upper()}"]
        count = f"{counts.get(term.iri, 0):8} " if counts is not None else ""
        lines.append(f"{count}{term.name:{width}}{term.definition}")
    return "\n".join(lines).lstrip("\n") + "\n"
