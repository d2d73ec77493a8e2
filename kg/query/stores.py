"""Graphs as Oxigraph stores: small ones in memory, large ones on disk beside the graph."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from kg.errors import NotFound, ReadError

#: RDF files by their ending.
FORMATS: Final = {
    ".nq": ox.RdfFormat.N_QUADS,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".ttl": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
}
#: Files above this size are kept as a store on disk: loading them anew would be slower.
LARGE: Final = 48 * 2**20
#: What begins the name of a store that is being made.
_NEW: Final = "new-"
#: Seconds after which one whose maker did not end it is given up.
_ABANDONED: Final = 24 * 3600
#: Open handles of the stores that this process uses, each with a shared lock.
_HELD: Final[list[int]] = []


def load(store: ox.Store, path: Path) -> None:
    """Load the RDF file ``path`` into ``store``; raise :class:`ReadError` where it is malformed."""
    if not path.is_file():
        raise NotFound(f"no RDF file is called {str(path)!r}")
    if path.suffix.lower() not in FORMATS:
        raise ReadError(
            f"{path}: cannot tell which RDF syntax this is; name it {', '.join(FORMATS)}"
        )
    try:
        store.bulk_load(path=str(path), format=FORMATS[path.suffix.lower()])
    except (SyntaxError, ValueError) as error:
        raise ReadError(f"{path}: {error}") from error


def open_store(path: Path, *, cache: Path | None = None, on_disk: bool | None = None) -> ox.Store:
    """Return a store with the RDF file ``path``.

    With ``cache`` (a folder), a large file is loaded once into a store on disk there, which is
    opened read-only from then on, by as many processes as like; it is named by the file's hash,
    so another file never answers in its place.  ``on_disk`` decides instead of the size.  Where
    ``path`` is the folder of a store on disk, that is opened, read-only.
    """
    if path.is_dir():
        return ox.Store.read_only(str(path))
    large = path.stat().st_size > LARGE if on_disk is None and path.is_file() else on_disk
    if cache is None or not large:
        store = ox.Store()
        load(store, path)
        return store
    return ox.Store.read_only(str(disk_store(path, cache)))


def disk_store(path: Path, cache: Path) -> Path:
    """Return the folder of the store on disk that holds the RDF file ``path``, made if need be.

    It stays as long as this process lives; others, unless they are in use, are removed when a new
    one is made.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    home = cache / digest
    if _held(home):
        return home
    cache.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=cache, prefix=_NEW))
    try:
        _held(new)  # the lock goes with the folder to its new name
        store = ox.Store(str(new))
        load(store, path)
        store.flush()
        del store
        os.rename(new, home)
    except OSError:
        # Whoever comes second finds the folder taken, by a store with the same content.
        if not _held(home):
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for other in cache.iterdir():
        if other.is_dir() and other != home:
            _remove_unused(other)
    return home


def _held(home: Path) -> bool:
    """Return whether there is a store in ``home``, which nobody else removes from now on."""
    if os.name == "posix" and home.is_dir():
        import fcntl

        # It may have been removed just now, or lie where there are no locks.
        with contextlib.suppress(OSError):
            _HELD.append(os.open(home, os.O_RDONLY))
            fcntl.flock(_HELD[-1], fcntl.LOCK_SH)
    return home.is_dir()


def _remove_unused(home: Path) -> None:
    """Remove the store in ``home``, unless a process uses it or is making it."""
    # It may be in use, or somebody else may be removing it.
    with contextlib.suppress(OSError), contextlib.ExitStack() as held:
        if home.name.startswith(_NEW) and time.time() - home.stat().st_mtime < _ABANDONED:
            return
        if os.name == "posix":
            import fcntl

            handle = os.open(home, os.O_RDONLY)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(home, ignore_errors=True)
