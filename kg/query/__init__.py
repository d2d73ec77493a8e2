"""Ask a graph in SPARQL.

:func:`ask` runs a query in a child process, which is ended at its time limit; :func:`select` asks
a graph that is in memory.  Prefixes are preset, and the default graph is the union of all.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kg.exporters import FILES
from kg.query.answers import Answer, Cell, Value, python_rows
from kg.query.canned import CannedQuestion, Parameter, question, questions
from kg.query.worker import Child, Job, Opening
from kg.values import GraphView

if TYPE_CHECKING:
    import pyoxigraph

__all__ = [
    "TIMEOUT",
    "Answer",
    "CannedQuestion",
    "Cell",
    "Child",
    "Job",
    "Opening",
    "Parameter",
    "Value",
    "ask",
    "load",
    "question",
    "questions",
    "select",
]

#: Seconds that a query may take unless told otherwise.
TIMEOUT: Final = 30.0


def ask(opening: Opening, job: Job, *, timeout: float | None = TIMEOUT) -> Answer:
    """Return the answer of the graph in a file, asked in a process of its own.

    Raises :class:`kg.errors.TimedOut`; the process is gone then.  Opening the graph does not
    count.
    """
    with Child(opening) as child:
        return child.ask(job, timeout=timeout)


def select(graph: GraphView, sparql: str, **parameters: str) -> list[dict[str, Cell]] | Any:
    """Return the rows of a query, or of a canned question called ``sparql``, as dictionaries.

    Of an ASK return whether it is so.  The graph is loaded into memory once; asking the same one
    again is quick.
    """
    from kg.query.running import answer

    text, name = sparql, "this query"
    if sparql in questions():
        text, name = questions()[sparql].sparql, sparql
    found = answer(_loaded(graph), Job(text, name, parameters))
    return found.boolean if found.kind == "boolean" else python_rows(found)


#: The graph that was asked last, and its store.
_LAST: list[tuple[GraphView, pyoxigraph.Store]] = []


def _loaded(graph: GraphView) -> pyoxigraph.Store:
    if not (_LAST and _LAST[0][0] is graph):
        _LAST[:] = [(graph, load(graph))]
    return _LAST[0][1]


def load(graph: GraphView) -> pyoxigraph.Store:
    """Return an Oxigraph store in memory that holds ``graph``, statements and provenance."""
    from kg.exporters.rdf import write_nquads
    from kg.query.stores import open_store

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILES["nquads"]
        write_nquads(graph, path)
        return open_store(path)
