"""Where each node of a graph is drawn: communities first, then the nodes inside each.

networkx's own layouts do not reach ten thousand nodes, and the fast libraries are GPL.  A graph
of papers falls into communities, though, so a layout in two steps is both quick and says
something: each community (Louvain) is laid out by itself as a disc, the discs are laid out by
the links between them, and each disc is turned until its outward links are short.  Small
components fill the free places around them; nodes without any link share a disc of their own.

The same graph gives the same integers on every machine: arithmetic is restricted to operations
that IEEE 754 rounds exactly, sums run along the first axis (in order), and what comes out of
libm is rounded before it is used.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import networkx
import numpy
from numpy.typing import NDArray

Array = NDArray[numpy.float64]

#: The length that a link would like to have.
LINK: Final = 48.0
#: Free space between two discs.
GAP: Final = 30.0
#: Components of fewer nodes than this are not divided further.
SMALL: Final = 13
#: Screens are wider than high, and so is the picture.
STRETCH: Final = 1.35
#: Pairs looked at in one step: few enough to stay in the processor's cache.
_BLOCK: Final = 120_000
_GOLDEN_ANGLE: Final = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is drawn, and with whom: communities are numbered from the largest, 0."""

    x: int
    y: int
    community: int


def place(count: int, links: Iterable[tuple[int, int]], *, radii: Sequence[float]) -> list[Place]:
    """Return a place for each of the nodes ``0 .. count - 1``, in order.

    ``links`` may repeat and may join a node to itself; ``radii`` are the sizes in which nodes are
    drawn, so that none covers another.
    """
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    for one, other in links:
        if one != other:
            weights[min(one, other), max(one, other)] += 1.0
    communities = _communities(count, weights)
    if not communities:
        return []
    home = {node: index for index, group in enumerate(communities) for node in group}
    inner: list[list[tuple[int, int, float]]] = [[] for _ in communities]
    outer: list[tuple[int, int, float]] = []
    for (one, other), weight in sorted(weights.items()):
        if home[one] == home[other]:
            inner[home[one]].append((one, other, weight))
        else:
            outer.append((one, other, weight))

    local = numpy.zeros((count, 2))
    disc = numpy.zeros(len(communities))
    for index, group in enumerate(communities):
        if inner[index]:
            position = _inside(group, inner[index], radii)
        else:
            position = _sunflower(len(group), 2 * max(radii[node] for node in group) + 8)
        local[group] = position
        reach = numpy.sqrt(position[:, 0] ** 2 + position[:, 1] ** 2)
        disc[index] = float(numpy.max(reach + numpy.array([radii[node] for node in group])))

    linked = sorted({home[node] for one, other, _ in outer for node in (one, other)})
    core = linked or [0]
    centre = numpy.zeros((len(communities), 2))
    centre[core] = _discs(disc[core], _between(core, home, outer))
    _fill(centre, disc, core)
    if outer:
        _turn(local, centre, communities, home, outer)
    membership = numpy.array([home[node] for node in range(count)])
    final = local + centre[membership]
    return [
        Place(round(float(x)), round(float(y)), home[node]) for node, (x, y) in enumerate(final)
    ]


def _communities(count: int, weights: dict[tuple[int, int], float]) -> list[list[int]]:
    """Return the communities as sorted lists of nodes, the largest first.

    Nodes without any link make one community together.
    """
    graph = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_weighted_edges_from((one, other, w) for (one, other), w in sorted(weights.items()))
    found: list[list[int]] = []
    single: list[int] = []
    for component in sorted(map(sorted, networkx.connected_components(graph))):
        if len(component) == 1:
            single.extend(component)
        elif len(component) < SMALL:
            found.append(component)
        else:
            # Rebuilt in order, since Louvain depends on the order of nodes and links.
            part = networkx.Graph()
            part.add_nodes_from(component)
            links = sorted((min(ends), max(ends)) for ends in graph.subgraph(component).edges())
            part.add_weighted_edges_from((*link, weights[link]) for link in links)
            # A higher resolution keeps the communities of a large graph small, but would take
            # the leaves off a small star.
            resolution = 1.5 if len(component) > 300 else 1.0
            groups = networkx.community.louvain_communities(part, resolution=resolution, seed=1)
            found.extend(_joined([sorted(group) for group in groups], links, weights))
    if single:
        found.append(single)
    return sorted(found, key=lambda group: (-len(group), group[0]))


def _joined(
    groups: list[list[int]],
    links: Sequence[tuple[int, int]],
    weights: dict[tuple[int, int], float],
) -> list[list[int]]:
    """Return ``groups`` with those of one or two nodes joined to the group they hang on most."""
    ordered = sorted(groups, key=lambda group: (len(group), group[0]))
    home = {node: index for index, group in enumerate(ordered) for node in group}
    pull: dict[int, defaultdict[int, float]] = {
        index: defaultdict(float) for index, group in enumerate(ordered) if len(group) < 3
    }
    for one, other in links:
        for here, there in ((home[one], home[other]), (home[other], home[one])):
            if here in pull and here != there:
                pull[here][there] += weights[one, other]
    goal = {
        index: min(pulls, key=lambda there: (-pulls[there], -len(ordered[there]), there))
        for index, pulls in pull.items()
        if pulls
    }
    joined: defaultdict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(ordered):
        seen = {index}
        while index in goal and goal[index] not in seen:
            index = goal[index]
            seen.add(index)
        joined[index].extend(group)
    return [sorted(group) for _, group in sorted(joined.items())]


def _sunflower(count: int, spacing: float) -> Array:
    """Return ``count`` points spread evenly over a disc, from its middle outwards."""
    points = []
    for index in range(count):
        reach, angle = spacing * math.sqrt(index), index * _GOLDEN_ANGLE
        points.append((round(reach * math.cos(angle), 3), round(reach * math.sin(angle), 3)))
    return numpy.array(points).reshape(count, 2)


def _inside(
    group: Sequence[int], links: Sequence[tuple[int, int, float]], radii: Sequence[float]
) -> Array:
    """Return positions for one community around its own middle, by forces (Fruchterman-Reingold).

    The best connected nodes start in the middle, so that few iterations do.
    """
    count = len(group)
    if count == 1:
        return numpy.zeros((1, 2))
    index = {node: i for i, node in enumerate(group)}
    degree = [0] * count
    for one, other, _ in links:
        degree[index[one]] += 1
        degree[index[other]] += 1
    order = sorted(range(count), key=lambda i: (-degree[i], i))
    position = numpy.zeros((count, 2))
    position[order] = _sunflower(count, LINK * 0.7)
    sources = numpy.array([index[one] for one, _, _ in links], dtype=numpy.intp)
    targets = numpy.array([index[other] for _, other, _ in links], dtype=numpy.intp)
    size = numpy.array([radii[node] for node in group])
    rounds = 100 if count <= 400 else 70
    for step in range(rounds):
        force = _repulsion(position, LINK * LINK)
        span = position[targets] - position[sources]
        length = numpy.sqrt(span[:, 0] ** 2 + span[:, 1] ** 2)
        pull = span * (length / LINK)[:, None]
        for axis in (0, 1):
            force[:, axis] += numpy.bincount(sources, pull[:, axis], count)
            force[:, axis] -= numpy.bincount(targets, pull[:, axis], count)
        force -= position * 1.5
        strength = numpy.sqrt(force[:, 0] ** 2 + force[:, 1] ** 2) + 1e-9
        heat = LINK * 0.9 * (1 - step / rounds) ** 1.5 + 0.5
        position += force * (numpy.minimum(strength, heat) / strength)[:, None]
    for _ in range(40):
        if not _push_apart(position, size, 7.0):
            break
    middle: Array = numpy.add.reduce(position, axis=0) / count
    return position - middle


def _repulsion(position: Array, strength: float) -> Array:
    """Return the sum of ``strength / distance`` away from every other node, for each node."""
    count = len(position)
    force = numpy.zeros((count, 2))
    block = max(1, _BLOCK // count)
    x, y = position[:, 0], position[:, 1]
    for start in range(0, count, block):
        others = slice(start, start + block)
        dx = x[None, :] - x[others, None]
        dy = y[None, :] - y[others, None]
        scale = strength / numpy.maximum(dx * dx + dy * dy, 25.0)
        # Adding along the first axis adds row by row, in order, on every processor.
        force[:, 0] += numpy.add.reduce(dx * scale, axis=0)
        force[:, 1] += numpy.add.reduce(dy * scale, axis=0)
    return force


def _push_apart(position: Array, size: Array, margin: float) -> bool:
    """Move nodes that overlap away from each other, in place; return whether any did."""
    count = len(position)
    moved = False
    block = max(1, _BLOCK // count)
    shift = numpy.zeros((count, 2))
    for start in range(0, count, block):
        others = slice(start, start + block)
        dx = position[None, :, 0] - position[others, 0, None]
        dy = position[None, :, 1] - position[others, 1, None]
        wanted = size[None, :] + size[others, None] + margin
        distance = numpy.sqrt(dx * dx + dy * dy)
        rows, columns = numpy.nonzero(distance < wanted)
        rows_absolute = rows + start
        keep = rows_absolute != columns
        rows, columns, rows_absolute = rows[keep], columns[keep], rows_absolute[keep]
        if not len(rows):
            continue
        moved = True
        apart = distance[rows, columns]
        lack = (wanted[rows, columns] - apart) * 0.5
        # Two nodes in one place part along a line that depends on who they are.
        same = apart < 1e-6
        ux = numpy.where(same, 1.0, dx[rows, columns] / numpy.where(same, 1.0, apart))
        uy = numpy.where(same, 0.0, dy[rows, columns] / numpy.where(same, 1.0, apart))
        sign = numpy.where(same & (rows_absolute > columns), -1.0, 1.0)
        shift[:, 0] += numpy.bincount(columns, ux * lack * sign, count) * 0.6
        shift[:, 1] += numpy.bincount(columns, uy * lack * sign, count) * 0.6
    position += shift
    return moved


def _between(
    core: Sequence[int], home: dict[int, int], outer: Sequence[tuple[int, int, float]]
) -> dict[tuple[int, int], float]:
    """Return the weight of the links between each two discs, by their positions in ``core``."""
    index = {community: i for i, community in enumerate(core)}
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    for one, other, weight in outer:
        a, b = index[home[one]], index[home[other]]
        weights[min(a, b), max(a, b)] += weight
    return dict(sorted(weights.items()))


def _discs(disc: Array, links: dict[tuple[int, int], float]) -> Array:
    """Return the middles of discs of radius ``disc``, near those that they are linked to."""
    count = len(disc)
    if count == 1:
        return numpy.zeros((1, 2))
    typical = float(numpy.max(disc)) * 1.1
    position = _sunflower(count, typical)
    sources = numpy.array([a for a, _ in links], dtype=numpy.intp)
    targets = numpy.array([b for _, b in links], dtype=numpy.intp)
    # Square roots keep one thick bundle from pulling everything into a clot.
    weight = numpy.sqrt(numpy.array(list(links.values())))
    mass = disc / typical
    rounds = 300 if count <= 300 else 120
    for step in range(rounds):
        dx = position[None, :, 0] - position[:, 0, None]
        dy = position[None, :, 1] - position[:, 1, None]
        distance = numpy.sqrt(dx * dx + dy * dy) + 1e-6
        room = disc[:, None] + disc[None, :] + GAP
        gap = numpy.maximum(distance - room, GAP * 0.25)
        scale = (mass[:, None] * mass[None, :]) * (typical * GAP * 3.0) / (gap * distance)
        numpy.fill_diagonal(scale, 0.0)
        force = numpy.empty((count, 2))
        force[:, 0] = numpy.add.reduce(dx * scale, axis=0)
        force[:, 1] = numpy.add.reduce(dy * scale, axis=0)
        span = position[targets] - position[sources]
        length = numpy.sqrt(span[:, 0] ** 2 + span[:, 1] ** 2) + 1e-6
        free = numpy.maximum(length - disc[sources] - disc[targets] - GAP, 0.0)
        pull = span * (weight * free / length * 0.05)[:, None]
        for axis in (0, 1):
            force[:, axis] += numpy.bincount(sources, pull[:, axis], count)
            force[:, axis] -= numpy.bincount(targets, pull[:, axis], count)
        force[:, 0] -= position[:, 0] * (0.06 * mass)
        force[:, 1] -= position[:, 1] * (0.06 * STRETCH * STRETCH * mass)
        strength = numpy.sqrt(force[:, 0] ** 2 + force[:, 1] ** 2) + 1e-9
        heat = typical * 0.5 * (1 - step / rounds) ** 1.5 + 1.0
        position += force * (numpy.minimum(strength, heat) / strength)[:, None]
    turns = 300 if count <= 150 else 100
    for _ in range(turns):
        # Pull together, push apart: discs end up close and none covers another.
        position *= 1 - 1.5 / turns
        for _ in range(4):
            if not _push_apart(position, disc, GAP):
                break
    for _ in range(200):
        if not _push_apart(position, disc, GAP * 0.6):
            break
    return position


def _fill(centre: Array, disc: Array, core: Sequence[int]) -> None:
    """Move the discs outside ``core`` into free places around it, in place, largest first."""
    middle = (centre[core].max(axis=0) + centre[core].min(axis=0)) / 2
    centre[core] -= middle
    placed = list(core)
    inside = set(core)
    rest = sorted((i for i in range(len(disc)) if i not in inside), key=lambda i: (-disc[i], i))
    angles = [index * _GOLDEN_ANGLE for index in range(90)]
    rays = numpy.array([(round(math.cos(a), 6), round(math.sin(a), 6)) for a in angles])
    rays[:, 0] *= STRETCH
    reach = 0.0
    for index in rest:
        step = max(float(disc[index]) * 0.5, GAP * 0.5)
        reach = max(reach - 3 * step, 0.0)
        room = disc[placed] + disc[index] + GAP
        while True:
            spots = rays * reach
            dx = spots[:, 0, None] - centre[None, placed, 0]
            dy = spots[:, 1, None] - centre[None, placed, 1]
            free = (dx * dx + dy * dy >= room * room).all(axis=1)
            if free.any():
                centre[index] = spots[int(numpy.argmax(free))]
                break
            reach += step
        placed.append(index)


def _turn(
    local: Array,
    centre: Array,
    communities: Sequence[Sequence[int]],
    home: dict[int, int],
    outer: Sequence[tuple[int, int, float]],
) -> None:
    """Turn each disc, in place, so that its links to other discs become short."""
    ends: list[list[tuple[int, int]]] = [[] for _ in communities]
    for one, other, _ in outer:
        ends[home[one]].append((one, other))
        ends[home[other]].append((other, one))
    for _ in range(3):
        for index, group in enumerate(communities):
            if len(group) == 1 or not ends[index]:
                continue
            here = numpy.array([one for one, _ in ends[index]])
            there = numpy.array([other for _, other in ends[index]])
            homes = numpy.array([home[other] for _, other in ends[index]])
            goal = centre[homes] + local[there] - centre[index]
            start = local[here]
            along = math.fsum((start[:, 0] * goal[:, 0] + start[:, 1] * goal[:, 1]).tolist())
            across = math.fsum((start[:, 0] * goal[:, 1] - start[:, 1] * goal[:, 0]).tolist())
            angle = math.atan2(across, along)
            cosine, sine = round(math.cos(angle), 6), round(math.sin(angle), 6)
            x, y = local[list(group), 0].copy(), local[list(group), 1].copy()
            local[list(group), 0] = x * cosine - y * sine
            local[list(group), 1] = x * sine + y * cosine
