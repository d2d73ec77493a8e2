"""The page of one thing: what the graph says of it, with the sentences that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from kg import schema
from kg.query.answers import Answer, Value, quote, shortened

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/page/page.css">{links}</head>
<body class="thing"><header><a href="/">explorer</a> <a href="/query">query</a></header><main>
"""
_FOOT = "</main></body></html>\n"


def questions(iri: str) -> dict[str, str]:
    """Return the queries whose answers make up the page of ``iri``."""
    name = f"<{iri}>"
    return {
        "said": f"SELECT ?p ?o ?label WHERE {{ {name} ?p ?o OPTIONAL {{ ?o rdfs:label ?label }} }} "
        "ORDER BY ?p ?label ?o LIMIT 1000",
        "said_of": f"SELECT ?p ?s ?label WHERE {{ ?s ?p {name} OPTIONAL {{ ?s rdfs:label ?label }} "
        "FILTER(?p NOT IN (rdf:subject, rdf:predicate, rdf:object, mlkg:mentionedIn)) } "
        "ORDER BY ?p ?label ?s LIMIT 1000",
        "evidence": "SELECT ?s ?p ?o ?from ?to ?status ?sentence ?document WHERE { "
        f"{{ ?a rdf:subject {name} }} UNION {{ ?a rdf:object {name} }} "
        "?a rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ; mlkg:status ?status ; "
        "mlkg:hasEvidence ?e . ?e mlkg:sentence ?sentence ; mlkg:fromDocument ?document . "
        "OPTIONAL { ?s rdfs:label ?from } OPTIONAL { ?o rdfs:label ?to } } "
        "ORDER BY ?from ?p ?to ?document ?sentence LIMIT 500",
    }


def description(iri: str) -> str:
    """Return the query for the triples about ``iri``."""
    either = f"{{ <{iri}> ?p ?o }} UNION {{ ?s ?q <{iri}> }}"
    return f"CONSTRUCT {{ <{iri}> ?p ?o . ?s ?q <{iri}> }} WHERE {{ {either} }}"


def exists(iri: str) -> str:
    """Return the query for whether the graph knows ``iri`` at all."""
    return f"ASK {{ {{ <{iri}> ?p ?o }} UNION {{ ?s ?q <{iri}> }} }}"


def _link(value: Value | None, label: Value | None, local: Callable[[str], str]) -> str:
    if value is None:
        return ""
    if value.kind != "uri":
        return escape(value.value)
    text = escape(label.value if label else shortened(value.value))
    if not value.value.startswith(("http://", "https://")):
        return text
    return f'<a href="{escape(local(value.value))}">{text}</a>'


def _rows(cells: Iterable[tuple[str, ...]]) -> str:
    return "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in cells
    )


def page(iri: str, answers: dict[str, Answer], local: Callable[[str], str], here: str) -> str:
    """Return the HTML page of ``iri``; ``local`` turns our IRIs into addresses of this server."""
    label = next(
        (
            row[1].value
            for row in answers["said"].rows
            if row[0] and row[1] and row[0].value.endswith(("rdf-schema#label", "terms/title"))
        ),
        shortened(iri),
    )
    links = "".join(
        f'<link rel="alternate" type="{kind}" href="{escape(here)}">'
        for kind in ("text/turtle", "application/ld+json")
    )
    parts = [_HEAD.format(title=escape(label), links=links)]
    parts.append(f"<h1>{escape(label)}</h1><p><code>{escape(iri)}</code></p>\n")
    said = [
        (_link(p, None, local), f'<span class="value">{_link(o, name, local)}</span>')
        for p, o, name in answers["said"].rows
    ]
    parts.append(f"<h2>What is said of it</h2><table>{_rows(said)}</table>\n")
    if answers["said_of"].rows:
        others = [
            (_link(s, name, local), _link(p, None, local)) for p, s, name in answers["said_of"].rows
        ]
        parts.append(f"<h2>What points at it</h2><table>{_rows(others)}</table>\n")
    if answers["evidence"].rows:
        parts.append("<h2>Why</h2><table>")
        for s, p, o, start, end, status, sentence, document in answers["evidence"].rows:
            edge = f"{_link(s, start, local)} {_link(p, None, local)} {_link(o, end, local)}"
            state = status.value.rpartition("#")[2].lower() if status else ""
            quoted = f"<q>{escape(sentence.value)}</q>" if sentence else ""
            state = f'<span class="state">{escape(state)}</span>'
            parts.append(_rows([(edge, state, quoted, _link(document, None, local))]))
        parts.append("</table>\n")
    shown = quote(f"SELECT ?p ?o WHERE {{ <{iri}> ?p ?o }}")[1:-1].replace('\\"', '"')
    parts.append(f'<p><a href="/query#q={escape(_percent(shown))}">ask about it</a></p>\n')
    parts.append(_FOOT)
    return "".join(parts)


def _percent(text: str) -> str:
    from urllib.parse import quote as percent

    return percent(text)


def terms() -> dict[str, object]:
    """Return what the editor completes: prefixes, and the ontology's terms with their meaning."""
    return {
        "prefixes": dict(schema.PREFIXES),
        "terms": [
            {"name": f"mlkg:{term.name}", "kind": term.kind, "definition": term.definition}
            for term in schema.terms().values()
        ],
    }
