"""The graph as a still picture, SVG or PNG, drawn without a browser.

Layout, colours and shapes are those of the page (:mod:`kg.exporters.html`), so the picture in a
paper or a README is the graph that people meet when they open it.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from kg.exporters import BASE
from kg.exporters.appearance import appearance
from kg.exporters.parts import arranged, best_connected, neighbourhood, node_radius
from kg.exporters.rdf.terms import without_triples
from kg.text import xml_characters
from kg.values import EVIDENCE_KINDS, Edge, GraphView

#: More nodes than this are not legible on one sheet: the best connected are drawn, in words too.
MOST_NODES: Final = 400
#: Names are cut to this many characters.
NAME_LENGTH: Final = 34
_FONT: Final = "Inter, system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', Arial, sans-serif"
_THEMES: Final = {
    "light": {"ground": "#ffffff", "text": "#161b26", "muted": "#566074"},
    "dark": {"ground": "#0e1116", "text": "#e8ebf1", "muted": "#a2acbd"},
}
#: Corners, size and turn (in turns) of each shape; a circle has none.
_SHAPES: Final = {
    "diamond": (4, 1.25, 0.0),
    "hexagon": (6, 1.1, 0.0),
    "triangle": (3, 1.32, -0.25),
    "star": (10, 1.38, -0.25),
}
#: So many of the best connected may cover the rim of another node with their names.
_LEADERS: Final = 28
_Box = tuple[float, float, float, float]


def write_svg(
    graph: GraphView,
    path: Path,
    *,
    base: str = BASE,
    also: Iterable[str] = (),
    focus: str | None = None,
    hops: int = 2,
    theme: str = "light",
    width: int = 1280,
    height: int = 800,
) -> None:
    """Write ``graph``, or what lies within ``hops`` of ``focus``, as an SVG picture."""
    without_triples(base, also)
    part = neighbourhood(graph, focus, hops) if focus else graph
    text = svg(part, width=width, height=height, theme=theme)
    Path(path).write_text(text, encoding="utf-8", errors="replace")


def write_png(
    graph: GraphView,
    path: Path,
    *,
    base: str = BASE,
    also: Iterable[str] = (),
    focus: str | None = None,
    hops: int = 2,
    theme: str = "light",
    width: int = 1280,
    height: int = 800,
) -> None:
    """Write ``graph``, or what lies within ``hops`` of ``focus``, as a PNG of twice the size."""
    without_triples(base, also)
    part = neighbourhood(graph, focus, hops) if focus else graph
    Path(path).write_bytes(png(part, width=width, height=height, theme=theme))


def png(graph: GraphView, *, width: int = 1280, height: int = 800, theme: str = "light") -> bytes:
    """Return ``graph`` as a PNG picture of twice ``width`` and ``height``, for sharp screens."""
    import resvg_py

    text = svg(graph, width=width, height=height, theme=theme)
    return bytes(resvg_py.svg_to_bytes(svg_string=text, zoom=2))


def svg(graph: GraphView, *, width: int = 1280, height: int = 800, theme: str = "light") -> str:
    """Return ``graph`` as an SVG document with a legend."""
    total = len(graph.entities)
    tied = {end for edge in graph.edges for end in (edge.subject, edge.object)}
    if total > MOST_NODES:
        part = best_connected(graph, MOST_NODES)
        note = f"{len(part.entities):,} best connected of {total:,} entities"
    elif tied and len(tied) < total:
        part = best_connected(graph, len(tied))
        note = f"{total - len(tied):,} entities without links left out"
    else:
        part, note = graph, ""
    entities, edges, degrees, places = arranged(part)
    index = {entity.id: i for i, entity in enumerate(entities)}
    look, colours = appearance(), _THEMES[theme]
    foot = 46.0
    scale, shift_x, shift_y = _fit([(p.x, p.y) for p in places], width, height - foot)
    points = [(p.x * scale + shift_x, p.y * scale + shift_y) for p in places]
    grow = scale**0.72 if scale < 1 else scale**0.5
    radii = [max(1.6, node_radius(d) * grow * 1.1) for d in degrees]

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{_FONT}" role="img">',
        f"<title>Knowledge graph of {len(entities)} entities and {len(edges)} edges</title>",
        f'<rect width="{width}" height="{height}" fill="{colours["ground"]}"/>',
    ]
    homes = [place.community for place in places]
    out += _lines(edges, index, points, radii, homes, theme)
    for name, style in look.types.items():
        marks = [
            _shape(style.shape, *points[i], radii[i])
            for i, entity in enumerate(entities)
            if entity.type == name
        ]
        if marks:
            colour = getattr(style, theme)
            out.append(
                f'<path d="{"".join(marks)}" fill="{colour}" stroke="{colours["ground"]}" '
                'stroke-width="1.6" paint-order="stroke"/>'
            )
    names = [entity.name for entity in entities]
    out += _names(names, degrees, points, radii, width, height - foot, colours)
    out += _legend(
        Counter(entity.type for entity in entities),
        Counter(look.relations[e.relation].group for e in edges if e.relation in look.relations),
        note,
        (width, height),
        theme,
    )
    out.append("</svg>\n")
    return "\n".join(out)


def _fit(
    points: Sequence[tuple[int, int]], width: float, height: float
) -> tuple[float, float, float]:
    """Return scale and shift that bring ``points`` into the middle of the sheet."""
    if not points:
        return 1.0, width / 2, height / 2
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    room_x, room_y = width - 170, height - 80
    scale = min(2.2, room_x / max(right - left, 1), room_y / max(bottom - top, 1))
    return (
        scale,
        width / 2 - (left + right) / 2 * scale,
        height / 2 - (top + bottom) / 2 * scale,
    )


def _lines(
    edges: Iterable[Edge],
    index: dict[str, int],
    points: Sequence[tuple[float, float]],
    radii: Sequence[float],
    homes: Sequence[int],
    theme: str,
) -> list[str]:
    """Return one path for all edges of one colour and line, lineage last, with arrow heads."""
    look = appearance()
    order = [*look.groups][::-1]
    runs: defaultdict[tuple[bool, int, str, str], list[str]] = defaultdict(list)
    heads: defaultdict[tuple[bool, int, str, str], list[str]] = defaultdict(list)
    count = 0
    for edge in edges:
        style = look.relations.get(edge.relation)
        group = style.group if style else next(iter(look.groups))
        kind = min((e.kind for e in edge.evidence), key=EVIDENCE_KINDS.index)
        one, other = index[edge.subject], index[edge.object]
        near = homes[one] == homes[other]
        key = (near, order.index(group), group, kind)
        count += 1
        (ax, ay), (bx, by) = points[one], points[other]
        if one == other:
            r = radii[one]
            loop = 5 + r * 0.6
            runs[key].append(
                f"M{ax - loop:.1f} {ay - r - loop * 0.6:.1f}a{loop:.1f} {loop:.1f} 0 1 0 "
                f"{2 * loop:.1f} 0a{loop:.1f} {loop:.1f} 0 1 0 {-2 * loop:.1f} 0"
            )
            continue
        runs[key].append(f"M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}")
        length = math.hypot(bx - ax, by - ay)
        gap, size = radii[other] + 1.5, 5.0
        if length > gap + 2 * size:
            ux, uy = (bx - ax) / length, (by - ay) / length
            tx, ty = bx - ux * gap, by - uy * gap
            heads[key].append(
                f"M{tx:.1f} {ty:.1f}"
                f"L{tx - ux * size - uy * 2.2:.1f} {ty - uy * size + ux * 2.2:.1f}"
                f"L{tx - ux * size + uy * 2.2:.1f} {ty - uy * size - ux * 2.2:.1f}Z"
            )
    base = 0.6 if count <= 900 else 0.4 if count <= 2200 else 0.28
    out = []
    for key in sorted(runs):
        near, _, group, kind = key
        line, colour = look.kinds[kind], getattr(look.groups[group], theme)
        strong = group in ("lineage", "family")
        alpha = (min(0.9, base + 0.25) if strong else base) * (1 if near or count < 350 else 0.45)
        dash = f' stroke-dasharray="{" ".join(map(str, line.dash))}"' if line.dash else ""
        out.append(
            f'<path d="{"".join(runs[key])}" fill="none" stroke="{colour}" '
            f'stroke-width="{line.width}" stroke-opacity="{alpha:.2f}"{dash}/>'
        )
        if heads[key]:
            out.append(
                f'<path d="{"".join(heads[key])}" fill="{colour}" '
                f'fill-opacity="{min(1.0, alpha + 0.15):.2f}"/>'
            )
    return out


def _shape(shape: str, x: float, y: float, r: float) -> str:
    """Return the outline of a node as path data."""
    if shape == "square":
        half = r * 0.9
        return f"M{x - half:.1f} {y - half:.1f}h{2 * half:.1f}v{2 * half:.1f}h{-2 * half:.1f}Z"
    if shape not in _SHAPES:
        return (
            f"M{x - r:.1f} {y:.1f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0"
            f"a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0Z"
        )
    corners, size, turn = _SHAPES[shape]
    drop = r * 0.2 if shape == "triangle" else 0.0
    parts = []
    for corner in range(corners):
        reach = r * size * (0.5 if shape == "star" and corner % 2 else 1.0)
        angle = 2 * math.pi * (turn + corner / corners)
        px, py = x + reach * math.cos(angle), y + drop + reach * math.sin(angle)
        parts.append(f"{'L' if corner else 'M'}{px:.1f} {py:.1f}")
    return "".join(parts) + "Z"


def short_name(name: str) -> str:
    """Return ``name`` on one line, cut where it is long, fit for XML."""
    flat = " ".join(xml_characters(name).split())
    return flat if len(flat) <= NAME_LENGTH else flat[: NAME_LENGTH - 1] + "…"


def _text_width(text: str, size: float, weight: int = 400) -> float:
    """Return about how wide ``text`` is in the widest of the fonts that may draw it."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    letter = 0.66 if weight > 500 else 0.6
    return size * (letter * (len(text) - wide) + 1.0 * wide) + 4


def _names(
    names: Sequence[str],
    degrees: Sequence[int],
    points: Sequence[tuple[float, float]],
    radii: Sequence[float],
    width: float,
    height: float,
    colours: dict[str, str],
) -> list[str]:
    """Return names where there is room for them; the best connected choose first."""
    order = sorted(range(len(names)), key=lambda i: (-degrees[i], i))
    boxes = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    written: list[_Box] = []
    most = int(width * height / 7600)
    out: list[str] = []
    for rank, i in enumerate(order):
        if len(out) >= most:
            break
        r = radii[i]
        size = 14 if r > 11 else 12.5 if r > 6 else 11.5
        weight = 600 if r > 6 else 400
        text = short_name(names[i])
        half = _text_width(text, size, weight) / 2
        others = boxes[:i] + boxes[i + 1 :]
        best: tuple[float, float, float, _Box] | None = None
        for lx, ly in _places(points[i], r, half, size):
            box = (lx - half, ly - size, lx + half, ly + 4)
            if box[0] < 2 or box[2] > width - 2 or box[1] < 2 or box[3] > height:
                continue
            if any(_shared(box, other) for other in written):
                continue
            covered = sum(_shared(box, other) for other in others)
            if best is None or covered < best[0]:
                best = (covered, lx, ly, box)
        # Only the best connected are worth a small part of another node.
        if best is None or best[0] > (60 if rank < _LEADERS else 0):
            continue
        _, lx, ly, box = best
        written.append(box)
        out.append(
            f'<text x="{lx:.1f}" y="{ly:.1f}" text-anchor="middle" font-size="{size}" '
            f'font-weight="{weight}" fill="{colours["text"]}" stroke="{colours["ground"]}" '
            f'stroke-width="3.6" stroke-linejoin="round" paint-order="stroke">'
            f"{escape(text)}</text>"
        )
    return out


def _places(
    point: tuple[float, float], r: float, half: float, size: float
) -> Iterable[tuple[float, float]]:
    """Return where a name may stand around its node, the best places first."""
    (x, y), level = point, point[1] + size * 0.35
    below, above, beside, aslant = y + r + size + 1, y - r - 5, r + half + 3, r * 0.6 + half
    yield from ((x, below), (x, above), (x + beside, level), (x - beside, level))
    for height in (above + 3, below - 3):
        yield from ((x + aslant, height), (x - aslant, height))
    yield from ((x, below + 9), (x, above - 8))


def _shared(one: _Box, other: _Box) -> float:
    """Return the area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _legend(
    types: Counter[str], groups: Counter[str], note: str, sheet: tuple[int, int], theme: str
) -> list[str]:
    """Return the legend along the foot: shapes of nodes, then colours of edges."""
    look, colours, (width, height) = appearance(), _THEMES[theme], sheet
    y, x = height - 18.0, 22.0
    out = [f'<g font-size="12" fill="{colours["muted"]}">']
    for name, style in look.types.items():
        if types[name]:
            mark = _shape(style.shape, x, y - 4, 5.0)
            out.append(f'<path d="{mark}" fill="{getattr(style, theme)}"/>')
            out.append(f'<text x="{x + 11:.1f}" y="{y:.1f}">{escape(style.plural)}</text>')
            x += 11 + _text_width(style.plural, 12) + 18
    x += 10
    for name, group in look.groups.items():
        if groups[name]:
            colour = getattr(group, theme)
            out.append(f'<path d="M{x:.1f} {y - 4:.1f}h16" stroke="{colour}" stroke-width="2.4"/>')
            out.append(f'<text x="{x + 22:.1f}" y="{y:.1f}">{escape(group.title)}</text>')
            x += 22 + _text_width(group.title, 12) + 18
    if note:
        at = f'x="{width - 16}" y="26"'
        out.append(f'<text {at} text-anchor="end">{escape(note)}</text>')
    return [*out, "</g>"]
