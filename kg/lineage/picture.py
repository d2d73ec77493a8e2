"""A lineage as a picture in layers: SVG for print, and one HTML file with evidence on click."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from kg.lineage.formats import colour, label, said
from kg.lineage.licences import held, report, within
from kg.lineage.network import FAMILY, Hop
from kg.lineage.tree import Lineage
from kg.text import xml_characters

_MARK: Final = re.compile(r"\{\{(title|svg|data)\}\}")
_PAGE: Final = Path(__file__).with_name("page.html")
_BOX_HEIGHT: Final = 40
_LAYER_GAP: Final = 110
_BOX_GAP: Final = 24
_MARGIN: Final = 32
_CHARACTER: Final = 7.4
_LONGEST: Final = 44
#: More boxes than this in one layer are broken into rows.
_ROW: Final = 8


@dataclass(frozen=True, slots=True)
class Box:
    """Where an entity stands in the picture; ``x`` and ``y`` are its upper left corner."""

    entity: str
    name: str
    type: str
    x: float
    y: float
    width: float
    #: Hops from the root: negative for ancestors, positive for descendants.
    layer: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture's boxes and size."""

    boxes: tuple[Box, ...]
    hops: tuple[Hop, ...]
    width: float
    height: float


def lay_out(lineage: Lineage) -> Layout:
    """Return boxes in layers: ancestors above the root, descendants below, no two overlapping."""
    hops = tuple(lineage.hops())
    layers = _layers(lineage, hops)
    rows = _rows(lineage, hops, layers)
    network = lineage.network
    widths = {
        id_: 28 + _CHARACTER * min(len(network.name(id_)), _LONGEST) for row in rows for id_ in row
    }
    extents = [sum(widths[id_] for id_ in row) + _BOX_GAP * (len(row) - 1) for row in rows]
    width = max([240.0, *extents]) + 2 * _MARGIN
    boxes: list[Box] = []
    y = float(_MARGIN)
    for row, extent in zip(rows, extents, strict=True):
        x = (width - extent) / 2
        for id_ in row:
            entity = network.entities.get(id_)
            kind = entity.type if entity is not None else "Model"
            boxes.append(
                Box(
                    id_, network.name(id_), kind, round(x, 1), y, round(widths[id_], 1), layers[id_]
                )
            )
            x += widths[id_] + _BOX_GAP
        y += _LAYER_GAP
    return Layout(tuple(boxes), hops, round(width, 1), y - _LAYER_GAP + _BOX_HEIGHT + _MARGIN)


def _layers(lineage: Lineage, hops: Sequence[Hop]) -> dict[str, int]:
    """Return each entity's layer: its distance from the root, a family beside its widest member."""
    layers = {lineage.root.id: 0}
    descent = [hop for hop in hops if hop.relation != FAMILY]
    for direction in (-1, 1):
        frontier = [lineage.root.id]
        level = 0
        while frontier:
            level += direction
            following: list[str] = []
            for hop in descent:
                near, far = (
                    (hop.subject, hop.object) if direction < 0 else (hop.object, hop.subject)
                )
                if near in frontier and far not in layers:
                    layers[far] = level
                    following.append(far)
            frontier = following
    changed = True
    while changed:
        changed = False
        for hop in hops:
            if hop.subject in layers and hop.object not in layers:
                layers[hop.object] = layers[hop.subject] - 1
                changed = True
            elif hop.object in layers and hop.subject not in layers:
                layers[hop.subject] = layers[hop.object] + 1
                changed = True
    for id_ in lineage.entities():
        layers.setdefault(id_, 0)
    return layers


def _rows(lineage: Lineage, hops: Sequence[Hop], layers: Mapping[str, int]) -> list[list[str]]:
    """Return the entities row by row, each row in an order that crosses few lines."""
    neighbours: dict[str, list[str]] = {}
    for hop in hops:
        neighbours.setdefault(hop.subject, []).append(hop.object)
        neighbours.setdefault(hop.object, []).append(hop.subject)
    by_layer: dict[int, list[str]] = {}
    for id_ in lineage.entities():
        by_layer.setdefault(layers[id_], []).append(id_)
    ordered = [by_layer[layer] for layer in sorted(by_layer)]
    for sweep in range(4):
        place = {id_: i / max(1, len(row)) for row in ordered for i, id_ in enumerate(row)}
        for row in ordered if sweep % 2 == 0 else reversed(ordered):

            def middle(id_: str, place: Mapping[str, float] = place) -> tuple[float, str]:
                around = [place[other] for other in neighbours.get(id_, ())]
                return (sum(around) / len(around) if around else 0.5, id_)

            row.sort(key=middle)
    rows: list[list[str]] = []
    for row in ordered:
        rows += [row[i : i + _ROW] for i in range(0, len(row), _ROW)]
    return rows


def as_svg(lineage: Lineage, *, standalone: bool = True) -> str:
    """Return the picture as SVG with a title, a description, and the sentence on every line."""
    layout = lay_out(lineage)
    box = {one.entity: one for one in layout.boxes}
    name = html.escape(lineage.root.name)
    size = f'viewBox="0 0 {layout.width:g} {layout.height:g}"'
    if standalone:
        size += f' width="{layout.width:g}" height="{layout.height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"'
        f' aria-labelledby="title description">',
        f'<title id="title">Lineage of {name}</title>',
        f'<desc id="description">{html.escape(_description(lineage))}</desc>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
        ' markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"'
        ' fill="context-stroke"/></marker></defs>',
    ]
    parts += [
        _line(lineage, hop, place, box[hop.subject], box[hop.object])
        for place, hop in enumerate(layout.hops)
    ]
    parts += [_box(lineage, one) for one in layout.boxes]
    parts.append("</svg>")
    return xml_characters("\n".join(parts) + "\n")


_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}"
    ".box rect{fill:#fff;stroke:#444;stroke-width:1.3}.box.root rect{stroke-width:3}"
    ".box.Dataset rect,.box.Benchmark rect{fill:#eef7f3}"
    ".hop path{fill:none;stroke-width:1.8}.hop text{font-size:11px;paint-order:stroke;"
    "stroke:#fff;stroke-width:4px}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.box rect{fill:#222;stroke:#bbb}"
    ".box.Dataset rect,.box.Benchmark rect{fill:#16302a}.hop text{stroke:#111}svg{background:#111}}"
)


def _description(lineage: Lineage) -> str:
    network = lineage.network
    said = [
        f"{network.name(h.subject)} {label(h.relation)} {network.name(h.object)}"
        for h in lineage.hops()
    ]
    return f"{lineage.coverage}. " + ". ".join(said[:200])


def _line(lineage: Lineage, hop: Hop, place: int, child: Box, parent: Box) -> str:
    """Return the curve from child to parent, labelled in its middle."""
    x1, x2 = child.x + child.width / 2, parent.x + parent.width / 2
    if child.y > parent.y:
        y1, y2 = child.y, parent.y + _BOX_HEIGHT
    elif child.y < parent.y:
        y1, y2 = child.y + _BOX_HEIGHT, parent.y
    else:
        y1, y2 = child.y, parent.y
    bend = (y2 - y1) / 2 if y1 != y2 else -46
    path = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    if y1 == y2:
        path = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 + bend:g} {x2:g} {y2:g}"
    dash = ""
    if hop.kind == "inferred":
        dash = ' stroke-dasharray="7 4"'
    elif hop.relation == FAMILY:
        dash = ' stroke-dasharray="2 4"'
    sentence = html.escape(said(lineage.edge(hop).best))
    words = html.escape(label(hop.relation)) + (" (inferred)" if hop.kind == "inferred" else "")
    x, y = (x1 + x2) / 2, (y1 + y2) / 2 + (bend * 0.75 if y1 == y2 else 0)
    return (
        f'<g class="hop" data-hop="{place}" tabindex="0" role="button"><title>{words}: {sentence}'
        f'</title><path d="{path}" stroke="{colour(hop.relation)}"{dash}'
        f' marker-end="url(#arrow)"/><text x="{x:g}" y="{y:g}" text-anchor="middle">{words}'
        "</text></g>"
    )


def _box(lineage: Lineage, box: Box) -> str:
    name = box.name if len(box.name) <= _LONGEST else box.name[: _LONGEST - 1] + "…"
    root = " root" if box.entity == lineage.root.id else ""
    corner = {"Model": 6, "Dataset": 20}.get(box.type, 2)
    middle = box.x + box.width / 2
    return (
        f'<g class="box {box.type}{root}" data-entity="{html.escape(box.entity, quote=True)}"'
        f' tabindex="0" role="button"><title>{html.escape(box.name)} ({box.type.lower()})</title>'
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{_BOX_HEIGHT}"'
        f' rx="{corner}"/><text x="{middle:g}" y="{box.y + 25:g}" text-anchor="middle">'
        f"{html.escape(name)}</text></g>"
    )


@cache
def _page() -> str:
    return _PAGE.read_text(encoding="utf-8")


def as_html(lineage: Lineage) -> str:
    """Return one HTML file that needs nothing else: the picture, and the evidence on click.

    Names and sentences come from strangers, so they are data for ``textContent``, never markup.
    """
    network = lineage.network
    hops = []
    quoted: set[str] = set()
    for hop in lineage.hops():
        evidence = [
            {
                "kind": item.kind,
                "document": item.document,
                "field": item.field,
                "sentence": item.sentence,
                "inferred": said(item) if item.kind == "inferred" else "",
                "confidence": item.confidence,
                "rule": item.rule,
                "marks": [
                    [span.start - item.span.start, span.end - item.span.start]
                    for span in (item.subject, item.object)
                    if span is not None and item.span.start <= span.start <= item.span.end
                ],
            }
            for item in sorted(lineage.edge(hop).evidence)
        ]
        quoted |= {item.document for item in lineage.edge(hop).evidence}
        hops.append(
            {
                "subject": network.name(hop.subject),
                "relation": label(hop.relation),
                "object": network.name(hop.object),
                "ids": [hop.subject, hop.object],
                "kind": hop.kind,
                "confidence": hop.confidence,
                "evidence": evidence,
            }
        )
    entities = {}
    for id_ in lineage.entities():
        entity = network.entities.get(id_)
        entities[id_] = {
            "name": network.name(id_),
            "type": entity.type if entity else "",
            "aliases": list(entity.aliases[:20]) if entity else [],
            "repositories": list(entity.repositories) if entity else [],
            "licences": [one.value for one in held(entity)],
            "documents": len(entity.mentioned_in) if entity else 0,
        }
    data = {
        "root": lineage.root.id,
        "coverage": str(lineage.coverage),
        "gaps": list(lineage.gaps),
        "hops": hops,
        "entities": entities,
        "licences": _licences(lineage),
        "urls": _urls(lineage, quoted),
    }
    packed = json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    packed = packed.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    # One pass, so that nothing that is filled in is taken for a mark itself.
    filled = {
        "title": html.escape(lineage.root.name),
        "svg": as_svg(lineage, standalone=False),
        "data": packed,
    }
    return _MARK.sub(lambda mark: filled[mark[1]], _page())


def _licences(lineage: Lineage) -> dict[str, Any]:
    """Return what there is to say of licences, in words."""
    network = lineage.network
    found = within(report(network, lineage.root.id), lineage.entities())
    return {
        "own": [str(one) for one in found.own],
        "ancestors": [
            [network.name(node), strand, [str(one) for one in licences]]
            for node, strand, licences, _ in found.ancestors
        ],
        "flags": [
            [str(flag), [network.name(node) for node in reversed(flag.path)], flag.url]
            for flag in found.flags
        ],
        "advice": found.advice,
    }


def _urls(lineage: Lineage, documents: set[str]) -> dict[str, str]:
    """Return the https addresses of the documents that are quoted."""
    return {
        document.id: document.url
        for document in lineage.network.graph.documents
        if document.id in documents and document.url.startswith("https://")
    }
