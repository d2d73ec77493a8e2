"""A lineage as a picture in layers: SVG for print, and one HTML file with evidence on click."""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
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
#: Of more things that hang by one relation on one thing, and on nothing else, the rest is one box.
_ALIKE: Final = 8
#: How wide a line is that passes through a layer between boxes.
_PASSING: Final = 12
_LETTER: Final = 6.2
_LABEL_HEIGHT: Final = 16
#: Where on a line its words may stand, best first: 0 is the child's end.
_PLACES: Final = (0.5, 0.35, 0.65, 0.2, 0.8)

Point = tuple[float, float]


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
    #: What a box stands for that has no room for each: their ids.
    folded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line from child to parent: a hop, or all hops of what one box stands for."""

    child: str
    parent: str
    #: Places in the hops of the lineage.
    hops: tuple[int, ...]
    words: str
    #: Cubic curves, one after the other: start, two handles, end.
    curves: tuple[tuple[Point, Point, Point, Point], ...] = ()
    #: Where its words stand; ``None`` where a line beside it has the same, or there is no room.
    label: Point | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture's boxes, lines and size."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def lay_out(lineage: Lineage) -> Layout:
    """Return boxes in layers, ancestors above the root, descendants below, no two overlapping.

    A layer is one row, so no line runs behind the boxes of another generation; one that skips a
    layer passes between its boxes.
    """
    network = lineage.network
    folded = _folded(lineage)
    stand_in = {id_: fold for fold, ids in folded.items() for id_ in ids}
    lines = _lines(lineage, stand_in)
    ids = list(dict.fromkeys(stand_in.get(id_, id_) for id_ in lineage.entities()))
    names = {id_: network.name(id_) for id_ in ids}
    names |= {fold: f"{len(folded[fold]):,} more" for fold in folded}
    layers = _layers(lineage.root.id, ids, lines)
    rows, ways = _rows(ids, lines, layers)
    widths = {id_: 28 + _CHARACTER * min(len(names[id_]), _LONGEST) for id_ in ids}
    extents = [
        sum(widths.get(key, _PASSING) for key in row) + _BOX_GAP * (len(row) - 1) for row in rows
    ]
    width = max([240.0, *extents]) + 2 * _MARGIN
    boxes: dict[str, Box] = {}
    middles: dict[str, Point] = {}
    y = float(_MARGIN)
    for row, extent in zip(rows, extents, strict=True):
        x = (width - extent) / 2
        for key in row:
            wide = widths.get(key, _PASSING)
            middles[key] = (round(x + wide / 2, 1), y)
            if key in names:
                entity = network.entities.get(folded[key][0] if key in folded else key)
                kind = entity.type if entity is not None else "Model"
                boxes[key] = Box(
                    key, names[key], kind, round(x, 1), y, round(wide, 1), layers[key],
                    folded.get(key, ()),
                )  # fmt: skip
            x += wide + _BOX_GAP
        y += _LAYER_GAP
    drawn = [
        replace(line, curves=tuple(_curves([middles[key] for key in way])))
        for line, way in zip(lines, ways, strict=True)
    ]
    placed = _with_labels(drawn, list(boxes.values()))
    height = y - _LAYER_GAP + _BOX_HEIGHT + _MARGIN
    return Layout(tuple(boxes.values()), tuple(placed), round(width, 1), height)


def _folded(lineage: Lineage) -> dict[str, tuple[str, ...]]:
    """Return what is not shown on its own: for each box "94 more" the ids that it stands for."""
    hops = lineage.hops()
    number = Counter(end for hop in hops for end in (hop.subject, hop.object))
    groups: defaultdict[tuple[str, str, str, bool], list[tuple[Hop, str]]] = defaultdict(list)
    for hop in hops:
        for leaf, holder in ((hop.subject, hop.object), (hop.object, hop.subject)):
            if number[leaf] == 1 and leaf != lineage.root.id:
                side = "down" if leaf == hop.subject else "up"
                groups[side, holder, hop.relation, hop.kind == "inferred"].append((hop, leaf))
    found: dict[str, tuple[str, ...]] = {}
    for group in groups.values():
        if len(group) > _ALIKE:
            group.sort(key=lambda pair: (-pair[0].documents, -pair[0].confidence, pair[1]))
            found[f"more:{len(found)}"] = tuple(leaf for _, leaf in group[_ALIKE - 1 :])
    return found


def _lines(lineage: Lineage, stand_in: Mapping[str, str]) -> list[Line]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for place, hop in enumerate(lineage.hops()):
        ends = (stand_in.get(end, end) for end in (hop.subject, hop.object))
        words = label(hop.relation) + (" (inferred)" if hop.kind == "inferred" else "")
        found.setdefault((*ends, words), []).append(place)  # type: ignore[arg-type]
    return [
        Line(child, parent, tuple(places), words)
        for (child, parent, words), places in found.items()
    ]


def _layers(root: str, ids: Sequence[str], lines: Sequence[Line]) -> dict[str, int]:
    """Return each box's layer: its distance from the root, a family beside its widest member."""
    family = label(FAMILY)
    descent = [line for line in lines if not line.words.startswith(family)]
    layers = {root: 0}
    for direction in (-1, 1):
        frontier = [root]
        level = 0
        while frontier:
            level += direction
            following: list[str] = []
            for line in descent:
                near, far = (
                    (line.child, line.parent) if direction < 0 else (line.parent, line.child)
                )
                if near in frontier and far not in layers:
                    layers[far] = level
                    following.append(far)
            frontier = following
    changed = True
    while changed:
        changed = False
        for line in lines:
            if line.child in layers and line.parent not in layers:
                layers[line.parent] = layers[line.child] - 1
                changed = True
            elif line.parent in layers and line.child not in layers:
                layers[line.child] = layers[line.parent] + 1
                changed = True
    for id_ in ids:
        layers.setdefault(id_, 0)
    return layers


def _rows(
    ids: Sequence[str], lines: Sequence[Line], layers: Mapping[str, int]
) -> tuple[list[list[str]], list[list[str]]]:
    """Return what stands in each layer, in an order that crosses few lines, and each line's way.

    A way leads from the child to the parent, by a place of its own in every layer between.
    """
    by_layer: defaultdict[int, list[str]] = defaultdict(list)
    for id_ in ids:
        by_layer[layers[id_]].append(id_)
    neighbours: defaultdict[str, list[str]] = defaultdict(list)
    ways = []
    for number, line in enumerate(lines):
        start, end = layers[line.child], layers[line.parent]
        step = 1 if end > start else -1
        way = [line.child]
        for layer in range(start + step, end, step) if start != end else ():
            way.append(f"{number} passes {layer}")
            by_layer[layer].append(way[-1])
        way.append(line.parent)
        ways.append(way)
        for one, other in pairwise(way):
            neighbours[one].append(other)
            neighbours[other].append(one)
    rows = [by_layer[layer] for layer in sorted(by_layer)]
    for sweep in range(8):
        place = {key: (i + 0.5) / len(row) for row in rows for i, key in enumerate(row)}
        for row in rows if sweep % 2 == 0 else reversed(rows):

            def middle(key: str) -> tuple[float, str]:
                around = [place[other] for other in neighbours[key]]  # noqa: B023
                return (sum(around) / len(around) if around else 0.5, key)

            row.sort(key=middle)
            place |= {key: (i + 0.5) / len(row) for i, key in enumerate(row)}
    return rows, ways


def _curves(way: Sequence[Point]) -> Iterator[tuple[Point, Point, Point, Point]]:
    """Yield the curves along ``way``, the upper middles of what it passes, box or gap."""
    for place, ((x1, y1), (x2, y2)) in enumerate(pairwise(way)):
        if y1 == y2:
            yield (x1, y1), (x1, y1 - 46), (x2, y2 - 46), (x2, y2)
            continue
        if place:  # through the gap
            top, bottom = (x1, y1), (x1, y1 + _BOX_HEIGHT)
            yield (bottom, bottom, top, top) if y1 > y2 else (top, top, bottom, bottom)
        start, end = (y1, y2 + _BOX_HEIGHT) if y1 > y2 else (y1 + _BOX_HEIGHT, y2)
        half = (start + end) / 2
        yield (x1, start), (x1, half), (x2, half), (x2, end)


def _with_labels(lines: Sequence[Line], boxes: Sequence[Box]) -> list[Line]:
    """Return the lines, some with a place for their words: on no box and on no other words.

    Lines that begin or end at one box and say the same say it once.
    """
    alike = Counter((line.words, end) for line in lines for end in (line.child, line.parent))
    bundles: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        shared = max((line.parent, line.child), key=lambda end: alike[line.words, end])
        bundles[line.words, shared].append(number)
    taken = [(box.x, box.y, box.x + box.width, box.y + _BOX_HEIGHT) for box in boxes]
    found = list(lines)
    for (words, _), members in bundles.items():
        middle = len(members) // 2
        candidates = (
            (number, _at(lines[number].curves[0 if part < 0.5 else -1], part))
            for part in _PLACES
            for number in (*members[middle:], *members[:middle])
        )
        half = len(words) * _LETTER / 2
        for number, (x, y) in candidates:
            area = (x - half, y - _LABEL_HEIGHT / 2, x + half, y + _LABEL_HEIGHT / 2)
            if not any(_overlap(area, other) for other in taken):
                taken.append(area)
                found[number] = replace(lines[number], label=(round(x, 1), round(y + 4, 1)))
                break
    return found


def _at(curve: tuple[Point, Point, Point, Point], part: float) -> Point:
    rest = 1 - part
    weights = (rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3)
    x, y = (
        sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1)
    )
    return x, y


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def as_svg(lineage: Lineage, *, standalone: bool = True) -> str:
    """Return the picture as SVG with a title, a description, and what says so on every line.

    Inside a page it may shrink, but not so far that names could not be read.
    """
    return _svg(lineage, lay_out(lineage), standalone=standalone)


def _svg(lineage: Lineage, layout: Layout, *, standalone: bool) -> str:
    name = html.escape(lineage.root.name)
    size = f'viewBox="0 0 {layout.width:g} {layout.height:g}" width="{layout.width:g}"'
    size += f' height="{layout.height:g}"' if standalone else ""
    size += "" if standalone else f' style="min-width:{0.7 * layout.width:.0f}px"'
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
    hops = lineage.hops()
    parts += [_line(lineage, line, hops) for line in layout.lines]
    parts += [
        f'<text class="words" x="{line.label[0]:g}" y="{line.label[1]:g}" text-anchor="middle">'
        f"{html.escape(line.words)}</text>"
        for line in layout.lines
        if line.label is not None
    ]
    parts += [_box(lineage, one) for one in layout.boxes]
    parts.append("</svg>")
    return xml_characters("\n".join(parts) + "\n")


_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}"
    ".box rect{fill:#fff;stroke:#444;stroke-width:1.3}.box.root rect{stroke-width:3}"
    ".box.Dataset rect,.box.Benchmark rect{fill:#eef7f3}"
    ".hop path{fill:none;stroke-width:1.8}.words{font-size:11px;paint-order:stroke;"
    "stroke:#fff;stroke-width:4px;pointer-events:none}.folded rect{stroke-dasharray:4 3}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.box rect{fill:#222;stroke:#bbb}"
    ".box.Dataset rect,.box.Benchmark rect{fill:#16302a}.words{stroke:#111}svg{background:#111}}"
)


def _description(lineage: Lineage) -> str:
    network = lineage.network
    said = [
        f"{network.name(h.subject)} {label(h.relation)} {network.name(h.object)}"
        for h in lineage.hops()
    ]
    return f"{lineage.coverage}. " + ". ".join(said[:200])


def _line(lineage: Lineage, line: Line, hops: Sequence[Hop]) -> str:
    """Return the curve from child to parent; a click on it shows its hop, or what it stands for."""
    hop = hops[line.hops[0]]
    path = "".join(
        f"M{start[0]:g} {start[1]:g}" * (not place)
        + f"C{one[0]:g} {one[1]:g} {other[0]:g} {other[1]:g} {end[0]:g} {end[1]:g}"
        for place, (start, one, other, end) in enumerate(line.curves)
    )
    dash = ""
    if hop.kind == "inferred":
        dash = ' stroke-dasharray="7 4"'
    elif hop.relation == FAMILY:
        dash = ' stroke-dasharray="2 4"'
    shows, why = f'data-hop="{line.hops[0]}"', said(lineage.edge(hop).best)
    if len(line.hops) > 1:
        fold = next(
            end for end in (line.child, line.parent) if end not in (hop.subject, hop.object)
        )
        shows, why = f'data-entity="{fold}"', f"{len(line.hops):,} hops"
    return (
        f'<g class="hop" {shows} tabindex="0" role="button">'
        f"<title>{html.escape(line.words)}: {html.escape(why)}</title>"
        f'<path d="{path}" stroke="{colour(hop.relation)}"{dash} marker-end="url(#arrow)"/></g>'
    )


def _box(lineage: Lineage, box: Box) -> str:
    name = box.name if len(box.name) <= _LONGEST else box.name[: _LONGEST - 1] + "…"
    sort = " root" if box.entity == lineage.root.id else " folded" if box.folded else ""
    corner = {"Model": 6, "Dataset": 20}.get(box.type, 2)
    middle = box.x + box.width / 2
    names = ", ".join(lineage.network.name(id_) for id_ in box.folded[:200])
    told = f"{box.name}: {names}" if box.folded else f"{box.name} ({box.type.lower()})"
    return (
        f'<g class="box {box.type}{sort}" data-entity="{html.escape(box.entity, quote=True)}"'
        f' tabindex="0" role="button"><title>{html.escape(told)}</title>'
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
    layout = lay_out(lineage)
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
    entities: dict[str, dict[str, Any]] = {}
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
    for box in layout.boxes:
        if box.folded:
            entities[box.entity] = {"name": box.name, "folded": list(box.folded)}
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
        "svg": _svg(lineage, layout, standalone=False),
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
