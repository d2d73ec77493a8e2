"""Build a graph in a folder: read what is new, assemble everything, write every format.

The flow, top to bottom: :func:`build` collects documents, :func:`_read` finds what is in those
not read before, :func:`_write` assembles all readings and writes the outputs aside, and
:func:`kg.pipeline.folder.publish` puts them in place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from kg import __version__, store
from kg.assemble import Assembly
from kg.errors import ChecksFailed, KGError, NotFound
from kg.exporters import FILES, exporter, names
from kg.ner import Gear
from kg.overrides import Overrides
from kg.pipeline import folder as folders
from kg.pipeline import reading, workers
from kg.pipeline.checkpoints import Checkpoints, as_given
from kg.pipeline.remote import Segments, is_remote, local_copy
from kg.pipeline.report import write_report
from kg.readers import Skipped, none_found, read
from kg.text import nearest
from kg.values import Document, GraphView, Reading

T = TypeVar("T")

#: If more new documents than this fail, and none succeeds, the installation is at fault.
_SUSPICIOUS: Final = 9

#: Called with a stage, what is done of it, and its size where that is known.  A stage is one word
#: (``collect``, ``read``, ``assemble``, ``write``), which what it is at may follow.
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did."""

    folder: Path
    #: Numbers of documents, entities, edges, results and merges.
    counts: Mapping[str, int]
    #: Documents read now, and documents known from before.
    read: int
    reused: int
    #: Records that came more than once and count once.
    repeated: int
    #: Documents of the graph that was there before which are not in this one.
    gone: int
    #: Records that could not be read, each as a sentence with its place.
    skipped: tuple[str, ...]
    #: What was passed over without a loss: records of one id, files of other kinds.
    notes: tuple[str, ...]
    #: What was read, but perhaps not as it was meant.
    warnings: tuple[str, ...]
    #: What a person might want to look at, as ``(kind, sentence)``.
    doubts: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    run: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the content of a graph besides its documents."""

    gear: Gear = "fast"
    overrides: Overrides = field(default_factory=Overrides)
    formats: tuple[str, ...] = tuple(FILES)
    #: Edges that are less sure stay candidates.
    min_confidence: float = 0.0

    def described(self) -> dict[str, Any]:
        """Return the settings as the manifest shows them."""
        shown: dict[str, Any] = {"gear": self.gear, "overrides": len(self.overrides.rules)}
        return shown | ({"min_confidence": self.min_confidence} if self.min_confidence else {})


@dataclass(frozen=True, slots=True)
class Means:
    """How the work is done, which leaves no trace in the graph."""

    #: Processes that read; one a core where it is not given.
    jobs: int | None = None
    #: Address of a Dask scheduler whose workers read.
    scheduler: str | None = None
    #: An address of fsspec where readings are kept besides, for builds on other machines.
    checkpoints: str | None = None
    strict: bool = False
    progress: Progress | None = None


def build(
    inputs: Iterable[str | Path | Document],
    folder: str | os.PathLike[str],
    *,
    gear: Gear = "fast",
    reader: str | None = None,
    strict: bool = False,
    add: bool = False,
    formats: Iterable[str] = tuple(FILES),
    jobs: int | None = None,
    scheduler: str | None = None,
    checkpoints: str | None = None,
    overrides: Overrides | None = None,
    min_confidence: float = 0.0,
    progress: Progress | None = None,
) -> BuildReport:
    """Build the graph of ``inputs`` in ``folder`` and return what was done.

    What a former build in the same folder has read is not read again, whether that build ended
    or was stopped.  With ``add`` the documents of the present graph stay in it.  Inputs and
    ``checkpoints`` may be addresses that fsspec knows (``s3://...``).  Edges that are less sure
    than ``min_confidence`` stay candidates.
    """
    settings = Settings(gear, overrides or Overrides(), tuple(formats), min_confidence)
    left_out = _LeftOut()
    home = Path(folder)
    means = Means(jobs, scheduler, checkpoints, strict, progress)

    def collect(kept: Checkpoints) -> tuple[int, int]:
        if add:
            _restore(kept, home)
        local = [
            local_copy(str(place), home / folders.STATE / "inputs") if is_remote(place) else place
            for place in inputs
        ]
        documents = read(local, reader=reader, strict=strict, on_skip=left_out.take)
        generation, repeated = kept.collect(_counted(documents, "collect", progress), keep=add)
        if not kept.count(generation):
            # A graph of nothing would take the place of a good one.
            raise none_found(local, [*left_out.lost, *left_out.warnings, *left_out.notes])
        return generation, repeated

    return _rebuild(home, settings, collect, left_out, means)


def remove(
    folder: str | os.PathLike[str],
    documents: Iterable[str],
    *,
    overrides: Overrides | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Take ``documents`` (ids) out of the graph in ``folder``, with all that rested on them alone.

    The outcome equals a build without them, byte for byte.
    """
    home = Path(folder)
    graph = store.StoredGraph(home)
    configuration = graph.manifest.get("configuration", {})
    gear: Gear = "accurate" if configuration.get("gear") == "accurate" else "fast"
    written = set(graph.manifest.get("files", ()))
    formats = tuple(name for name in names() if FILES.get(name, name) in written)
    least = float(configuration.get("min_confidence", 0.0))
    settings = Settings(gear, overrides or Overrides(), formats, least)
    wanted = list(documents)

    def collect(kept: Checkpoints) -> tuple[int, int]:
        _restore(kept, home)
        generation, missing = kept.without(wanted)
        if missing:
            near = nearest(missing[0], kept.ids(kept.current))
            raise NotFound(f"no document is called {missing[0]!r}", nearest=near)
        return generation, 0

    return _rebuild(home, settings, collect, _LeftOut(), Means(progress=progress))


def save(graph: GraphView, folder: Path, *, formats: Iterable[str] | None = None) -> Path:
    """Write a finished ``graph`` into ``folder`` in every format, or in ``formats``."""
    wanted = tuple(FILES if formats is None else formats)
    with folders.locked(folder, _names(wanted)):
        new = folders.staged(folder)
        described = {**graph.manifest, "files": sorted(_names(wanted))}
        _write_formats(_Described(graph, described), new, wanted, None)
        folders.publish(folder)
    return folder


def manifest(
    sums: Mapping[str, tuple[int, str]], version: str, settings: Settings, skipped: int
) -> dict[str, Any]:
    """Return what the manifest says before files and counts; it holds no clock and no path.

    ``sums`` are those of the documents (:func:`kg.pipeline.checkpoints.sums`), ``version`` that
    of what read them.
    """
    described: dict[str, Any] = {
        "kg": __version__,
        "model": version,
        "configuration": settings.described(),
        "inputs": _inputs(sums),
    }
    encoded = msgspec.json.encode([described, settings.overrides.rules], order="sorted")
    run = hashlib.sha256(encoded).hexdigest()[:16]
    return {**described, "skipped": skipped, "run": run}


def _inputs(sums: Mapping[str, tuple[int, str]]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "documents": count, "sha256": digest}
        for kind, (count, digest) in sums.items()
    ]


# ---------------------------------------------------------------------- the steps


def _rebuild(
    home: Path,
    settings: Settings,
    collect: Callable[[Checkpoints], tuple[int, int]],
    left_out: _LeftOut,
    means: Means,
) -> BuildReport:
    for name in settings.formats:
        exporter(name)  # an unknown format is said before any work is done
    version = reading.version(settings.gear)
    with (
        folders.locked(home, [*_names(settings.formats), folders.REPORT]) as state,
        _full_disk(home),
        Checkpoints(state / "readings.db") as kept,
    ):
        generation, repeated = collect(kept)
        gone = kept.gone(generation)
        shutil.rmtree(state / "inputs", ignore_errors=True)
        total = kept.count(generation)
        fresh, failed = _read(kept, generation, version, settings.gear, means)
        if len(failed) == fresh > _SUSPICIOUS:
            # Not the texts are at fault then, and a graph of nothing would replace a good one.
            raise KGError(f"none of {fresh} documents could be read; the first: {failed[0]}")
        left_out.lost += failed
        left_out.notes += [
            f"{count} different records have the id {id_}; the same text counts once, others get "
            "a longer id"
            for id_, count in kept.shared(generation)
        ]
        described = {
            **manifest(kept.sums(generation), version, settings, len(left_out.lost)),
            "files": sorted([*_names(settings.formats), folders.REPORT]),
        }
        new = folders.staged(home)
        doubts = _assemble(kept, generation, version, settings, described, state, means.progress)
        graph = store.StoredGraph(new)
        _write_formats(graph, new, settings.formats, means.progress)
        write_report(
            graph, new / folders.REPORT, left_out.lost, left_out.notes, doubts, left_out.warnings
        )
        # First the memory, then the outputs: stopped in between, the next build makes them anew.
        kept.settle(generation, version)
        folders.publish(home)
    counts = {name: int(n) for name, n in graph.manifest["counts"].items()}
    return BuildReport(
        folder=home,
        counts=counts,
        read=fresh - len(failed),
        reused=total - fresh,
        repeated=repeated,
        gone=gone,
        skipped=tuple(left_out.lost),
        notes=tuple(left_out.notes),
        warnings=tuple(left_out.warnings),
        doubts=tuple(doubts),
        files=tuple(described["files"]),
        run=described["run"],
    )


def _restore(kept: Checkpoints, home: Path) -> None:
    """Where the checkpoints of the graph in ``home`` are gone, take its documents from its store.

    Refused where those are not all that the graph rests on: of one text that came twice a graph
    holds one document, and none of what could not be read.
    """
    if kept.current or not (home / store.MANIFEST).is_file():
        return
    graph = store.StoredGraph(home)
    generation, _ = kept.collect(map(as_given, graph.documents))
    if _inputs(kept.sums(generation)) != graph.manifest.get("inputs"):
        raise KGError(
            f"{home}: its checkpoints ({folders.STATE}/) are gone, and the graph does not hold all "
            "documents that it was built from; build it again, from all inputs and without --add"
        )
    kept.adopt(generation)


@dataclass(slots=True)
class _LeftOut:
    """What readers left out: records that were lost, notes that nothing was, and warnings."""

    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, skipped: Skipped) -> None:
        """Keep what a reader says of a record."""
        kept = self.lost if skipped.lost else self.warnings if skipped.warns else self.notes
        kept.append(str(skipped))


def _counted(
    values: Iterable[T],
    stage: str,
    progress: Progress | None,
    total: int | None = None,
    done: int = 0,
) -> Iterator[T]:
    """Yield ``values`` and tell of each hundredth that it is done, ``done`` being so before."""
    for number, value in enumerate(values, done + 1):
        yield value
        if progress and (number % 100 == 0 or number == total):
            progress(stage, number, total)


def _read(
    kept: Checkpoints,
    generation: int,
    version: str,
    gear: Gear,
    means: Means,
) -> tuple[int, list[str]]:
    """Read what has no reading yet; return how many documents that were, and what failed."""
    segments = Segments(means.checkpoints, version) if means.checkpoints else None
    if segments is not None:
        kept.take(generation, version, segments)
    work = kept.missing(generation, version)
    total = kept.count_missing(generation, version)
    jobs = means.jobs or os.cpu_count() or 1
    if means.scheduler and total:
        outcomes = workers.read_on_cluster(work, gear, means.scheduler)
    elif jobs > 1 and total >= workers.WORTHWHILE:
        outcomes = workers.read_in_processes(work, gear, jobs)
    else:
        outcomes = workers.read_here(work, gear)
    done = 0
    failed: list[str] = []
    if means.progress and total:
        means.progress("read", done, total)
    for chunk in outcomes:
        bad = [f"document {o.document}: {o.problem}" for o in chunk if o.problem]
        if bad and means.strict:
            raise ChecksFailed(f"{bad[0]}; --strict stops here")
        failed += bad
        good = [(o.digest, o.packed) for o in chunk if not o.problem]
        kept.keep(version, good)
        if segments is not None:
            segments.keep(good)
        done += len(chunk)
        if means.progress:
            means.progress("read", done, total)
    if done != total:
        raise KGError(
            f"{total - done} of {total} documents were not read; run the same command again: "
            "what was read is kept"
        )
    return total, sorted(failed)


def _assemble(
    kept: Checkpoints,
    generation: int,
    version: str,
    settings: Settings,
    described: Mapping[str, Any],
    state: Path,
    progress: Progress | None,
) -> list[tuple[str, str]]:
    from kg.assemble.documents import distinct

    scratch = state / "assembly.db"
    scratch.unlink(missing_ok=True)
    passes = count()
    total = kept.count(generation)

    def readings() -> Iterator[Reading]:
        # Two passes, the names and what is said of them, are one piece of work to who waits.
        stored = kept.readings(generation, version)
        before = next(passes) * total
        return distinct(_counted(stored, "assemble", progress, 2 * total, before))

    try:
        with Assembly(scratch, settings.overrides, settings.min_confidence) as assembly:
            assembly.add(readings)
            store.write(_Assembled(assembly, described), state / "new")
            return assembly.doubts
    finally:
        scratch.unlink(missing_ok=True)


def _write_formats(
    graph: GraphView, new: Path, formats: Iterable[str], progress: Progress | None
) -> None:
    if not isinstance(graph, store.StoredGraph):
        store.write(graph, new)
        graph = store.StoredGraph(new)
    names = sorted(formats)
    for done, name in enumerate(names):
        if progress:
            progress(f"write {FILES.get(name, name)}", done, len(names))
        exporter(name)(graph, new / FILES.get(name, name))
    if progress and names:
        progress("write", len(names), len(names))


def _names(formats: Iterable[str]) -> list[str]:
    return [FILES.get(name, name) for name in formats]


@contextmanager
def _full_disk(home: Path) -> Iterator[None]:
    """Turn what a full disk raises, in whichever library, into one sentence."""
    import errno
    import sqlite3

    advice = "free some and run the same command again: what was read is kept"
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise KGError(f"{home}: no space left on the disk; {advice}") from error
        raise
    except sqlite3.OperationalError as error:
        if any(word in str(error) for word in ("full", "disk I/O")):
            raise KGError(f"{home}: no space left on the disk; {advice}") from error
        raise KGError(f"{home}: cannot be written to ({error})") from error


class _Assembled:
    """An assembly as the store writes it: each collection is iterated once."""

    def __init__(self, assembly: Assembly, manifest: Mapping[str, Any]) -> None:
        self._assembly = assembly
        self.manifest = manifest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._assembly, name)()


class _Described:
    """A graph with another manifest."""

    def __init__(self, graph: GraphView, manifest: Mapping[str, Any]) -> None:
        self._graph = graph
        self.manifest = manifest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)
