"""Inputs and checkpoints on any file system that fsspec knows: S3, GCS, HDFS, HTTP, SSH, memory.

fsspec is imported only where a ``protocol://`` address is given.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from kg.errors import KGError, ReadError

_ENDING: Final = ".readings"
#: Protocols whose addresses begin with the name of a machine, which is no folder.
_WITH_HOST: Final = ("http", "https", "ftp", "sftp", "ssh", "smb", "hdfs", "webhdfs")
_Segment = list[tuple[bytes, bytes]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Segment).decode


def is_remote(place: object) -> bool:
    """Whether ``place`` is an address of fsspec and no file of this machine."""
    return isinstance(place, str) and "://" in place and not os.path.lexists(place)


def local_copy(address: str, folder: Path) -> Path:
    """Copy the file at ``address`` into ``folder`` and return where it is now."""
    # The readers know a card's repository by the folders above it, and no folder of ours may pass
    # for one: the name of a repository does not begin with an underscore.
    own = f"_{hashlib.sha256(address.encode()).hexdigest()[:8]}"
    target = folder.joinpath(own, *_names(address))
    with _told(ReadError, f"{address}: cannot be read", "you may read it"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _fsspec().open(address, "rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
    return target


def _names(address: str) -> list[str]:
    """Return the folders and the file that an address names; none leads upwards.

    Left out are a host, a query, and what the Hub puts between a repository and its files.
    """
    link = next(link for link in address.split("::") if "://" in link)
    protocol, _, path = link.partition("://")
    if protocol in ("http", "https"):
        path = re.split("[?#]", path, maxsplit=1)[0]
        path = re.sub(r"/(?:raw|resolve|blob)/[^/]+/(?=[^/]+$)", "/", path)
    names = re.split(r"[/\\]", path)[protocol in _WITH_HOST :]
    return [name for name in names if name not in ("", ".", "..")] or ["input"]


@contextmanager
def _told(kind: type[KGError], what: str, allowed: str) -> Iterator[None]:
    """Turn whatever a file system raises (not all of it is an ``OSError``) into one sentence."""
    try:
        yield
    except KGError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # a full disk has its own sentence
        reason = " ".join(str(error).split()) or type(error).__name__
        raise kind(f"{what} ({reason}); check the address, and that {allowed}") from error


class Segments:
    """Readings on a shared file system, a batch a file, for builds that begin on a new machine."""

    def __init__(self, address: str, version: str) -> None:
        fsspec = _fsspec()
        self._address = address
        with self._told():
            self._files, self._root = fsspec.core.url_to_fs(address)
            self._home = f"{self._root.rstrip('/')}/{hashlib.sha256(version.encode()).hexdigest()}"
            self._files.makedirs(self._home, exist_ok=True)

    def __iter__(self) -> Iterator[_Segment]:
        """Yield every batch that is there; one that was cut short is left out."""
        with self._told():
            paths = sorted(self._files.ls(self._home, detail=False))
        for path in paths:
            if not path.endswith(_ENDING):
                continue
            with self._told():
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
        with self._told():
            self._files.pipe_file(f"{self._home}/{name}{_ENDING}", _encode(batch))

    def _told(self) -> AbstractContextManager[None]:
        what = f"{self._address}: checkpoints cannot be kept there"
        return _told(KGError, what, "you may read and write there")


def _fsspec() -> Any:
    try:
        importlib.import_module("fsspec.core")
        return importlib.import_module("fsspec")
    except ImportError as error:
        raise KGError("addresses with :// need fsspec: pip install 'mlkg[dask]'") from error
