"""The ontology as one HTML page that needs no network: every term, explained and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from kg import schema
from kg.schema import Term
from kg.values import LABELS

_STYLE = """
:root { color-scheme: light dark; --back:#fff; --front:#1c2330; --dim:#5b6575; --line:#d5dae2;
  --soft:#f3f5f8; --link:#1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --back:#14181f; --front:#e4e8ee; --dim:#9aa5b5;
  --line:#333b47; --soft:#1e242d; --link:#8ab4f8; } }
body { margin:0 auto; max-width:70rem; padding:1rem; background:var(--back); color:var(--front);
  font:16px/1.5 system-ui,sans-serif; }
a { color:var(--link); } code, pre { font:14px/1.5 ui-monospace,monospace; }
pre { background:var(--soft); padding:.5rem .8rem; border-radius:6px; white-space:pre-wrap; }
section.term { border-top:1px solid var(--line); padding:.6rem 0; }
section.term:target { background:var(--soft); }
dl { display:grid; grid-template-columns:10rem 1fr; gap:.1rem 1rem; margin:.4rem 0; }
dt { color:var(--dim); } dd { margin:0; }
table { border-collapse:collapse; font-size:14px; } th,td { border:1px solid var(--line);
  padding:.3rem .5rem; text-align:left; vertical-align:top; }
.wide { overflow-x:auto; } dd, p, pre, h3 { overflow-wrap:anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns:6rem 1fr; } }
svg { max-width:100%; height:auto; } svg rect { fill:var(--soft); stroke:var(--dim); }
svg text { fill:var(--front); font:13px system-ui,sans-serif; } svg path { fill:none;
  stroke:var(--dim); }
"""

#: The kinds of terms, in the order of the page.
_SECTIONS = {
    "class": "Classes",
    "object property": "Relations and other object properties",
    "datatype property": "Datatype properties",
    "individual": "Individuals",
    "annotation property": "Annotations",
}


def _short(name: str) -> str:
    """Return a term's name with its prefix; ``name`` is local, or an IRI of elsewhere."""
    return schema.curie(name) if "://" in name else f"mlkg:{name}"


def _linked(names: Iterable[str]) -> str:
    links = []
    for name in names:
        target = f"#{name}" if "://" not in name else name
        links.append(f'<a href="{escape(target)}">{escape(_short(name))}</a>')
    return ", ".join(links)


def example_query(term: Term) -> str:
    """Return a query that shows how ``term`` is used; it runs as it stands."""
    if term.kind == "class":
        named = "OPTIONAL { ?thing rdfs:label ?name }"
        return f"SELECT ?thing ?name WHERE {{ ?thing a mlkg:{term.name} {named} }} LIMIT 10"
    if term.kind == "individual":
        return f"SELECT ?thing ?p WHERE {{ ?thing ?p mlkg:{term.name} }} LIMIT 10"
    if term.name in ("hasAncestor", "hasDescendant"):
        steps = "|".join(f"mlkg:{name}" for name, r in schema.relations().items() if r.lineage)
        path = f"({steps})+" if term.name == "hasAncestor" else f"(^({steps}))+"
        return f"SELECT ?thing ?other WHERE {{ ?thing {path} ?other }} LIMIT 10"
    return f"SELECT ?subject ?object WHERE {{ ?subject mlkg:{term.name} ?object }} LIMIT 10"


def _picture(terms: Mapping[str, Term]) -> str:
    """Return the tree of classes as SVG: each class right of the one it is a kind of."""
    classes = {name: term for name, term in terms.items() if term.kind == "class"}
    below: dict[str, list[str]] = {}
    for name, term in classes.items():
        above = [parent for parent in term.parents if parent in classes]
        below.setdefault(above[0] if above else "", []).append(name)
    boxes: list[tuple[str, int, int]] = []
    joins: list[str] = []
    row = 0

    def place(name: str, depth: int, parent: tuple[int, int] | None) -> None:
        nonlocal row
        x, y = 10 + depth * 210, 10 + row * 38
        row += 1
        boxes.append((name, x, y))
        if parent:
            joins.append(f"M{parent[0] + 20},{parent[1] + 28} V{y + 14} H{x}")
        for child in below.get(name, []):
            place(child, depth + 1, (x, y))

    for name in below[""]:
        place(name, 0, None)
    height = row * 38 + 10
    drawn = "".join(f'<path d="{d}"/>' for d in joins)
    drawn += "".join(
        f'<a href="#{name}"><rect x="{x}" y="{y}" width="170" height="28" rx="6"/>'
        f'<text x="{x + 10}" y="{y + 19}">{name}</text></a>'
        for name, x, y in boxes
    )
    return (
        f'<svg viewBox="0 0 690 {height}" width="690" role="group" '
        f'aria-label="the classes and their kinds">{drawn}</svg>'
    )


def _matrix() -> str:
    """Return the table of which relation may stand between which types."""
    relations = schema.relations()
    head = "".join(f"<th>{label}</th>" for label in LABELS)
    lines = [f"<tr><th>from \\ to</th>{head}</tr>"]
    for start in LABELS:
        cells = ""
        for end in LABELS:
            names = [name for name, relation in relations.items() if relation.admits(start, end)]
            links = "<br>".join(f'<a href="#{name}">{name}</a>' for name in names)
            cells += f"<td>{links}</td>"
        lines.append(f"<tr><th>{start}</th>{cells}</tr>")
    name = "which relation may stand between which types"
    table = f"<table>{''.join(lines)}</table>"
    return f'<div class="wide" role="region" tabindex="0" aria-label="{name}">{table}</div>'


def _section(term: Term, counts: Mapping[str, int] | None, examples: Mapping[str, str]) -> str:
    facts: list[tuple[str, str]] = []
    if term.parents:
        facts.append(("under", _linked(term.parents)))
    if term.domain:
        facts.append(("from", _linked(term.domain)))
    if term.range:
        facts.append(("to", _linked(term.range)))
    if term.inverse:
        facts.append(("inverse", _linked([term.inverse])))
    if term.traits:
        facts.append(("is", ", ".join(term.traits)))
    relation = schema.relations().get(term.name)
    if relation:
        pairs = ", ".join(f"{head} → {tail}" for head, tail in sorted(relation.pairs))
        facts.append(("between", escape(pairs)))
        if relation.strand:
            facts.append(("hands down", relation.strand))
    for how, iri in term.matches:
        facts.append(("same as" if how == "exactMatch" else "close to", _linked([iri])))
    if counts is not None:
        facts.append(("in this graph", str(counts.get(term.iri, 0))))
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    example = examples.get(term.name)
    triple = f"<pre>{escape(example)}</pre>" if example else ""
    asked = (
        "" if term.kind == "annotation property" else f"<pre>{escape(example_query(term))}</pre>"
    )
    return (
        f'<section class="term" id="{term.name}"><h3>{escape(term.label)} '
        f"<code>mlkg:{term.name}</code></h3><p>{escape(term.definition)}</p>"
        f"<p><em>Example:</em> {escape(term.example)}</p>{triple}<dl>{rows}</dl>{asked}</section>\n"
    )


def page(counts: Mapping[str, int] | None = None, examples: Mapping[str, str] | None = None) -> str:
    """Return the page.

    ``counts`` has how often each IRI is a class or property in a graph, ``examples`` a triple of
    that graph for each term's name; without a graph both are left out.
    """
    terms = schema.terms()
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>The mlkg ontology</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>The mlkg ontology, version {schema.version()}</h1>",
        f"<p><code>{schema.NAMESPACE}</code>, prefix <code>mlkg:</code>. "
        f"{len(terms)} terms, {len(schema.relations())} relations that extractors may assert. "
        "The prefixes of the queries below are preset in <code>kg query</code>.</p>",
        f"<h2>The classes</h2>{_picture(terms)}",
        f"<h2>What may stand between what</h2>{_matrix()}",
    ]
    for kind, title in _SECTIONS.items():
        parts.append(f"<h2>{title}</h2>\n")
        parts += [
            _section(term, counts, examples or {}) for term in terms.values() if term.kind == kind
        ]
    parts.append("</main></body></html>\n")
    return "".join(parts)
