"""The folder of a graph: one build at a time, and outputs that appear whole or not at all.

``DIR/.kg/`` holds what a build needs to go on after it was stopped:

- ``lock``: held by the running build; the operating system frees it when the build dies,
- ``readings.db``: what was found in each document (:mod:`kg.pipeline.checkpoints`),
- ``assembly.db``: scratch of the assembly, made anew by every build,
- ``inputs/``: copies of inputs from elsewhere, while they are read,
- ``new/``: outputs being written,
- ``ready/``: complete outputs, being moved into place,
- ``old/``: what they replace, until the last of them is in its place,
- ``oxigraph/``: the graph on disk, if a query wanted it (:mod:`kg.query.sources`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from kg import exporters
from kg.errors import KGError, ReadError, UsageError
from kg.exporters import FILES
from kg.store import FOLDER, MANIFEST, read_manifest
from kg.store import STATE as STATE

REPORT: Final = "report.md"
_NEW: Final = "new"
_READY: Final = "ready"
_OLD: Final = "old"


class Busy(KGError):
    """Another build is at work in the same folder."""


@contextlib.contextmanager
def locked(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Make ``folder`` if need be, hold its lock, and give its state folder.

    Outputs that a stopped build had completed are moved into place first.  Refused where one of
    ``names``, which are to be written, is there and not of kg.
    """
    state = folder / STATE
    names = list(names)
    if not state.is_dir():
        _check(folder, names)  # first, to leave no trace in a folder of others
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise KGError(
            f"{folder}: cannot be written to ({error.strerror}); choose another folder with -o"
        ) from error
    try:
        _take(lock, folder)
        _finish(folder)
        _check(folder, names)
        yield state
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Busy(
            f"{folder}: another kg is building there; wait until it ends, or choose another folder"
        ) from error


def staged(folder: Path) -> Path:
    """Return an empty folder on the same disk to write new outputs into."""
    new = folder / STATE / _NEW
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    return new


def publish(folder: Path) -> None:
    """Put the staged outputs in the place of the old ones.

    Everything is on disk before the one rename that decides; what follows can be repeated by
    the next build if this one is stopped in between.
    """
    new = folder / STATE / _NEW
    _check(folder, [path.name for path in new.iterdir()])
    for path in sorted(new.rglob("*")):
        _sync(path)
    _sync(new)
    new.rename(folder / STATE / _READY)
    _sync(folder / STATE)
    _finish(folder)


def _finish(folder: Path) -> None:
    """Move complete outputs into place; the old manifest goes first, the new one comes last.

    A reader that looks in between finds no graph rather than half of one.  Stopped in between,
    this goes on where it was: both manifests are kept until nothing is left to do.
    """
    ready, old = folder / STATE / _READY, folder / STATE / _OLD
    if (ready / MANIFEST).is_file():
        old.mkdir(exist_ok=True)
        if (folder / MANIFEST).is_file():
            (folder / MANIFEST).replace(old / MANIFEST)
        for name in sorted(written(old) - written(ready)):
            if os.path.lexists(folder / name):
                (folder / name).replace(old / name)
        for path in sorted(ready.iterdir()):
            target = folder / path.name
            if path.name == MANIFEST:
                continue
            if target.is_dir() and not target.is_symlink():
                target.replace(old / path.name)
            path.replace(target)
        _sync(folder)
        (ready / MANIFEST).replace(folder / MANIFEST)
        _sync(folder)
    shutil.rmtree(ready, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def written(folder: Path) -> set[str]:
    """Return the names in ``folder`` that a kg wrote: those of its manifest, if that is kg's.

    A manifest is a file like any other: names that no kg writes are none of them.
    """
    try:
        listed = read_manifest(folder / MANIFEST)["files"]
        files = msgspec.convert(listed, list[str])
    except (OSError, KeyError, ReadError, msgspec.ValidationError):
        return set()
    outputs = {*(FILES.get(name, name) for name in exporters.names()), REPORT}
    return {FOLDER, MANIFEST, *outputs.intersection(files)}


def _check(folder: Path, names: list[str]) -> None:
    """Refuse to write over files that no kg has written."""
    foreign = {*names, FOLDER, MANIFEST} - written(folder)
    clashes = [name for name in sorted(foreign) if os.path.lexists(folder / name)]
    if clashes:
        raise UsageError(
            f"{folder}: holds {', '.join(clashes)}, which kg has not written; "
            "move that away, or choose a new or empty folder"
        )


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
