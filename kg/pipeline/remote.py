"""Inputs and checkpoints on any file system that fsspec knows: S3, GCS, HDFS, HTTP, SSH, memory.

fsspec is imported only where a ``protocol://`` address is given.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from kg.errors import KGError, ReadError

_ENDING: Final = ".readings"
_Segment = list[tuple[bytes, bytes]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Segment).decode


def is_remote(place: object) -> bool:
    """Whether ``place`` is an address of fsspec and no file of this machine."""
    return isinstance(place, str) and "://" in place and not os.path.lexists(place)


def local_copy(address: str, folder: Path) -> Path:
    """Copy the file at ``address`` into ``folder`` and return where it is now."""
    folder.mkdir(exist_ok=True)
    name = Path(address.rpartition("/")[2]).name or "input"
    own = hashlib.sha256(address.encode()).hexdigest()[:8]
    target = folder / f"{own}-{name}"
    try:
        with _fsspec().open(address, "rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
    except (OSError, ValueError, ImportError) as error:
        raise ReadError(f"{address}: cannot be read ({error})") from error
    return target


class Segments:
    """Readings on a shared file system, a batch a file, for builds that begin on a new machine."""

    def __init__(self, address: str, version: str) -> None:
        fsspec = _fsspec()
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
            self._home = f"{self._root.rstrip('/')}/{hashlib.sha256(version.encode()).hexdigest()}"
            self._files.makedirs(self._home, exist_ok=True)
        except (OSError, ValueError, ImportError) as error:
            raise KGError(f"{address}: checkpoints cannot be kept there ({error})") from error

    def __iter__(self) -> Iterator[_Segment]:
        """Yield every batch that is there; one that was cut short is left out."""
        for path in sorted(self._files.ls(self._home, detail=False)):
            if not path.endswith(_ENDING):
                continue
            content = self._files.cat_file(path)
            try:
                yield _decode(content)
            except msgspec.DecodeError:
                continue

    def keep(self, readings: Iterable[tuple[bytes, bytes]]) -> None:
        """Write a batch under a name made of its documents."""
        batch = sorted(readings)
        if not batch:
            return
        name = hashlib.sha256(b"".join(own for own, _ in batch)).hexdigest()
        self._files.pipe_file(f"{self._home}/{name}{_ENDING}", _encode(batch))


def _fsspec() -> Any:
    try:
        importlib.import_module("fsspec.core")
        return importlib.import_module("fsspec")
    except ImportError as error:
        raise KGError("addresses with :// need fsspec: pip install 'mlkg[dask]'") from error
