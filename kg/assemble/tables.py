"""The tables of an assembly, and how rows get into them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from kg.values import Document, Edge, Entity, Evidence

#: Rows that are written at once.
BATCH: Final = 5_000
_TABLES: Final = """
CREATE TABLE document (no INTEGER PRIMARY KEY, id TEXT UNIQUE, year INTEGER, value BLOB);
CREATE TABLE local (document INTEGER, n INTEGER, key TEXT, label TEXT, name TEXT,
    introduced INTEGER, mentions INTEGER, confidence REAL, repository TEXT, spellings BLOB,
    aliases BLOB, facts BLOB, root TEXT, cell INTEGER, PRIMARY KEY (document, n)) WITHOUT ROWID;
CREATE TABLE pair (key TEXT, long TEXT, spelling TEXT, score REAL, initials INTEGER,
    document INTEGER, n INTEGER);
CREATE TABLE known (key TEXT PRIMARY KEY, labels TEXT, name TEXT, documents INTEGER) WITHOUT ROWID;
CREATE TABLE pointer (key TEXT PRIMARY KEY, target TEXT, reason TEXT, score REAL,
    document TEXT) WITHOUT ROWID;
CREATE TABLE cell (no INTEGER PRIMARY KEY, type TEXT, name TEXT, slug TEXT, prefix TEXT,
    suffix TEXT, long TEXT, documents INTEGER, id TEXT, value BLOB);
CREATE TABLE merge (cell INTEGER, name TEXT, reason TEXT, score REAL, document TEXT);
CREATE TABLE reading (subject INTEGER, relation TEXT, object INTEGER, evidence BLOB);
CREATE TABLE score (subject INTEGER, "on" INTEGER, metric INTEGER, value TEXT, evidence BLOB);
CREATE TABLE edge (subject TEXT, relation TEXT, object TEXT, lineage INTEGER, status TEXT,
    value BLOB, PRIMARY KEY (subject, relation, object)) WITHOUT ROWID;
"""

encode = msgspec.json.Encoder().encode
decode_pairs = msgspec.json.Decoder(tuple[tuple[str, int], ...]).decode
decode_facts = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
decode_evidence = msgspec.json.Decoder(tuple[Evidence, ...]).decode
decode_entity = msgspec.json.Decoder(Entity).decode
decode_edge = msgspec.json.Decoder(Edge).decode
decode_document = msgspec.json.Decoder(Document).decode


def opened(path: Path | None) -> sqlite3.Connection:
    """Return a database with the empty tables, in the file ``path`` or in memory."""
    database = sqlite3.connect(path or ":memory:", isolation_level=None)
    # The file is scratch: it is made anew by every build, so it need not survive a crash.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
        database.execute(f"PRAGMA {pragma}")
    database.executescript(_TABLES)
    return database


class Inserts:
    """Rows for one table, written in batches."""

    def __init__(self, database: sqlite3.Connection, table: str, columns: int) -> None:
        self._database = database
        self._statement = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - our own table names
        self._rows: list[tuple[object, ...]] = []

    def add(self, row: tuple[object, ...]) -> None:
        """Write ``row``, now or later."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        self._database.executemany(self._statement, self._rows)
        self._rows.clear()
