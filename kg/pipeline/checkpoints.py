"""What was found in each document, kept on disk, so that no work is done twice.

A reading depends on its document and on the version of what read it, and is kept under both.
SQLite in WAL mode: after SIGKILL, every batch that was committed is there, and none in half.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from kg.assemble.documents import digest
from kg.values import Document, LocalEdge, LocalEntity, LocalResult, Reading

_TABLES = """
CREATE TABLE IF NOT EXISTS document (digest BLOB PRIMARY KEY, id TEXT, kind TEXT, value BLOB);
CREATE INDEX IF NOT EXISTS document_id ON document (id, digest);
CREATE TABLE IF NOT EXISTS member (generation INTEGER, digest BLOB,
    PRIMARY KEY (generation, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reading (digest BLOB, version TEXT, value BLOB,
    PRIMARY KEY (digest, version));
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
_BATCH = 2_000

_Found = tuple[tuple[LocalEntity, ...], tuple[LocalEdge, ...], tuple[LocalResult, ...]]
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_document = msgspec.json.Decoder(Document).decode
_decode_found = msgspec.json.Decoder(_Found).decode


def pack(value: Document | Reading) -> bytes:
    """Return a document, or what a reading found in its document, in few bytes."""
    plain: Any = value
    if isinstance(value, Reading):
        plain = (value.entities, value.edges, value.results)
    return zlib.compress(_encode(plain), 1)


def unpack_document(packed: bytes) -> Document:
    """Return the document that :func:`pack` packed."""
    return _decode_document(zlib.decompress(packed))


def unpack_reading(document: Document, packed: bytes) -> Reading:
    """Return the reading of ``document`` that :func:`pack` packed."""
    return Reading(document, *_decode_found(zlib.decompress(packed)))


def as_given(document: Document) -> Document:
    """Return a document of a graph as it was read, under the id that it had then.

    The inverse of what :func:`kg.assemble.documents.distinct` does to one of several of an id.
    """
    given, _, ending = document.id.rpartition("~")
    plain = replace(document, id=given)
    return plain if digest(plain).hex()[:16] == ending else document


def sums(documents: Iterable[tuple[bytes, str]]) -> dict[str, tuple[int, str]]:
    """Return for each kind how many ``documents`` there are and a hash of them all.

    Each is its digest and its kind, in the order of the digests, each digest once.
    """
    hashes: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for own, kind in documents:
        hashes.setdefault(kind, hashlib.sha256()).update(own)
        counts[kind] = counts.get(kind, 0) + 1
    return {kind: (counts[kind], hashes[kind].hexdigest()) for kind in sorted(hashes)}


class Checkpoints:
    """The documents of a graph and their readings, in one SQLite file; a context manager."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_TABLES)

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    # ------------------------------------------------------------ documents

    @property
    def current(self) -> int:
        """The generation of documents that the published graph rests on; 0 before the first."""
        found = self._database.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
        return int(found[0]) if found else 0

    def collect(self, documents: Iterable[Document], *, keep: bool = False) -> tuple[int, int]:
        """Make ``documents`` the next generation; return its number and how many came twice.

        With ``keep``, the documents of the current generation belong to it too.
        """
        run = self._database.execute
        generation = self.current + 1
        run("BEGIN")
        run("DELETE FROM member WHERE generation <> ?", (self.current,))
        if keep:
            run(
                "INSERT INTO member SELECT ?, digest FROM member WHERE generation = ?",
                (generation, self.current),
            )
        repeated = 0
        for count, document in enumerate(documents, 1):
            own = digest(document)
            added = run("INSERT OR IGNORE INTO member VALUES (?, ?)", (generation, own))
            if not added.rowcount:
                repeated += 1
            elif not run("SELECT 1 FROM document WHERE digest = ?", (own,)).fetchone():
                row = (own, document.id, document.kind, pack(document))
                run("INSERT INTO document VALUES (?, ?, ?, ?)", row)
            if count % _BATCH == 0:
                run("COMMIT")
                run("BEGIN")
        run("COMMIT")
        return generation, repeated

    def without(self, ids: Iterable[str]) -> tuple[int, list[str]]:
        """Make the current documents but those called ``ids`` the next generation.

        An id takes all documents that were given it; the longer one that the graph gives to one
        of several (``id~digest``) takes that one.  Returns the generation's number and those of
        ``ids`` that no document has.
        """
        run = self._database.execute
        generation = self.current + 1
        run("BEGIN")
        run("DELETE FROM member WHERE generation <> ?", (self.current,))
        run(
            "INSERT INTO member SELECT ?, digest FROM member WHERE generation = ?",
            (generation, self.current),
        )
        missing = []
        for id_ in ids:
            gone = run(
                "DELETE FROM member WHERE generation = ? AND digest IN"
                " (SELECT digest FROM document WHERE id = ?)",
                (generation, id_),
            ).rowcount
            if not gone:
                # One of several documents of one id, as the graph calls it.
                given, _, ending = id_.rpartition("~")
                gone = run(
                    "DELETE FROM member WHERE generation = ? AND digest IN (SELECT digest"
                    " FROM document WHERE id = ? AND lower(substr(hex(digest), 1, 16)) = ?)",
                    (generation, given, ending),
                ).rowcount
            if not gone:
                missing.append(id_)
        run("COMMIT")
        return generation, missing

    def count(self, generation: int) -> int:
        """Return the number of documents in a generation."""
        found = self._database.execute(
            "SELECT count(*) FROM member WHERE generation = ?", (generation,)
        )
        return int(found.fetchone()[0])

    def gone(self, generation: int) -> int:
        """Return how many ids of the current generation no document of ``generation`` has."""
        ids = "SELECT id FROM document JOIN member USING (digest) WHERE generation = ?"
        found = self._database.execute(
            f"SELECT count(*) FROM ({ids} EXCEPT {ids})",  # noqa: S608 - no word of others in it
            (self.current, generation),
        )
        return int(found.fetchone()[0])

    def ids(self, generation: int) -> Iterator[str]:
        """Yield the ids of a generation's documents, sorted."""
        for (id_,) in self._database.execute(
            "SELECT id FROM document JOIN member USING (digest) WHERE generation = ? ORDER BY id",
            (generation,),
        ):
            yield id_

    def shared(self, generation: int) -> Iterator[tuple[str, int]]:
        """Yield each id that several documents of a generation have, and how many they are."""
        yield from self._database.execute(
            "SELECT id, count(*) FROM document JOIN member USING (digest) WHERE generation = ?"
            " GROUP BY id HAVING count(*) > 1 ORDER BY id",
            (generation,),
        )

    def sums(self, generation: int) -> dict[str, tuple[int, str]]:
        """Return for each kind of document how many there are and a hash of them all."""
        found = self._database.execute(
            "SELECT digest, kind FROM document JOIN member USING (digest) WHERE generation = ?"
            " ORDER BY digest",
            (generation,),
        )
        return sums(found)

    # ------------------------------------------------------------ readings

    def missing(self, generation: int, version: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield digest and packed document of each document that has no reading yet."""
        # By pages, since readings are written while the caller goes through them.
        last = b""
        while True:
            page = self._database.execute(
                "SELECT d.digest, d.value FROM member m JOIN document d USING (digest)"
                " LEFT JOIN reading r ON r.digest = d.digest AND r.version = ?"
                " WHERE m.generation = ? AND d.digest > ? AND r.digest IS NULL"
                " ORDER BY d.digest LIMIT 512",
                (version, generation, last),
            ).fetchall()
            if not page:
                return
            yield from page
            last = page[-1][0]

    def count_missing(self, generation: int, version: str) -> int:
        """Return how many documents of a generation have no reading yet."""
        found = self._database.execute(
            "SELECT count(*) FROM member m LEFT JOIN reading r"
            " ON r.digest = m.digest AND r.version = ?"
            " WHERE m.generation = ? AND r.digest IS NULL",
            (version, generation),
        )
        return int(found.fetchone()[0])

    def keep(self, version: str, readings: Iterable[tuple[bytes, bytes]]) -> None:
        """Store readings by the digest of their documents, all of them or none."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)",
            ((own, version, packed) for own, packed in readings),
        )
        self._database.execute("COMMIT")

    def take(
        self, generation: int, version: str, segments: Iterable[list[tuple[bytes, bytes]]]
    ) -> None:
        """Store what ``segments`` hold of ``generation``, in the place of any that are there."""
        for segment in segments:
            known = [
                (own, packed)
                for own, packed in segment
                if self._database.execute(
                    "SELECT 1 FROM member WHERE generation = ? AND digest = ?", (generation, own)
                ).fetchone()
            ]
            self.keep(version, known)

    def readings(self, generation: int, version: str) -> Iterator[Reading]:
        """Yield the readings of a generation by document id; documents of one id by digest."""
        found = self._database.execute(
            "SELECT d.value, r.value FROM document d JOIN member m USING (digest)"
            " JOIN reading r ON r.digest = d.digest AND r.version = ?"
            " WHERE m.generation = ? ORDER BY d.id, d.digest",
            (version, generation),
        )
        for document, packed in found:
            yield unpack_reading(unpack_document(document), packed)

    # ------------------------------------------------------------ bookkeeping

    def adopt(self, generation: int) -> None:
        """Make ``generation`` the current one."""
        self._database.execute(
            "INSERT OR REPLACE INTO meta VALUES ('generation', ?)", (str(generation),)
        )

    def settle(self, generation: int, version: str) -> None:
        """Make ``generation`` the current one and forget what it does not rest on."""
        run = self._database.execute
        run("BEGIN")
        self.adopt(generation)
        run("DELETE FROM member WHERE generation <> ?", (generation,))
        run("DELETE FROM document WHERE digest NOT IN (SELECT digest FROM member)")
        run(
            "DELETE FROM reading WHERE version <> ? OR digest NOT IN (SELECT digest FROM member)",
            (version,),
        )
        run("COMMIT")
