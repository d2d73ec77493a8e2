"""The graph as one HTML file that works without a network: ``graph.html``.

The page comes through pyvis: a :class:`pyvis.network.Network` holds the nodes and edges (assigned
whole, since ``add_edge`` searches all edges before it), its ``generate_html`` fills our own
template under ``page/`` instead of pyvis's, which loads style sheets from a server, and the
vis-network that pyvis carries is placed in the page.  Positions are computed here, so physics is
off.

What people look at is drawn by a canvas of our own (``page/canvas.js``): vis-network redraws
everything for each frame, which at ten thousand nodes leaves 14 frames a second, while the canvas
moves a finished picture and paints the next one in slices.  vis-network draws the page where it
is asked for (``renderer="pyvis"``), and its physics run behind the button "Relax".

Names and sentences come from the web.  They travel as JSON with ``<``, ``>`` and ``&`` escaped,
reach the page as text only, and a content security policy admits no script but ours, by hash, and
no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

from kg import __version__
from kg.errors import NotFound
from kg.exporters import BASE
from kg.exporters.appearance import appearance
from kg.exporters.parts import arranged, best_connected, neighbourhood
from kg.exporters.rdf.terms import without_triples
from kg.values import EVIDENCE_KINDS, Document, Entity, Evidence, GraphView, Result

PAGE: Final = Path(__file__).parent / "page"
#: The page's own scripts, in the order in which they are joined into one.
SCRIPTS: Final = (
    "data.js",
    "state.js",
    "canvas.js",
    "relax.js",
    "correct.js",
    "panel.js",
    "legend.js",
    "table.js",
    "share.js",
    "main.js",
)
#: Of a larger graph a build draws so many entities, the best connected: a page of more is slow to
#: make, and too much to look at.
MOST: Final = 20_000
#: What draws the page; the first is the default.
RENDERERS: Final = ("canvas", "pyvis")
#: Sentences kept for one edge; the number left out is shown, and the RDF has them all.
EVIDENCE_SHOWN: Final = 8
#: Rows of evidence or of sentences that the page reads at once.
BLOCK: Final = 2000
#: Documents listed for one entity.
MENTIONS_SHOWN: Final = 30


def write_html(
    graph: GraphView,
    path: Path,
    *,
    base: str = BASE,
    also: Iterable[str] = (),
    focus: str | None = None,
    hops: int = 2,
    title: str = "Knowledge graph",
    renderer: str = "canvas",
) -> None:
    """Write ``graph``, or what lies within ``hops`` of the entity ``focus``, as a page.

    Of more than ``MOST`` entities the best connected are drawn, and the title says so.
    """
    without_triples(base, also)
    part = neighbourhood(graph, focus, hops) if focus else graph
    total = sum(1 for _ in part.entities)
    if total > MOST:
        part = best_connected(part, MOST)
        title = f"{title}: the {MOST:,} best connected of {total:,} entities"
    Path(path).write_text(
        page(part, title=title, renderer=renderer), encoding="utf-8", errors="replace"
    )


def page(graph: GraphView, *, title: str = "Knowledge graph", renderer: str = "canvas") -> str:
    """Return the page of ``graph`` as text."""
    from jinja2 import Environment, FileSystemLoader
    from pyvis.network import Network

    if renderer not in RENDERERS:
        raise NotFound(f"no renderer is called {renderer!r}", nearest=RENDERERS)
    nodes, edges, details, later = page_data(graph, title=title)
    network = Network(directed=True, cdn_resources="in_line", heading=title)
    network.nodes, network.edges = nodes, edges
    network.node_ids = [node["id"] for node in nodes]
    network.node_map = dict(zip(network.node_ids, nodes, strict=True))
    network.toggle_physics(False)
    library = _library(network)
    script = "\n".join((PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f"(() => {{\n'use strict';\n{script}\n}})();\n"
    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, keep_trailing_newline=True
    )
    environment.policies["json.dumps_kwargs"] = {
        "sort_keys": False,
        "separators": (",", ":"),
        "ensure_ascii": False,
    }
    environment.globals.update(
        details={**details, "renderer": renderer, "block": BLOCK},
        about=later["about"],
        blocks={name: _blocks(later[name]) for name in ("evidence", "sentences")},
        library=library,
        script=script,
        styles=(PAGE / "page.css").read_text(encoding="utf-8"),
        policy=_policy(library, script),
        version=__version__,
    )
    environment.filters["columns"] = _columns
    network.templateEnv = environment
    return str(network.generate_html())


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows with the same keys as columns, which names each key once."""
    return {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}


def _blocks(rows: list[Any]) -> list[list[Any]]:
    """Return ``rows`` in blocks, which the page reads one by one as they are asked for."""
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]


@cache
def _library_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _library(network: Any) -> str:
    """Return the text of the vis-network that pyvis carries."""
    found = sorted(Path(network.template_dir).glob("lib/vis-*/vis-network.min.js"))
    newest = max(found, key=lambda file: [int(n) for n in file.parent.name[4:].split(".")])
    return _library_text(newest).replace("\r\n", "\n")


def _policy(*scripts: str) -> str:
    """Return the policy: nothing from anywhere, and of scripts only these."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def page_data(
    graph: GraphView, *, title: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Return nodes and edges in vis-network's form, what every view needs, and what can wait.

    What can wait is what a person asks for one at a time: all that is known of a node, the
    evidence of an edge, sentences.  Everything that repeats (sentences, documents, names of rules)
    stands once, in a table, and is referred to by its row.
    """
    entities, edges, _, places = arranged(graph)
    index = {entity.id: i for i, entity in enumerate(entities)}
    tables = _Tables(graph.documents)
    look = asdict(appearance())
    relations = list(look["relations"])
    relations += sorted({edge.relation for edge in edges} - set(relations))
    types = list(look["types"]) + sorted({e.type for e in entities} - set(look["types"]))
    statuses = list(look["statuses"])
    nodes = [
        {
            "id": i,
            "label": entity.name,
            "group": types.index(entity.type),
            "x": spot.x,
            "y": spot.y,
        }
        for i, (entity, spot) in enumerate(zip(entities, places, strict=True))
    ]
    links = [{"from": index[edge.subject], "to": index[edge.object]} for edge in edges]
    details: dict[str, Any] = {
        "title": title,
        "version": __version__,
        "look": look,
        "types": types,
        "relations": relations,
        "kinds": list(EVIDENCE_KINDS),
        "statuses": statuses,
        "nodes": {
            "iri": [entity.id for entity in entities],
            "community": [spot.community for spot in places],
            "mentions": [len(entity.mentioned_in) for entity in entities],
        },
        "edges": {
            "relation": [relations.index(edge.relation) for edge in edges],
            "confidence": [round(edge.confidence, 3) for edge in edges],
            "status": [statuses.index(edge.status) for edge in edges],
            "count": [len(edge.evidence) for edge in edges],
            "kinds": [
                sum({1 << EVIDENCE_KINDS.index(item.kind) for item in edge.evidence})
                for edge in edges
            ],
        },
        "results": [
            _result(result, index, tables) for result in graph.results if result.subject in index
        ],
        "run": str(graph.manifest.get("run", "")),
    }
    later: dict[str, Any] = {
        "about": {
            "aliases": _sparse(list(entity.aliases) for entity in entities),
            "repositories": _sparse(list(entity.repositories) for entity in entities),
            "introduced": _sparse(
                [tables.document(d) for d in entity.introduced_in] for entity in entities
            ),
            "mentioned": _sparse(_mentions(entity, tables) for entity in entities),
            "facts": _sparse(
                [[key, value, tables.document(d)] for key, value, d in entity.facts]
                for entity in entities
            ),
        },
        "evidence": [
            [tables.evidence(item) for item in _strongest(edge.evidence)] for edge in edges
        ],
    }
    details["documents"], later["sentences"], details["words"] = tables.tables()
    details["sentences"] = len(later["sentences"])
    details["read"] = tables.read
    return nodes, links, details, later


def _sparse(rows: Iterable[list[Any]]) -> dict[int, list[Any]]:
    """Return the rows that are not empty, by position."""
    return {i: row for i, row in enumerate(rows) if row}


def _mentions(entity: Entity, tables: _Tables) -> list[list[int]]:
    """Return the documents that mention ``entity`` most, as row and number of mentions."""
    most = sorted(entity.mentioned_in, key=lambda pair: (-pair[1], pair[0]))[:MENTIONS_SHOWN]
    return [[tables.document(document), count] for document, count in most]


def _strongest(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence to show: denials, then the strongest, from different documents first."""
    ranked = sorted(
        evidence,
        key=lambda e: (not e.negated, EVIDENCE_KINDS.index(e.kind), -e.confidence, e),
    )
    first: dict[str, Evidence] = {}
    for item in ranked:
        first.setdefault(item.document, item)
    rest = [item for item in ranked if first[item.document] is not item]
    return [*first.values(), *rest][:EVIDENCE_SHOWN]


def _result(result: Result, index: Mapping[str, int], tables: _Tables) -> list[Any]:
    evidence = [tables.evidence(item) for item in result.evidence[:1]]
    ends = [index.get(end, end) if end else None for end in (result.on, result.metric)]
    return [index[result.subject], *ends, result.value, round(result.confidence, 3), evidence]


class _Tables:
    """Rows that the page refers to by number, in the order in which they were first needed."""

    def __init__(self, documents: Iterable[Document]) -> None:
        # Rows and not documents, whose texts no page shows and no memory need hold.
        self._known = {document.id: _row(document) for document in documents}
        self._documents: dict[str, int] = {}
        self._sentences: dict[tuple[str, int, int, str], int] = {}
        self._sentence_rows: list[list[Any]] = []
        self._words: dict[str, int] = {}

    def document(self, identity: str) -> int:
        """Return the row of a document."""
        return self._documents.setdefault(identity, len(self._documents))

    def word(self, word: str) -> int:
        """Return the row of a word that repeats."""
        return self._words.setdefault(word, len(self._words))

    def evidence(self, evidence: Evidence) -> list[Any]:
        """Return one piece of evidence as a row: sentence, kind, words, marks.

        Marks count UTF-16 units from the sentence's first, as JavaScript does.
        """
        key = (evidence.document, evidence.span.start, evidence.span.end, evidence.sentence)
        if key not in self._sentences:
            self._sentences[key] = len(self._sentence_rows)
            row = [self.document(evidence.document), self.word(evidence.field), evidence.sentence]
            self._sentence_rows.append(row)
        marks: list[int] = []
        for mark in (evidence.subject, evidence.object):
            start = mark.start - evidence.span.start if mark else -1
            end = mark.end - evidence.span.start if mark else -1
            inside = 0 <= start < end <= len(evidence.sentence)
            for offset in (start, end):
                marks.append(_utf16_length(evidence.sentence[:offset]) if inside else -1)
        row = [
            self._sentences[key],
            EVIDENCE_KINDS.index(evidence.kind),
            self.word(evidence.extractor),
            self.word(evidence.rule),
            round(evidence.confidence, 3),
            *marks,
        ]
        if evidence.negated or evidence.premises:
            row.append(int(evidence.negated))
        if evidence.premises:
            row.append(list(evidence.premises))
        return row

    @property
    def read(self) -> int:
        """The number of documents that the graph was made from, shown or not."""
        return len(self._known.keys() | self._documents.keys())

    def tables(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the tables themselves: documents, sentences, words."""
        documents = [
            self._known.get(identity) or _row(Document(identity, "text", identity, ""))
            for identity in self._documents
        ]
        return documents, self._sentence_rows, list(self._words)


def _row(document: Document) -> list[Any]:
    title = document.title or document.repository or document.id
    return [document.id, document.kind, title, document.url, document.year]


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def notebook_html(graph: GraphView, max_nodes: int = 300) -> str:
    """Return HTML that shows ``graph`` in a notebook: the page in a frame, a still where it fails.

    The frame has no rights but to run the page's own scripts, open links and save files.
    Notebook viewers that drop frames show the picture beneath.
    """
    from kg.exporters.picture import svg

    total = len(graph.entities)
    part = best_connected(graph, max_nodes) if total > max_nodes else graph
    note = f"The {max_nodes:,} best connected of {total:,} entities." if total > max_nodes else ""
    document = html.escape(page(part), quote=True)
    still = base64.b64encode(svg(part, width=960, height=540).encode("utf-8", "replace")).decode()
    return (
        f'<iframe srcdoc="{document}" title="Knowledge graph" width="100%" height="620" '
        'style="border:1px solid #d9dee7;border-radius:10px" loading="lazy" '
        'sandbox="allow-scripts allow-popups allow-downloads"></iframe>'
        f"<details><summary>Still picture. {html.escape(note)}</summary>"
        f'<img alt="Still picture of the knowledge graph" style="max-width:100%" '
        f'src="data:image/svg+xml;base64,{still}"></details>'
    )
