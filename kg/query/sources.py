"""Where the triples of a graph are found: in its folder, or in any RDF file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kg.errors import NotFound
from kg.exporters import FILES
from kg.query.worker import MEMORY, Opening
from kg.store import FOLDER, STATE, StoredGraph


@contextmanager
def opening(where: Path, *, memory: int = MEMORY, on_disk: bool | None = None) -> Iterator[Opening]:
    """Give what a query process is started with, for a graph's folder or an RDF file.

    A folder without ``graph.nq`` is exported for the time being; of finished pages without a store,
    ``graph.ttl`` is what can be asked.  ``on_disk`` decides about a
    store on disk instead of the size.  Raises :class:`kg.errors.NotFound` where there is neither.
    """
    if where.is_file():
        yield Opening(str(where), memory=memory)
        return
    if not where.is_dir():
        raise NotFound(f"no folder or RDF file is called {str(where)!r}")
    with tempfile.TemporaryDirectory(prefix="kg-") as scratch:
        state = where / STATE
        writable = os.access(state if state.is_dir() else where, os.W_OK)
        cache = state / "oxigraph" if writable else Path(scratch) / "oxigraph"
        dump = where / FILES["nquads"]
        pages = where / FILES["turtle"]
        if not dump.is_file() and not (where / FOLDER).is_dir() and pages.is_file():
            dump = pages
        if not dump.is_file():
            from kg.exporters.rdf import write_nquads

            dump = Path(scratch) / dump.name
            write_nquads(StoredGraph(where), dump)
        yield Opening(str(dump), str(cache), on_disk, memory)
