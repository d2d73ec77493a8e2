"""kg as a library: build or load a graph, look at it, ask it, hand it on.

::

    import kg

    graph = kg.build(["papers.jsonl", "cards/"])
    for edge in graph.edges:
        print(edge.subject, edge.relation, edge.object, edge.evidence[0].sentence)
    print(graph.lineage("DeepSeek-R1"))
    graph.save("out")
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from kg import store
from kg.errors import KGError
from kg.text import counted
from kg.values import Document, Edge, Entity, GraphView, Merge, Result

if TYPE_CHECKING:
    import networkx
    import pandas
    import rdflib

    from kg.lineage import Direction, Lineage, Network
    from kg.ner import Gear
    from kg.query import Cell

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Table(Collection[T], Generic[T]):
    """A sorted collection of frozen values of one class, which pandas can have as a table."""

    def __init__(
        self,
        values: Collection[T],
        kind: type[T],
        more: Mapping[str, Callable[[T], object]] | None = None,
    ) -> None:
        self._values = values
        self._kind = kind
        #: Columns that :meth:`to_pandas` has besides the fields.
        self._more = more or {}

    def __iter__(self) -> Iterator[T]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, value: object) -> bool:
        return value in self._values

    def __repr__(self) -> str:
        return (
            f"<{len(self)} {type(next(iter(self))).__name__.lower()} values>"
            if len(self)
            else "<none>"
        )

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame with a row a value and a column a field, in the values' order.

        Confidences are ``float64``, text is text, and what is not stated is missing.  Tuples
        stay tuples; evidence becomes dictionaries, and a span in it ``{"start", "end"}``.  A
        table of nothing has its columns all the same.  Raises :class:`kg.errors.KGError` where
        pandas is absent.
        """
        try:
            import pandas
        except ImportError as error:
            raise KGError("to_pandas() needs pandas: pip install pandas") from error
        columns = [field.name for field in fields(self._kind)]  # type: ignore[arg-type]
        columns += self._more
        rows = [
            msgspec.to_builtins(value) | {name: of(value) for name, of in self._more.items()}
            for value in self
        ]
        return pandas.DataFrame(rows, columns=columns)


class KnowledgeGraph:
    """A graph in memory or on disk, with everything one does with it."""

    def __init__(self, view: GraphView) -> None:
        self._view = view

    @property
    def documents(self) -> Table[Document]:
        """What was read, by id."""
        return Table(self._view.documents, Document)

    @property
    def entities(self) -> Table[Entity]:
        """Models, datasets, benchmarks, methods, tasks and metrics, by id."""
        return Table(self._view.entities, Entity)

    @property
    def edges(self) -> Table[Edge]:
        """Typed edges of every status with their evidence, by subject, relation and object.

        As a data frame they have the names of both ends, the documents (joined by ``|``) and the
        best sentence, too.
        """
        more: dict[str, Callable[[Edge], object]] = {
            "subject_name": lambda edge: self._names.get(edge.subject, edge.subject),
            "object_name": lambda edge: self._names.get(edge.object, edge.object),
            "documents": lambda edge: "|".join(sorted({item.document for item in edge.evidence})),
            "sentence": lambda edge: edge.best.sentence,
        }
        return Table(self._view.edges, Edge, more)

    @property
    def results(self) -> Table[Result]:
        """Scores that documents state, with their evidence."""
        return Table(self._view.results, Result)

    @property
    def merges(self) -> Table[Merge]:
        """Which names were taken for one thing, and why."""
        return Table(self._view.merges, Merge)

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Versions, configuration, input hashes and counts."""
        return self._view.manifest

    def entity(self, name: str) -> Entity:
        """Return the entity called ``name``, whatever its case, blanks and hyphens, or by id.

        Raises :class:`kg.errors.NotFound`, which names the five nearest.
        """
        return self._network.find(name)

    def lineage(
        self,
        name: str,
        *,
        direction: Direction = "both",
        depth: int | None = None,
        relations: Iterable[str] | None = None,
        min_confidence: float = 0.0,
        inferred: bool = True,
        folded: bool = False,
    ) -> Lineage:
        """Return the family tree of the model called ``name``: see :func:`kg.lineage.trace`.

        ``str()`` of it is the tree as text.  Raises :class:`kg.errors.NotFound`.
        """
        from kg.lineage import trace

        return trace(
            self._network,
            name,
            direction=direction,
            depth=depth,
            relations=relations,
            min_confidence=min_confidence,
            inferred=inferred,
            folded=folded,
        )

    @cached_property
    def _network(self) -> Network:
        from kg.lineage import Network

        return Network(self._view)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {entity.id: entity.name for entity in self._view.entities}

    def __getstate__(self) -> dict[str, Any]:
        return {"_view": self._view}

    def query(self, sparql: str, **parameters: str) -> list[dict[str, Cell]] | Any:
        """Return the rows of a SELECT query, or of a canned question called ``sparql``.

        A row is a dictionary from variable to IRI or literal, in the query's order, numbers and
        booleans as Python's; ``None`` where it is unbound.  An ASK is ``True`` or ``False``, and
        CONSTRUCT and DESCRIBE give a row a triple.  Prefixes are preset.  Raises
        :class:`kg.errors.UsageError` on a query that does not parse.
        """
        from kg.query import select

        return select(self._view, sparql, **parameters)

    def to_networkx(self, *, flat: bool = False) -> networkx.MultiDiGraph:
        """Return a directed multigraph: nodes are entity ids, edge keys are relations.

        With ``flat`` attributes are texts and numbers, as in ``graph.graphml``, so that networkx
        can write them (``write_gexf``); without, :func:`kg.graph.from_networkx` is the inverse.
        """
        if flat:
            from kg.exporters.tables import flat_networkx

            return flat_networkx(self._view)
        from kg.graph import to_networkx

        return to_networkx(self._view)

    def to_rdflib(self) -> rdflib.Dataset:
        """Return an rdflib dataset; its default graph is the union of all."""
        from kg.exporters.rdf import to_rdflib

        return to_rdflib(self._view)

    def save(self, folder: str | os.PathLike[str], *, formats: Iterable[str] | None = None) -> Path:
        """Write the graph into ``folder`` in every format, or in ``formats``; return the folder."""
        from kg.pipeline.build import save

        return save(self._view, Path(folder), formats=formats)

    def __repr__(self) -> str:
        return (
            f"<KnowledgeGraph of {counted(len(self.documents), 'document')}: "
            f"{counted(len(self.entities), 'entity')}, {counted(len(self.edges), 'edge')}>"
        )

    def _repr_html_(self) -> str:
        from kg.exporters.html import notebook_html

        return notebook_html(self._view)


def build(
    inputs: Iterable[str | os.PathLike[str] | Document] | str | os.PathLike[str],
    *,
    gear: Gear = "fast",
    reader: str | None = None,
    overrides: str | os.PathLike[str] | None = None,
    min_confidence: float = 0.0,
) -> KnowledgeGraph:
    """Read papers and cards and return their graph, in memory.

    ``inputs`` are files, folders or :class:`kg.values.Document` values; ``gear`` is ``"fast"``
    or ``"accurate"``; ``overrides`` is an ``overrides.yaml``; what is less sure than
    ``min_confidence`` stays a candidate.  For what does not fit in memory
    use the command ``kg build``.  Raises :class:`kg.errors.ReadError` where an input cannot be
    read, or no document is in any; one bad record among good ones is left out with a warning in
    the log.
    """
    from kg import overrides as corrections
    from kg.assemble import assemble
    from kg.assemble.documents import digest
    from kg.pipeline import reading
    from kg.pipeline.build import Settings, manifest
    from kg.pipeline.checkpoints import sums
    from kg.readers import Skipped, none_found
    from kg.readers import read as read_documents

    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    given = [Path(item) if isinstance(item, os.PathLike) else item for item in inputs]
    left_out: list[Skipped] = []

    def note(skipped: Skipped) -> None:
        left_out.append(skipped)
        level = logging.WARNING if skipped.lost or skipped.warns else logging.INFO
        logger.log(level, "%s", skipped)

    kinds: dict[bytes, str] = {}

    def counted_in(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            kinds[digest(document)] = document.kind
            yield document

    documents = read_documents(given, reader=reader, on_skip=note)
    first = next(documents, None)
    if first is None:
        raise none_found(given, left_out)
    rules = corrections.load(overrides) if overrides is not None else corrections.Overrides()
    readings = reading.read(counted_in(chain([first], documents)), gear=gear)
    graph = assemble(readings, overrides=rules, min_confidence=min_confidence)
    settings = Settings(gear, rules, min_confidence=min_confidence)
    lost = sum(skipped.lost for skipped in left_out)
    described = manifest(sums(sorted(kinds.items())), reading.version(gear), settings, lost)
    return KnowledgeGraph(replace(graph, manifest={**described, "counts": store.counts(graph)}))


def load(folder: str | os.PathLike[str]) -> KnowledgeGraph:
    """Return the graph that ``kg build`` wrote into ``folder``; it is streamed from there.

    Raises :class:`kg.errors.NotFound` where there is none.
    """
    return KnowledgeGraph(store.StoredGraph(folder))
