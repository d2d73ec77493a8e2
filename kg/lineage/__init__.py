"""Where a model comes from, what came of it, and how we know.

::

    lineage = trace(graph, "DeepSeek-R1")
    print(lineage)
"""

from __future__ import annotations

from kg.lineage.network import Filter, Hop, Network
from kg.lineage.tree import Coverage, Direction, Lineage, Step, trace
from kg.values import Entity, GraphView

__all__ = ["Coverage", "Direction", "Filter", "Hop", "Lineage", "Network", "Step", "find", "trace"]


def find(graph: GraphView, name: str) -> Entity:
    """Return the entity called ``name``, whatever its case, blanks and hyphens, or by id.

    Raises :class:`kg.errors.NotFound`, which names the five nearest.
    """
    return Network(graph).find(name)
