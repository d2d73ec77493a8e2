"""A graph as a folder: ``DIR/store/*.jsonl``, one value a line, sorted; and ``manifest.json``.

This is the one form that everything else reads: exporters, queries, lineage, review.  Lines can
be streamed, so a graph need not fit in memory.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

from kg.errors import NotFound, ReadError
from kg.values import Document, Edge, Entity, GraphView, Merge, Result

T = TypeVar("T")

FOLDER: Final = "store"
#: Beside the outputs: what builds and queries keep for the next time.
STATE: Final = ".kg"
MANIFEST: Final = "manifest.json"
_TYPES: Final[Mapping[str, type[Any]]] = {
    "documents": Document,
    "entities": Entity,
    "edges": Edge,
    "results": Result,
    "merges": Merge,
}
_Count: Final = Annotated[int, msgspec.Meta(ge=0)]
_Counts: Final = msgspec.defstruct("_Counts", [(name, _Count) for name in _TYPES])


def _no_graph(folder: Path) -> NotFound:
    """Return what to say of a folder that should hold a graph and does not."""
    make = f"kg build INPUT -o {folder}"
    if (folder / MANIFEST).is_file():
        what = f"holds the finished pages of a graph, but no {FOLDER}/ that could be asked"
        remedy = f"{make}, with the inputs that {MANIFEST} counts, or scripts/demo makes it"
    else:
        what = "holds no graph" if folder.is_dir() else "is no folder with a graph"
        what, remedy = f"{what} (no {MANIFEST})", f"{make} makes one"
    return NotFound(f"{folder} {what}; {remedy}")


class Lines(Collection[T], Generic[T]):
    """A collection on disk: iterating reads the file anew, a value at a time."""

    def __init__(self, path: Path, kind: type[T], length: int) -> None:
        self._path = path
        self._decode = msgspec.json.Decoder(kind).decode
        self._length = length

    def __iter__(self) -> Iterator[T]:
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    value = self._decode(line)
                except (msgspec.DecodeError, ValueError) as error:
                    raise ReadError(
                        f"{self._path}, line {number}: {error}; build the graph again"
                    ) from error
                yield value

    def __len__(self) -> int:
        return self._length

    def __contains__(self, value: object) -> bool:
        return any(value == other for other in self)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest at ``path``; raises :class:`ReadError` where that is none of kg's."""
    try:
        known = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        msgspec.convert(known.get("counts"), _Counts)
    except msgspec.DecodeError as error:
        raise ReadError(f"{path}: is no manifest of kg ({error}); build the graph again") from error
    return known


class StoredGraph:
    """The graph in a folder that ``kg build`` wrote; a :class:`kg.values.GraphView`."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        manifest = self.folder / MANIFEST
        if not manifest.is_file():
            raise _no_graph(self.folder)
        known = read_manifest(manifest)
        if not (self.folder / FOLDER).is_dir():
            raise _no_graph(self.folder)
        self.manifest: Mapping[str, Any] = known

    def _lines(self, name: str) -> Lines[Any]:
        count = int(self.manifest["counts"][name])
        return Lines(self.folder / FOLDER / f"{name}.jsonl", _TYPES[name], count)

    @property
    def documents(self) -> Collection[Document]:
        """Every document that was read, by id."""
        return self._lines("documents")

    @property
    def entities(self) -> Collection[Entity]:
        """Every entity, by id."""
        return self._lines("entities")

    @property
    def edges(self) -> Collection[Edge]:
        """Every edge of any status, by subject, relation and object."""
        return self._lines("edges")

    @property
    def results(self) -> Collection[Result]:
        """Every score, by subject, benchmark, metric and value."""
        return self._lines("results")

    @property
    def merges(self) -> Collection[Merge]:
        """Every merge of names, by entity and name."""
        return self._lines("merges")


def write_lines(path: Path, values: Iterable[object]) -> int:
    """Write ``values`` to ``path`` as JSON lines; return how many there were."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    count = 0
    with path.open("wb") as lines:
        for value in values:
            lines.write(encode(value) + b"\n")
            count += 1
    return count


def counts(graph: GraphView) -> dict[str, int]:
    """Return how many documents, entities, edges, results and merges there are."""
    return {name: len(getattr(graph, name)) for name in _TYPES}


def write(graph: GraphView, folder: str | os.PathLike[str]) -> None:
    """Write ``graph`` into ``folder`` in the form that :class:`StoredGraph` reads."""
    home = Path(folder) / FOLDER
    home.mkdir(parents=True, exist_ok=True)
    written = {name: write_lines(home / f"{name}.jsonl", getattr(graph, name)) for name in _TYPES}
    manifest = {**graph.manifest, "counts": written}
    encoded = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2)
    (Path(folder) / MANIFEST).write_bytes(encoded + b"\n")
