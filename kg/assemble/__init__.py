"""Many readings become one graph: names unified, statements weighed.

The graph is a function of the *set* of readings: their order, and how they were batched, leave
no trace in it.  Everything that grows with the corpus lives in SQLite, in memory for
:func:`assemble` and on disk for ``kg build``.
"""

from __future__ import annotations

from kg.assemble.assembly import Assembly, assemble

__all__ = ["Assembly", "assemble"]
