"""The assembly of readings in SQLite, pass by pass.

1. Every entity of every document becomes a row with its key.
2. Keys that lead to one thing are joined: lexicon, abbreviations, makers' names, years.
3. Each group of rows falls into cells, and each cell becomes an entity with an id.
4. Every edge and score is carried over to those ids, grouped, and weighed.
5. Cycles of descent are cut at their weakest edge, and what follows from the edges is added.

Every query orders by a total order, so the same readings always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kg.assemble.corrections import Corrections
from kg.assemble.documents import digest, distinct
from kg.assemble.entities import Entities
from kg.assemble.keys import Keys
from kg.assemble.statements import Statements
from kg.assemble.tables import decode_document, decode_entity, opened
from kg.overrides import Overrides
from kg.values import Document, Edge, Entity, Graph, Merge, Reading, Result


class Assembly:
    """A graph in the making, in a SQLite file or in memory; a context manager.

    Feed it readings once with :meth:`add`, then iterate what comes out, as often as need be.
    """

    def __init__(
        self,
        path: Path | None = None,
        overrides: Overrides | None = None,
        min_confidence: float = 0.0,
    ) -> None:
        self._database = opened(path)
        self._overrides = overrides or Overrides()
        #: What a person might want to look at, as ``(kind, sentence)``.
        self.doubts: list[tuple[str, str]] = []
        self._entities = Entities(self._database)
        self._statements = Statements(self._database, self.doubts, min_confidence)

    def __enter__(self) -> Assembly:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    # ------------------------------------------------------------------ passes

    def add(self, readings: Callable[[], Iterable[Reading]]) -> None:
        """Assemble all of ``readings()``, which is called twice and gives the same both times.

        Documents have distinct ids; their order does not matter.
        """
        run = self._database.execute
        run("BEGIN")
        self._entities.collect(readings())
        Keys(self._database).point()
        self._entities.resolve()
        self._entities.identify()
        corrections = Corrections(self._database, self._overrides, self._entities.recompute)
        if self._overrides.rules:
            run("CREATE INDEX local_cell ON local (cell)")
            corrections.correct_entities()
            run("DROP INDEX cell_id")
            self._entities.identify()
        self._statements.connect(readings())
        if self._overrides.rules:
            corrections.correct_edges()
        self._statements.weigh()
        self._statements.cut_cycles()
        self._statements.infer(self.entities())
        for key, evidence in list(corrections.inferred()):
            self._statements.add_evidence(key, (evidence,))
        self._statements.cut_cycles()
        self.doubts += [("override", sentence) for sentence in corrections.unmatched]
        run("COMMIT")

    # ------------------------------------------------------------------ what comes out

    def documents(self) -> Iterator[Document]:
        """Yield every document, by id."""
        for (value,) in self._database.execute("SELECT value FROM document ORDER BY id"):
            yield decode_document(value)

    def entities(self) -> Iterator[Entity]:
        """Yield every entity, by id."""
        for id_, value in self._database.execute("SELECT id, value FROM cell ORDER BY id"):
            yield replace(decode_entity(value), id=id_)

    def edges(self) -> Iterator[Edge]:
        """Yield every edge of any status, by subject, relation and object."""
        return self._statements.edges()

    def results(self) -> Iterator[Result]:
        """Yield every score, by subject, benchmark, metric and value."""
        return self._statements.results()

    def merges(self) -> Iterator[Merge]:
        """Yield every merge of names, by entity and name."""
        found = self._database.execute(
            "SELECT DISTINCT c.id, m.name, m.reason, m.score, m.document FROM merge m"
            " JOIN cell c ON c.no = m.cell ORDER BY 1, 2, 3, 4, 5"
        )
        for row in found:
            yield Merge(*row)

    def graph(self) -> Graph:
        """Return the whole graph in memory."""
        return Graph(
            tuple(self.documents()),
            tuple(self.entities()),
            tuple(self.edges()),
            tuple(self.results()),
            tuple(self.merges()),
        )


def assemble(
    readings: Iterable[Reading], *, overrides: Overrides | None = None, min_confidence: float = 0.0
) -> Graph:
    """Return the graph of ``readings``, in memory; their order does not matter.

    What is less sure than ``min_confidence`` stays a candidate.  A reading that stands twice counts
    once; two documents with one id are told apart.
    """
    ordered = list(distinct(sorted(readings, key=_place)))
    with Assembly(overrides=overrides, min_confidence=min_confidence) as assembly:
        assembly.add(lambda: ordered)
        return assembly.graph()


def _place(reading: Reading) -> tuple[str, bytes]:
    return reading.document.id, digest(reading.document)
