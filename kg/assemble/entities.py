"""Rows become entities: each group of one key falls into cells, and each cell gets an id."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

from kg.assemble import spelling
from kg.assemble.corrections import Edit
from kg.assemble.keys import Keys, abbreviation, key_of
from kg.assemble.resolve import Cell, Row, cells, first_with, naming
from kg.assemble.tables import BATCH, Inserts, decode_entity, decode_facts, decode_pairs, encode
from kg.text import BARE_NUMBER, printed, slug
from kg.values import Entity, Reading

_ROWS: Final = """
SELECT d.id, d.year, l.n, l.key, l.label, l.name, l.introduced, l.mentions, l.confidence,
    l.repository, l.spellings, l.aliases, l.facts, s.n IS NOT NULL
FROM local l JOIN document d ON d.no = l.document
    LEFT JOIN spelt s ON s.document = l.document AND s.n = l.n
"""
_ROWS_OF: Final = {
    "root": _ROWS + "WHERE l.root = ? ORDER BY d.id, l.n",
    "cell": _ROWS + "WHERE l.cell = ? ORDER BY d.id, l.n",
}


class Entities:
    """The rows of an assembly, and the entities that they become."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._keys = Keys(database)

    def collect(self, readings: Iterable[Reading]) -> None:
        """Write a row for each entity of each document."""
        local, pair = Inserts(self._database, "local", 14), Inserts(self._database, "pair", 7)
        document = Inserts(self._database, "document", 4)
        for no, reading in enumerate(readings):
            source = reading.document
            document.add((no, source.id, source.year, encode(source)))
            for n, entity in enumerate(reading.entities):
                key = key_of(entity.canonical, entity.repository)
                spelt: defaultdict[str, int] = defaultdict(int)
                for mention in entity.mentions:
                    if mention.extractor != "elided":
                        surface = printed(mention.span.of(source.text))
                        if not BARE_NUMBER.fullmatch(surface):
                            spelt[surface] += 1
                own = {s: c for s, c in sorted(spelt.items()) if spelling.key(s) == key}
                other = {s: c for s, c in sorted(spelt.items()) if s not in own}
                for alias in entity.aliases:
                    if alias not in own:
                        other.setdefault(alias, 0)
                confidence = max((m.confidence for m in entity.mentions), default=0.9)
                local.add(
                    (
                        *(no, n, key, entity.label, entity.canonical, int(entity.introduced)),
                        *(len(entity.mentions), confidence, entity.repository),
                        *(encode(tuple(own.items())), encode(tuple(sorted(other.items())))),
                        *(encode(entity.facts), None, None),
                    )
                )
                for alias in sorted({*entity.aliases}):
                    if oriented := abbreviation(entity.canonical, alias):
                        pair.add((*oriented, no, n))
        for inserts in (local, pair, document):
            inserts.flush()
        self._database.execute("CREATE INDEX local_key ON local (key)")

    def resolve(self) -> None:
        """Give each row of ``local`` its root, then its cell."""
        run = self._database.execute
        run("CREATE TABLE rooted (key TEXT PRIMARY KEY, root TEXT) WITHOUT ROWID")
        rooted = Inserts(self._database, "rooted", 2)
        for (key,) in run("SELECT key FROM known ORDER BY key"):
            rooted.add((key, self._keys.root(key)))
        rooted.flush()
        run("UPDATE local SET root = (SELECT root FROM rooted WHERE rooted.key = local.key)")
        # A document that spells a name out in its own way means that, whatever others mean.
        run(
            "CREATE TABLE spelt (document INTEGER, n INTEGER, PRIMARY KEY (document, n))"
            " WITHOUT ROWID"
        )
        for document, n, long in run(
            "SELECT document, n, long FROM pair WHERE initials ORDER BY document, n, long"
        ):
            run("INSERT OR IGNORE INTO spelt VALUES (?, ?)", (document, n))
            run(
                "UPDATE local SET root = ? WHERE document = ? AND n = ?",
                (self._keys.root(long), document, n),
            )
        run("CREATE INDEX local_root ON local (root, document, n)")
        cell_no = 0
        cell_rows = Inserts(self._database, "cell", 10)
        merges = Inserts(self._database, "merge", 5)
        assigned: list[tuple[int, str, int]] = []
        lexicon = spelling.lexicon()
        for root, rows in groupby(self._rows(), key=lambda pair: pair[0]):
            group = [row for _, row in rows]
            known = lexicon.get(root) or next(
                (lexicon[row.key] for row in group if row.key in lexicon), None
            )
            for cell in cells(group, known):
                named = naming(cell.rows)
                value = _as_entity(cell, named.name, named.aliases, named.confidence)
                cell_rows.add(
                    (
                        *(
                            cell_no,
                            cell.type,
                            named.name,
                            _slug_of(root, named.name, value.repositories),
                        ),
                        *(cell.prefix, cell.suffix, _long_form(cell, named.name)),
                        *(len(value.mentioned_in), None, encode(value)),
                    )
                )
                for merge in self._merges_of(cell, named.name, named.key):
                    merges.add((cell_no, *merge))
                assigned.extend((cell_no, row.document, row.n) for row in cell.rows)
                cell_no += 1
            if len(assigned) > BATCH:
                self._assign(assigned)
        self._assign(assigned)
        cell_rows.flush()
        merges.flush()

    def _assign(self, assigned: list[tuple[int, str, int]]) -> None:
        run = self._database.executemany
        run(
            "UPDATE local SET cell = ? WHERE document = (SELECT no FROM document WHERE id = ?)"
            " AND n = ?",
            assigned,
        )
        assigned.clear()

    def _rows(self) -> Iterator[tuple[str, Row]]:
        """Yield every entity of every document with its root, ordered by root."""
        # Root by root, as the loop that consumes this writes to the same table.
        after = "SELECT min(root) FROM local WHERE root > ?"
        (root,) = self._database.execute("SELECT min(root) FROM local").fetchone()
        while root is not None:
            for row in self._rows_where("root", root):
                yield root, row
            (root,) = self._database.execute(after, (root,)).fetchone()

    def _rows_where(self, column: str, value: object) -> list[Row]:
        """Return the rows of one root or cell, by document and place in it."""
        found = self._database.execute(_ROWS_OF[column], (value,))
        return [
            Row(
                document=row[0],
                year=row[1],
                n=row[2],
                key=row[3],
                label=row[4],
                name=row[5],
                introduced=bool(row[6]),
                mentions=row[7],
                confidence=row[8],
                repository=row[9],
                spellings=decode_pairs(row[10]),
                aliases=decode_pairs(row[11]),
                facts=decode_facts(row[12]),
                spelt_out=bool(row[13]),
            )
            for row in found.fetchall()
        ]

    def recompute(self, no: int, edit: Edit) -> None:
        """Write a cell anew from its rows and what rules say of it."""
        run = self._database.execute
        type_, old = run("SELECT type, value FROM cell WHERE no = ?", (no,)).fetchone()
        cell = Cell(type_, tuple(self._rows_where("cell", no)))
        if cell.rows:
            named = naming(cell.rows, preferred=edit.name)
            value = _as_entity(cell, named.name, named.aliases, named.confidence)
        else:
            value = replace(decode_entity(old), type=type_)
            value = replace(value, name=edit.name or value.name)
        aliases = {
            alias
            for alias in (*value.aliases, *edit.aliases)
            if alias != value.name and spelling.key(alias) not in edit.banned
        }
        value = replace(value, aliases=tuple(sorted(aliases)), facts=edit.facts(value.facts))
        run(
            "UPDATE cell SET name = ?, documents = ?, value = ? WHERE no = ?",
            (value.name, len(value.mentioned_in), encode(value), no),
        )

    def _merges_of(self, cell: Cell, name: str, main: str) -> Iterator[tuple[str, str, float, str]]:
        """Yield ``(name, reason, score, document)`` of each spelling that joined a cell."""
        seen = {name}
        for row in cell.rows:
            for spelt in (row.name, *(s for s, _ in row.spellings)):
                if spelt in seen:
                    continue
                seen.add(spelt)
                if row.key == main:
                    reason, score, document = "spelling", 1.0, row.document
                else:
                    reason, score, document = self._reason(row, main)
                yield spelt, reason, score, document
            if row.label != cell.type and (retyped := f"{row.name} ({row.label})") not in seen:
                seen.add(retyped)
                yield retyped, "type", 0.9, row.document
        for row in cell.rows:
            for spelt, _ in row.aliases:
                if spelt not in seen:
                    seen.add(spelt)
                    reason = _reason_of_alias(spelt, row, main)
                    yield spelt, reason, 0.95, first_with(cell.rows, spelt).document

    def _reason(self, row: Row, main: str) -> tuple[str, float, str]:
        """Return why a row's key leads to the same root as the key ``main``."""
        for key in (row.key, main):
            found = self._database.execute(
                "SELECT reason, score, document FROM pointer WHERE key = ?", (key,)
            ).fetchone()
            if found is not None:
                return found[0], found[1], found[2] or row.document
        reason = "hub" if row.repository else "abbreviation"
        return reason, 0.95, row.document

    def identify(self) -> None:
        """Give each cell its id: the plain slug to the best known, a longer one to the others."""
        run = self._database.execute
        # Ids with a double hyphen; a plain slug holds none, so only these can clash.
        longer: set[str] = set()
        run("CREATE TEMP TABLE identified (no INTEGER PRIMARY KEY, id TEXT)")
        ids = Inserts(self._database, "identified", 2)
        before = ""
        found = run(
            "SELECT no, type, slug, prefix, suffix, long, name FROM cell ORDER BY type, slug,"
            " prefix || suffix <> '', long <> '', documents DESC, name, prefix, suffix, long"
        )
        for no, type_, plain, prefix, suffix, long, name in found:
            stem = f"{type_.lower()}/{plain}"
            if not prefix and not suffix and stem != before:
                ids.add((no, stem))
            else:
                if prefix:
                    stem_ = f"{type_.lower()}/{prefix}--{plain}"
                else:
                    stem_ = f"{stem}--{suffix or slug(long or name)}"
                chosen, again = stem_, 2
                while chosen in longer:
                    chosen, again = f"{stem_}--{again}", again + 1
                longer.add(chosen)
                ids.add((no, chosen))
            before = stem
        ids.flush()
        run("UPDATE cell SET id = i.id FROM identified i WHERE i.no = cell.no")
        run("DROP TABLE identified")
        run("CREATE UNIQUE INDEX cell_id ON cell (id)")


def _reason_of_alias(alias: str, row: Row, main: str) -> str:
    """Return why a document takes ``alias`` for another name of the entity in ``row``."""
    last = spelling.key(alias.rpartition("/")[2])
    if spelling.key(alias) in (row.key, main):
        return "spelling"
    if "/" in alias and last in (row.key, main):
        return "hub" if alias.casefold() == row.repository.casefold() else "organisation"
    return "abbreviation"


def _slug_of(root: str, name: str, repositories: tuple[str, ...]) -> str:
    """Return the last part of an id: of the lexicon's name where it has one, so that it stays."""
    entry = spelling.lexicon().get(root)
    if name in repositories:
        name = name.rpartition("/")[2]
    return slug(entry.name if entry is not None and spelling.key(entry.name) == root else name)


def _long_form(cell: Cell, name: str) -> str:
    """Return the words that ``name`` abbreviates where each of its documents spells it out."""
    if not all(row.spelt_out for row in cell.rows):
        return ""
    longs = {s for row in cell.rows for s, _ in row.aliases if spelling.is_initialism(name, s)}
    return min(longs, key=lambda s: (spelling.key(s), s), default="")


def _as_entity(cell: Cell, name: str, aliases: tuple[str, ...], confidence: float) -> Entity:
    """Return the entity of a cell, its id still empty."""
    mentions: defaultdict[str, int] = defaultdict(int)
    for row in cell.rows:
        mentions[row.document] += row.mentions
    return Entity(
        id="",
        type=cell.type,
        name=name,
        aliases=aliases,
        repositories=tuple(sorted({r.repository for r in cell.rows if r.repository})),
        introduced_in=tuple(sorted({r.document for r in cell.rows if r.introduced})),
        mentioned_in=tuple(sorted(mentions.items())),
        facts=tuple(sorted({(*f, r.document) for r in cell.rows for f in r.facts})),
        confidence=confidence,
    )
