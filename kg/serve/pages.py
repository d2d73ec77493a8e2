"""The page of one thing: what the graph says of it, with the sentences that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from itertools import groupby
from types import MappingProxyType
from typing import Final
from urllib.parse import quote as percent
from urllib.parse import unquote

from kg import schema
from kg.query.answers import Answer, Value, quote

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/page/page.css">{links}</head>
<body class="thing"><header><a href="/">explorer</a> <a href="/query">query</a>
<a href="/ontology">ontology</a></header><main>
"""
_FOOT = "</main></body></html>\n"


#: What a person calls a thing without a label, by the first part of its path: patterns about
#: ``?it``, and what of them makes up its name.
_NAMES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "doc": ("?it dcterms:title ?title", "?title"),
        "result": (
            "?it mlkg:resultOf/rdfs:label ?model ; mlkg:value ?value "
            "OPTIONAL { ?it mlkg:metric/rdfs:label ?metric } "
            "OPTIONAL { ?it mlkg:onBenchmark/rdfs:label ?benchmark }",
            'CONCAT(?model, ": ", ?value, COALESCE(CONCAT(" ", ?metric), ""), '
            'COALESCE(CONCAT(" on ", ?benchmark), ""))',
        ),
        "assertion": (
            "?it rdf:predicate ?p ; rdf:subject/rdfs:label ?s ; rdf:object/rdfs:label ?o",
            'CONCAT(?s, " ", STRAFTER(STR(?p), "#"), " ", ?o)',
        ),
        "fact": (
            "?it mlkg:about/rdfs:label ?thing ; mlkg:key ?key ; mlkg:value ?value",
            'CONCAT(?thing, ", ", ?key, ": ", ?value)',
        ),
        "evidence": ("?it mlkg:sentence ?sentence", "?sentence"),
    }
)


def questions(iri: str) -> dict[str, str]:
    """Return the queries whose answers make up the page of ``iri``."""
    name = f"<{iri}>"
    return {
        "said": f"SELECT ?p ?o ?label WHERE {{ {name} ?p ?o OPTIONAL {{ ?o rdfs:label ?label }} }} "
        "ORDER BY ?p ?label ?o LIMIT 1000",
        "said_of": f"SELECT ?p ?s ?label WHERE {{ ?s ?p {name} OPTIONAL {{ ?s rdfs:label ?label }} "
        "FILTER(?p NOT IN (rdf:subject, rdf:predicate, rdf:object, mlkg:mentionedIn)) } "
        "ORDER BY ?p ?label ?s LIMIT 1000",
        "assertions": "SELECT ?a ?s ?p ?o ?confidence WHERE { "
        f"{{ ?a rdf:subject {name} }} UNION {{ ?a rdf:object {name} }} "
        "?a rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ; mlkg:confidence ?confidence } "
        "LIMIT 2000",
        "evidence": "SELECT ?s ?p ?o ?from ?to ?status ?kind ?sentence ?document WHERE { "
        f"{{ ?a rdf:subject {name} }} UNION {{ ?a rdf:object {name} }} "
        "?a rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ; mlkg:status ?status ; "
        "mlkg:hasEvidence ?e . ?e mlkg:evidenceKind ?kind ; mlkg:sentence ?sentence ; "
        "mlkg:fromDocument ?document . "
        "OPTIONAL { ?s rdfs:label ?from } OPTIONAL { ?o rdfs:label ?to } } "
        "ORDER BY ?from ?p ?to ?document ?sentence LIMIT 500",
    }


def names(iri: str, answers: Mapping[str, Answer], local: Callable[[str], str]) -> str | None:
    """Return the query for names of what ``iri``'s page shows that has no label of its own.

    ``None`` where there is nothing to ask.  It is a second query, since the engine answers an
    OPTIONAL of several patterns by reading all of them.
    """
    shown = {iri}
    for key, answer in answers.items():
        # What assertions relate stands in the other answers, and they themselves are called "why".
        for row in answer.rows if key != "assertions" else ():
            shown.update(value.value for value in row if value is not None and value.kind == "uri")
    by_kind: dict[str, list[str]] = {}
    for each in sorted(shown):
        address = local(each)
        if address != each:
            by_kind.setdefault(address.split("/")[1], []).append(each)
    parts = [
        f"{{ VALUES ?it {{ {' '.join(f'<{each}>' for each in by_kind[kind])} }} {patterns} "
        f"BIND({name} AS ?label) }}"
        for kind, (patterns, name) in _NAMES.items()
        if kind in by_kind
    ]
    if not parts:
        return None
    return f"SELECT ?it (MIN(?label) AS ?name) WHERE {{ {' UNION '.join(parts)} }} GROUP BY ?it"


def description(iri: str) -> str:
    """Return the query for the triples about ``iri``."""
    either = f"{{ <{iri}> ?p ?o }} UNION {{ ?s ?q <{iri}> }}"
    return f"CONSTRUCT {{ <{iri}> ?p ?o . ?s ?q <{iri}> }} WHERE {{ {either} }}"


def exists(iri: str) -> str:
    """Return the query for whether the graph knows ``iri`` at all."""
    return f"ASK {{ {{ <{iri}> ?p ?o }} UNION {{ ?s ?q <{iri}> }} }}"


class _Links:
    """Terms as they stand in a page: text, or a link whose words are the thing's name."""

    def __init__(self, called: Mapping[str, str], local: Callable[[str], str]) -> None:
        self._called = called
        self._local = local

    def name(self, iri: str) -> str:
        """Return what a person calls ``iri``, as far as that is known."""
        if iri in self._called:
            return self._called[iri]
        short, address = schema.curie(iri), self._local(iri)
        # One of ours that no prefix shortens: its path says all that the whole IRI says.
        return unquote(address.lstrip("/")) if short == iri != address else short

    def link(self, value: Value | None, label: Value | None = None) -> str:
        """Return ``value`` as HTML, called by ``label`` where there is one."""
        if value is None:
            return ""
        if value.kind != "uri":
            return escape(value.value)
        text = escape(label.value if label else self.name(value.value))
        if not value.value.startswith(("http://", "https://")):
            return text
        return f'<a href="{escape(self._local(value.value))}">{text}</a>'


def _grouped(pairs: Iterable[tuple[str, str]]) -> str:
    """Return rows of a table, one for each first part, with all that follow it."""
    rows = []
    for first, group in groupby(pairs, key=lambda pair: pair[0]):
        values = [f"<li>{second}</li>" for _, second in group]
        rows.append((first, f"<ul>{''.join(values)}</ul>"))
    return _rows(rows)


def _rows(cells: Iterable[tuple[str, ...]]) -> str:
    return "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in cells
    )


def page(
    iri: str,
    answers: Mapping[str, Answer],
    named: Answer | None,
    local: Callable[[str], str],
    here: str,
) -> str:
    """Return the HTML page of ``iri`` from the answers to :func:`questions` and :func:`names`.

    ``local`` turns our IRIs into addresses of this server; ``here`` is the page's own.
    """
    called = {
        thing.value: name.value for thing, name in (named.rows if named else ()) if thing and name
    }
    for p, o, _ in answers["said"].rows:
        if p and o and p.value == f"{schema.PREFIXES['rdfs']}label":
            called[iri] = o.value
    links = _Links(called, local)
    label = links.name(iri)
    alternates = "".join(
        f'<link rel="alternate" type="{kind}" href="{escape(here)}">'
        for kind in ("text/turtle", "application/ld+json")
    )
    parts = [_HEAD.format(title=escape(label), links=alternates)]
    parts.append(f"<h1>{escape(label)}</h1><p><code>{escape(iri)}</code></p>\n")
    this = Value("uri", iri)
    asserted = {
        tuple(ends): (assertion.value, float(confidence.value))
        for assertion, *ends, confidence in answers["assertions"].rows
        if assertion and confidence
    }

    def why(*statement: Value | None, words: str = "") -> str:
        """Return a link from ``words`` to a statement's assertion, with how sure it is."""
        if statement not in asserted:
            return escape(words)
        assertion, confidence = asserted[statement]
        text = f"{escape(words or 'why')}, {round(100 * confidence)} %"
        return f' <a class="why" href="{escape(local(assertion))}">{text}</a>'

    said = [
        (links.link(p), links.link(o, name) + why(this, p, o))
        for p, o, name in answers["said"].rows
    ]
    parts.append(f"<h2>What is said of it</h2><table>{_grouped(said)}</table>\n")
    if answers["said_of"].rows:
        others = [
            (f"{links.link(p)} it", links.link(s, name) + why(s, p, this))
            for p, s, name in answers["said_of"].rows
        ]
        parts.append(f"<h2>What points at it</h2><table>{_grouped(others)}</table>\n")
    if answers["evidence"].rows:
        parts.append("<h2>Why</h2><table>")
        for s, p, o, start, end, status, kind, sentence, document in answers["evidence"].rows:
            edge = f"{links.link(s, start)} {links.link(p)} {links.link(o, end)}"
            state = status.value.rpartition("#")[2].lower() if status else ""
            quoted = f"<q>{escape(sentence.value)}</q>" if sentence else ""
            state = f'<span class="state">{why(s, p, o, words=state)}</span>'
            how = escape(kind.value.rpartition("#")[2].lower()) if kind else ""
            parts.append(_rows([(edge, state, how, quoted, links.link(document))]))
        parts.append("</table>\n")
    shown = quote(f"SELECT ?p ?o WHERE {{ <{iri}> ?p ?o }}")[1:-1].replace('\\"', '"')
    parts.append(f'<p><a href="/query#q={escape(percent(shown))}">ask about it</a></p>\n')
    parts.append(_FOOT)
    return "".join(parts)


def terms() -> dict[str, object]:
    """Return what the editor completes: prefixes, and the ontology's terms with their meaning."""
    return {
        "prefixes": dict(schema.PREFIXES),
        "terms": [
            {"name": f"mlkg:{term.name}", "kind": term.kind, "definition": term.definition}
            for term in schema.terms().values()
        ],
    }
