"""Who comes from whom as whole numbers in arrays, so that closures of a large graph are quick.

Nodes are numbered, the edges of each node stand side by side (compressed rows), and a whole
generation is followed at once.  A generation of a few nodes, as along a chain, is followed node by
node: calling into arrays would cost more than it saves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

#: From so many nodes in a generation on, arrays are faster than a loop.
_WIDE: Final = 48


class Adjacency:
    """Edges of a directed graph whose nodes are the numbers below ``nodes``, by their start."""

    def __init__(self, nodes: int, starts: Numbers, ends: Numbers) -> None:
        order = np.argsort(starts, kind="stable").astype(np.int32)
        #: Where the edges of node ``n`` begin; those of ``n + 1`` begin where they end.
        self._first = np.zeros(nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(starts, minlength=nodes), out=self._first[1:])
        self._ends = np.ascontiguousarray(ends[order])
        #: The number of each edge in the order in which they were given.
        self._edge = order
        self._nodes = nodes

    def reach(self, roots: Sequence[int], admitted: Mask | None = None) -> tuple[Numbers, Numbers]:
        """Return all nodes that edges lead to from ``roots``, and the fewest edges to each.

        The roots themselves are left out.  Nodes stand in the order in which a search in breadth
        meets them.  ``admitted`` says of each edge, as given, whether it is followed.
        """
        followed = None if admitted is None else admitted[self._edge]
        seen = np.zeros(self._nodes, dtype=np.bool_)
        seen[list(roots)] = True
        place = np.zeros(self._nodes, dtype=np.int32)
        generation: Numbers = np.array(roots, dtype=np.int32)
        generations: list[Numbers] = []
        while True:
            if len(generation) < _WIDE:
                generation = self._step_by_node(generation, followed, seen)
            else:
                generation = self._step_at_once(generation, followed, seen, place)
            if not len(generation):
                break
            generations.append(generation)
        if not generations:
            nothing = np.zeros(0, dtype=np.int32)
            return nothing, nothing
        sizes = [len(found) for found in generations]
        hops = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int32), sizes)
        return np.concatenate(generations), hops

    def _step_by_node(self, generation: Numbers, followed: Mask | None, seen: Mask) -> Numbers:
        first, ends = self._first, self._ends
        found: list[int] = []
        for node in generation.tolist():
            begin, end = int(first[node]), int(first[node + 1])
            if begin == end:
                continue
            others = ends[begin:end]
            if followed is not None:
                others = others[followed[begin:end]]
            for other in others.tolist():
                if not seen[other]:
                    seen[other] = True
                    found.append(other)
        return np.array(found, dtype=np.int32)

    def _step_at_once(
        self, generation: Numbers, followed: Mask | None, seen: Mask, place: Numbers
    ) -> Numbers:
        begin = self._first[generation]
        counts = self._first[generation + 1] - begin
        before = np.cumsum(counts) - counts
        edges = np.repeat(begin - before, counts) + np.arange(int(counts.sum()))
        if followed is not None:
            edges = edges[followed[edges]]
        others = self._ends[edges]
        others = others[~seen[others]]
        # Each node once, at its first place: written from the back, the first place stays.
        places = np.arange(len(others), dtype=np.int32)
        place[others[::-1]] = places[::-1]
        found: Numbers = others[place[others] == places]
        seen[found] = True
        return found
