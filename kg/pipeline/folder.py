"""The folder of a graph: one build at a time, and outputs that appear whole or not at all.

``DIR/.kg/`` holds what a build needs to go on after it was stopped:

- ``lock``: held by the running build; the operating system frees it when the build dies,
- ``readings.db``: what was found in each document (:mod:`kg.pipeline.checkpoints`),
- ``assembly.db``: scratch of the assembly, made anew by every build,
- ``new/``: outputs being written,
- ``ready/``: complete outputs, being moved into place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kg.errors import KGError, UsageError
from kg.store import FOLDER, MANIFEST

STATE: Final = ".kg"
_NEW: Final = "new"
_READY: Final = "ready"
_OLD: Final = "old"


class Busy(KGError):
    """Another build is at work in the same folder."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Make ``folder`` if need be, hold its lock, and give its state folder.

    Outputs that a stopped build had completed are moved into place first.
    """
    state = folder / STATE
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
    for path in sorted(new.rglob("*")):
        _sync(path)
    _sync(new)
    new.rename(folder / STATE / _READY)
    _sync(folder / STATE)
    _finish(folder)


def _finish(folder: Path) -> None:
    """Move complete outputs into place; the manifest goes first and comes last.

    A reader that looks in between finds no graph rather than half of one.
    """
    ready, old = folder / STATE / _READY, folder / STATE / _OLD
    shutil.rmtree(old, ignore_errors=True)
    if not ready.is_dir():
        return
    stale = set(written_files(folder))
    (folder / MANIFEST).unlink(missing_ok=True)
    old.mkdir()
    for path in sorted(ready.iterdir(), key=lambda path: (path.name == MANIFEST, path.name)):
        target = folder / path.name
        if target.is_dir() and not target.is_symlink():
            target.rename(old / path.name)
        path.rename(target)
        stale.discard(path.name)
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    _sync(folder)
    ready.rmdir()
    shutil.rmtree(old, ignore_errors=True)


def written_files(folder: Path) -> tuple[str, ...]:
    """Return the names of the files that the graph in ``folder`` consists of."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return ()
    try:
        names = msgspec.json.decode(manifest.read_bytes()).get("files", ())
    except (msgspec.DecodeError, AttributeError):
        return ()
    # A manifest is a file like any other: what it names must not lead out of the folder.
    return tuple(n for n in names if isinstance(n, str) and n == Path(n).name and n != FOLDER)


def check_target(folder: Path, names: list[str]) -> None:
    """Refuse to write over files that no kg has written."""
    if (folder / STATE).is_dir() or (folder / MANIFEST).is_file():
        return
    clashes = [name for name in names if (folder / name).exists()]
    if clashes:
        raise UsageError(
            f"{folder}: holds {', '.join(clashes)}, which kg has not written; "
            "choose a new or empty folder with -o"
        )


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
