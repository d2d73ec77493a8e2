"""The assembly of readings in SQLite, pass by pass.

1. Every entity of every document becomes a row with its key.
2. Keys that lead to one thing are joined: lexicon, abbreviations, makers' names, years.
3. Each group of rows falls into cells, and each cell becomes an entity with an id.
4. Every edge and score is carried over to those ids, grouped, and weighed.
5. Cycles of descent are cut at their weakest edge, and what follows from the edges is added.

Every query orders by a total order, so the same readings always give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec
from rapidfuzz import fuzz

from kg import names, schema
from kg.assemble import spelling
from kg.assemble.corrections import Corrections, Edit
from kg.assemble.resolve import Cell, Row, cells, first_with, naming
from kg.assemble.weighing import combined, order_of, strength, weigh
from kg.linker import threshold
from kg.linker.inferred import infer_graph
from kg.overrides import Overrides
from kg.text import slug
from kg.values import (
    Document,
    Edge,
    Entity,
    Evidence,
    Graph,
    Merge,
    Reading,
    Result,
)

#: One long form of a short name holds everywhere if this share of the documents agrees on it.
_AGREEMENT: Final = 0.8
#: From 0 to 100: two long forms of one short name that are nearer than this are one.
_ALIKE: Final = 80.0
_BATCH: Final = 5_000
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

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
_pairs = msgspec.json.Decoder(tuple[tuple[str, int], ...]).decode
_facts = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_evidence = msgspec.json.Decoder(tuple[Evidence, ...]).decode
_entity = msgspec.json.Decoder(Entity).decode
_edge = msgspec.json.Decoder(Edge).decode
_document = msgspec.json.Decoder(Document).decode


class Assembly:
    """A graph in the making, in a SQLite file or in memory; a context manager.

    Feed it readings once with :meth:`add`, then iterate what comes out, as often as need be.
    """

    def __init__(self, path: Path | None = None, overrides: Overrides | None = None) -> None:
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
        # The file is scratch: it is made anew by every build, so it need not survive a crash.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_TABLES)
        self._overrides = overrides or Overrides()
        #: What a person might want to look at, as ``(kind, sentence)``.
        self.doubts: list[tuple[str, str]] = []

    def __enter__(self) -> Assembly:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    # ------------------------------------------------------------------ passes

    def add(self, readings: Callable[[], Iterable[Reading]]) -> None:
        """Assemble all of ``readings()``, which is called twice and gives the same both times.

        Documents have distinct ids; their order does not matter.
        """
        run = self._database.execute
        run("BEGIN")
        self._collect(readings())
        self._point()
        self._resolve()
        self._identify()
        corrections = Corrections(self._database, self._overrides, self._recompute)
        if self._overrides.rules:
            run("CREATE INDEX local_cell ON local (cell)")
            corrections.correct_entities()
            run("DROP INDEX cell_id")
            self._identify()
        self._connect(readings())
        if self._overrides.rules:
            corrections.correct_edges()
            self.doubts += [("override", sentence) for sentence in corrections.unmatched]
        self._weigh()
        self._cut_cycles()
        self._infer()
        self._cut_cycles()
        run("COMMIT")

    def _collect(self, readings: Iterable[Reading]) -> None:
        local, pair = _Inserts(self._database, "local", 14), _Inserts(self._database, "pair", 7)
        document = _Inserts(self._database, "document", 4)
        for no, reading in enumerate(readings):
            source = reading.document
            document.add((no, source.id, source.year, _encode(source)))
            for n, entity in enumerate(reading.entities):
                key = _key_of(entity.canonical, entity.repository)
                printed: defaultdict[str, int] = defaultdict(int)
                for mention in entity.mentions:
                    if mention.extractor != "elided":
                        printed[" ".join(mention.span.of(source.text).split())] += 1
                own = {s: c for s, c in sorted(printed.items()) if spelling.key(s) == key}
                other = {s: c for s, c in sorted(printed.items()) if s not in own}
                for alias in entity.aliases:
                    if alias not in own:
                        other.setdefault(alias, 0)
                confidence = max((m.confidence for m in entity.mentions), default=0.9)
                local.add(
                    (
                        *(no, n, key, entity.label, entity.canonical, int(entity.introduced)),
                        *(len(entity.mentions), confidence, entity.repository),
                        *(_encode(tuple(own.items())), _encode(tuple(sorted(other.items())))),
                        *(_encode(entity.facts), None, None),
                    )
                )
                for alias in sorted({*entity.aliases}):
                    if oriented := _abbreviation(entity.canonical, alias):
                        pair.add((*oriented, no, n))
        for inserts in (local, pair, document):
            inserts.flush()
        self._database.execute("CREATE INDEX local_key ON local (key)")

    def _point(self) -> None:
        """Find for each key the key that it stands for."""
        run = self._database.execute
        run(
            "INSERT INTO known SELECT key, group_concat(DISTINCT label), min(name),"
            " count(DISTINCT document) FROM local GROUP BY key ORDER BY key"
        )
        pointers: list[tuple[object, ...]] = []
        lexicon = spelling.lexicon()
        for key, labels, name in run("SELECT key, labels, name FROM known ORDER BY key"):
            types = frozenset(labels.split(","))
            entry = lexicon.get(key)
            if entry is not None and entry.scope in ("alias", "abbreviation"):
                target = spelling.key(entry.name)
                if target != key and entry.type in types and _unifiable(name, entry.name, types):
                    pointers.append((key, target, "lexicon", 0.99, ""))
                    continue
            for variant in spelling.variants(name, types):
                if variant.key != key and self._is_known(variant, name, types):
                    pointers.append((key, variant.key, variant.reason, variant.score, ""))
                    break
        self._database.executemany("INSERT INTO pointer VALUES (?, ?, ?, ?, ?)", pointers)
        self._point_formats()
        self._point_abbreviations()

    def _point_abbreviations(self) -> None:
        """Join a short name to its long form where nearly all documents agree on one.

        Long forms that differ by an ending or a small word count as one.
        """
        run = self._database.execute
        pointers: dict[str, tuple[object, ...]] = {}
        pointed = {key for (key,) in run("SELECT key FROM pointer")}
        found = run(
            "SELECT p.key, p.long, p.spelling, d.id, p.score FROM pair p"
            " JOIN document d ON d.no = p.document ORDER BY p.key, p.long, p.spelling, d.id"
        )
        for short, rows in groupby(found, key=lambda row: row[0]):
            users: defaultdict[str, dict[str, float]] = defaultdict(dict)
            spelt: dict[str, str] = {}
            for _, long, long_name, document, score in rows:
                users[long].setdefault(document, score)
                spelt.setdefault(long, long_name)
            ranked = sorted(users, key=lambda long: (-len(users[long]), long))
            heads: dict[str, str] = {}
            for long in ranked:
                near = (h for h in heads.values() if alike(spelt[h], spelt[long]))
                heads[long] = next(near, long)
                if heads[long] != long and long not in pointed and long != short:
                    document = min(users[long])
                    pointers[long] = (long, heads[long], "abbreviation", 0.9, document)
            votes: defaultdict[str, set[str]] = defaultdict(set)
            for long in ranked:
                votes[heads[long]] |= users[long].keys()
            total = len(set().union(*votes.values()))
            best = min(votes, key=lambda head: (-len(votes[head]), head))
            if short in pointed or short == best or len(votes[best]) < _AGREEMENT * total:
                continue
            document = min(users[best])
            pointers[short] = (short, best, "abbreviation", users[best][document], document)
        self._database.executemany("INSERT INTO pointer VALUES (?, ?, ?, ?, ?)", pointers.values())

    def _is_known(self, variant: spelling.Variant, name: str, types: frozenset[str]) -> bool:
        """Whether the corpus or the lexicon knows ``variant`` as something that ``name`` can be."""
        found = self._database.execute(
            "SELECT labels, name FROM known WHERE key = ?", (variant.key,)
        ).fetchone()
        if found is not None:
            others, other = frozenset(found[0].split(",")), found[1]
        elif (entry := spelling.lexicon().get(variant.key)) is not None:
            others, other = frozenset({entry.type}), entry.name
        else:
            return False
        # A year or a maker's name is what the guard calls a difference, so it is not asked there.
        guarded = variant.reason == "spelling"
        return bool(types & others) and (not guarded or _unifiable(name, other, types))

    def _point_formats(self) -> None:
        """Join names of models that differ in nothing that changes a model: ``-hf``, word order."""
        run = self._database.execute
        run("CREATE TABLE identity (identity TEXT, key TEXT, documents INTEGER)")
        identities = _Inserts(self._database, "identity", 3)
        models = "SELECT key, name, documents FROM known WHERE labels LIKE '%Model%' ORDER BY key"
        for key, name, documents in run(models):
            identities.add((repr(names.identity(name)), key, documents))
        identities.flush()
        run("CREATE INDEX identity_identity ON identity (identity)")
        run(
            "INSERT OR IGNORE INTO pointer"
            " SELECT i.key, (SELECT b.key FROM identity b WHERE b.identity = i.identity"
            "  ORDER BY b.documents DESC, b.key LIMIT 1) AS target, 'format', 0.95, ''"
            " FROM identity i WHERE target <> i.key"
        )

    def _root(self, key: str) -> str:
        """Return where the pointers from ``key`` lead; in a circle, to the least of its keys."""
        seen = [key]
        while True:
            found = self._database.execute(
                "SELECT target FROM pointer WHERE key = ?", (seen[-1],)
            ).fetchone()
            if found is None:
                return seen[-1]
            if found[0] in seen:
                return min(seen[seen.index(found[0]) :])
            seen.append(found[0])

    def _resolve(self) -> None:
        """Give each row of ``local`` its root, then its cell."""
        run = self._database.execute
        run("CREATE TABLE rooted (key TEXT PRIMARY KEY, root TEXT) WITHOUT ROWID")
        rooted = _Inserts(self._database, "rooted", 2)
        for (key,) in run("SELECT key FROM known ORDER BY key"):
            rooted.add((key, self._root(key)))
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
                (self._root(long), document, n),
            )
        run("CREATE INDEX local_root ON local (root, document, n)")
        cell_no = 0
        cell_rows = _Inserts(self._database, "cell", 10)
        merges = _Inserts(self._database, "merge", 5)
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
                        *(len(value.mentioned_in), None, _encode(value)),
                    )
                )
                for merge in self._merges_of(cell, named.name, named.key):
                    merges.add((cell_no, *merge))
                assigned.extend((cell_no, row.document, row.n) for row in cell.rows)
                cell_no += 1
            if len(assigned) > _BATCH:
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
        # Read root by root, as the loop that consumes this writes to the same table.
        roots = self._database.execute("SELECT DISTINCT root FROM local ORDER BY root").fetchall()
        for (root,) in roots:
            for row in self._rows_where("root", root):
                yield root, row

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
                spellings=_pairs(row[10]),
                aliases=_pairs(row[11]),
                facts=_facts(row[12]),
                spelt_out=bool(row[13]),
            )
            for row in found.fetchall()
        ]

    def _recompute(self, no: int, edit: Edit) -> None:
        """Write a cell anew from its rows and what rules say of it."""
        run = self._database.execute
        type_, old = run("SELECT type, value FROM cell WHERE no = ?", (no,)).fetchone()
        cell = Cell(type_, tuple(self._rows_where("cell", no)))
        if cell.rows:
            named = naming(cell.rows, preferred=edit.name)
            value = _as_entity(cell, named.name, named.aliases, named.confidence)
        else:
            value = replace(_entity(old), type=type_)
            value = replace(value, name=edit.name or value.name)
        aliases = {
            alias
            for alias in (*value.aliases, *edit.aliases)
            if alias != value.name and spelling.key(alias) not in edit.banned
        }
        value = replace(value, aliases=tuple(sorted(aliases)))
        run(
            "UPDATE cell SET name = ?, documents = ?, value = ? WHERE no = ?",
            (value.name, len(value.mentioned_in), _encode(value), no),
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
                    reason = "spelling"
                    if spelling.key(spelt) not in (row.key, main):
                        reason = "abbreviation"
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

    def _identify(self) -> None:
        """Give each cell its id: the plain slug to the best known, a longer one to the others."""
        run = self._database.execute
        # Ids with a double hyphen; a plain slug holds none, so only these can clash.
        longer: set[str] = set()
        ids: list[tuple[str, int]] = []
        before = ""
        found = run(
            "SELECT no, type, slug, prefix, suffix, long, name FROM cell ORDER BY type, slug,"
            " prefix || suffix <> '', long <> '', documents DESC, name, prefix, suffix, long"
        )
        for no, type_, plain, prefix, suffix, long, name in found:
            stem = f"{type_.lower()}/{plain}"
            if not prefix and not suffix and stem != before:
                ids.append((stem, no))
            else:
                if prefix:
                    stem_ = f"{type_.lower()}/{prefix}--{plain}"
                else:
                    stem_ = f"{stem}--{suffix or slug(long or name)}"
                chosen, again = stem_, 2
                while chosen in longer:
                    chosen, again = f"{stem_}--{again}", again + 1
                longer.add(chosen)
                ids.append((chosen, no))
            before = stem
        self._database.executemany("UPDATE cell SET id = ? WHERE no = ?", ids)
        run("CREATE UNIQUE INDEX cell_id ON cell (id)")

    def _connect(self, readings: Iterable[Reading]) -> None:
        """Carry the edges and scores of every document over to cells."""
        reading, score = (
            _Inserts(self._database, "reading", 4),
            _Inserts(self._database, "score", 5),
        )
        cells_of = "SELECT cell FROM local WHERE document = ? ORDER BY n"
        loops = 0
        for no, read in enumerate(readings):
            numbers = [row[0] for row in self._database.execute(cells_of, (no,))]
            cell_of = {e.canonical: cell for e, cell in zip(read.entities, numbers, strict=True)}
            for edge in read.edges:
                ends = cell_of.get(edge.head), cell_of.get(edge.tail)
                if None in ends:
                    continue
                if ends[0] == ends[1]:
                    loops += 1
                    continue
                reading.add((ends[0], edge.relation, ends[1], _encode(edge.evidence)))
            for result in read.results:
                named = [result.subject, *(n for n in (result.on, result.metric) if n)]
                if any(cell_of.get(name) is None for name in named):
                    continue
                places = [cell_of[n] if n else None for n in (result.on, result.metric)]
                evidence = _encode(result.evidence)
                score.add((cell_of[result.subject], *places, result.value, evidence))
        reading.flush()
        score.flush()
        if loops:
            self.doubts.append(
                ("loop", f"{loops} statements had one entity at both ends and were dropped")
            )

    def _weigh(self) -> None:
        """Group the readings of each statement and weigh them."""
        relations = schema.relations()
        edges = _Inserts(self._database, "edge", 6)
        found = self._database.execute(
            "SELECT s.id, r.relation, o.id, s.type, o.type, r.evidence FROM reading r"
            " JOIN cell s ON s.no = r.subject JOIN cell o ON o.no = r.object"
            " ORDER BY s.id, r.relation, o.id, r.evidence"
        )
        for (subject, name, object_, *types), rows in groupby(found, key=lambda row: row[:5]):
            evidence = [item for row in rows for item in _evidence(row[5])]
            edge = weigh(subject, name, object_, evidence, threshold)
            relation = relations.get(name)
            if edge.status == "accepted" and (relation is None or not relation.admits(*types)):
                edge = replace(edge, status="candidate")
            edges.add(_edge_row(edge, relation is not None and relation.lineage))
        edges.flush()

    def _cut_cycles(self) -> None:
        """Dispute the weakest edge of every cycle of descent until there is none."""
        lineage = [
            _edge(value)
            for (value,) in self._database.execute(
                "SELECT value FROM edge WHERE lineage AND status = 'accepted'"
                " ORDER BY subject, relation, object"
            )
        ]
        for edge in weakest_of_cycles(lineage):
            disputed = replace(edge, status="disputed")
            self._database.execute(
                "UPDATE edge SET status = ?, value = ?"
                " WHERE subject = ? AND relation = ? AND object = ?",
                (disputed.status, _encode(disputed), *edge.key),
            )
            self.doubts.append(
                ("cycle", f"{' '.join(edge.key)} closed a circle of descent and is disputed")
            )

    def _infer(self) -> None:
        """Add what names and chains of edges imply."""
        run = self._database.execute
        relations = schema.relations()

        def document(id_: str) -> Document | None:
            found = run("SELECT value FROM document WHERE id = ?", (id_,)).fetchone()
            return _document(found[0]) if found else None

        for edge in list(infer_graph(self.entities(), self.edges, document)):
            found = run(
                "SELECT value FROM edge WHERE subject = ? AND relation = ? AND object = ?", edge.key
            ).fetchone()
            known = _edge(found[0]).evidence if found else ()
            weighed = weigh(*edge.key, (*known, *edge.evidence), threshold)
            relation = relations.get(edge.relation)
            row = _edge_row(weighed, relation is not None and relation.lineage)
            run("INSERT OR REPLACE INTO edge VALUES (?, ?, ?, ?, ?, ?)", row)

    # ------------------------------------------------------------------ what comes out

    def documents(self) -> Iterator[Document]:
        """Yield every document, by id."""
        for (value,) in self._database.execute("SELECT value FROM document ORDER BY id"):
            yield _document(value)

    def entities(self) -> Iterator[Entity]:
        """Yield every entity, by id."""
        for id_, value in self._database.execute("SELECT id, value FROM cell ORDER BY id"):
            yield replace(_entity(value), id=id_)

    def edges(self) -> Iterator[Edge]:
        """Yield every edge of any status, by subject, relation and object."""
        query = "SELECT value FROM edge ORDER BY subject, relation, object"
        for (value,) in self._database.execute(query):
            yield _edge(value)

    def results(self) -> Iterator[Result]:
        """Yield every score, by subject, benchmark, metric and value."""
        found = self._database.execute(
            "SELECT s.id, o.id, m.id, r.value, r.evidence FROM score r"
            ' JOIN cell s ON s.no = r.subject LEFT JOIN cell o ON o.no = r."on"'
            " LEFT JOIN cell m ON m.no = r.metric"
            " ORDER BY s.id, coalesce(o.id, ''), coalesce(m.id, ''), r.value, r.evidence"
        )
        for (subject, on, metric, value), rows in groupby(found, key=lambda row: row[:4]):
            evidence = {item for row in rows for item in _evidence(row[4])}
            items = tuple(sorted(evidence, key=order_of))
            yield Result(subject, on, metric, value, number(value), items, combined(items))

    def merges(self) -> Iterator[Merge]:
        """Yield every merge of names, by entity and name."""
        found = self._database.execute(
            "SELECT DISTINCT c.id, m.name, m.reason, m.score, m.document FROM merge m"
            " JOIN cell c ON c.no = m.cell ORDER BY 1, 2, 3, 4, 5"
        )
        for row in found:
            yield Merge(*row)

    def graph(self) -> Graph:
        """Return the whole graph in memory."""
        return Graph(
            tuple(self.documents()),
            tuple(self.entities()),
            tuple(self.edges()),
            tuple(self.results()),
            tuple(self.merges()),
        )


def assemble(readings: Iterable[Reading], *, overrides: Overrides | None = None) -> Graph:
    """Return the graph of ``readings``, in memory; their order does not matter.

    A reading that stands twice counts once; two documents with one id are told apart.
    """
    ordered = list(distinct(sorted(readings, key=_place)))
    with Assembly(overrides=overrides) as assembly:
        assembly.add(lambda: ordered)
        return assembly.graph()


def digest(document: Document) -> bytes:
    """Return a hash of everything that is known of ``document``."""
    return hashlib.sha256(_encode_sorted(document)).digest()


def _place(reading: Reading) -> tuple[str, bytes]:
    return reading.document.id, digest(reading.document)


def distinct(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Yield ``readings``, sorted by id and digest, without repetition, each under its own id.

    The first document of an id keeps it; the id of another ends in a part of its digest.
    """
    for id_, group in groupby(readings, key=lambda reading: reading.document.id):
        last = b""
        for reading in group:
            own = digest(reading.document)
            if own != last:
                yield renamed(reading, f"{id_}~{own.hex()[:16]}") if last else reading
            last = own


def renamed(reading: Reading, id_: str) -> Reading:
    """Return ``reading`` as that of a document called ``id_``."""

    def moved(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        return tuple(replace(item, document=id_) for item in evidence)

    return replace(
        reading,
        document=replace(reading.document, id=id_),
        edges=tuple(replace(edge, evidence=moved(edge.evidence)) for edge in reading.edges),
        results=tuple(replace(r, evidence=moved(r.evidence)) for r in reading.results),
    )


def number(value: str) -> str:
    """Return ``value`` as a decimal numeral, or nothing where it is none.

    >>> number("74.0"), number("87.3\\%"), number("1,234"), number("about 3")
    ('74.0', '87.3', '1234', '')
    """
    plain = value.strip().rstrip("%\\ ").replace("−", "-").removeprefix("+").strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    return plain if re.fullmatch(r"-?\d+(\.\d+)?", plain) and len(plain) <= 40 else ""


def weakest_of_cycles(edges: Iterable[Edge]) -> list[Edge]:
    """Return the edges that must go for ``edges`` to hold no cycle, the weakest of each."""
    left = sorted(edges, key=strength)
    cut: list[Edge] = []
    parents: defaultdict[str, set[str]] = defaultdict(set)
    for edge in left:
        parents[edge.subject].add(edge.object)
    try:
        TopologicalSorter(parents).prepare()
    except CycleError:
        pass  # The knots are found below.
    else:
        return cut
    while knot := _knotted(left):
        inside = [e for e in left if knot.get(e.subject, -1) == knot.get(e.object, -2)]
        # The weakest edge of each knot goes; then what is left of the knots is looked at again.
        gone: dict[int, Edge] = {}
        for edge in inside:
            gone.setdefault(knot[edge.subject], edge)
        cut.extend(gone.values())
        dropped = {edge.key for edge in gone.values()}
        left = [edge for edge in inside if edge.key not in dropped]
    return sorted(cut, key=lambda edge: edge.key)


def _knotted(edges: Iterable[Edge]) -> dict[str, int]:
    """Return for each entity on a cycle the number of its strongly connected component."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_edges_from((edge.subject, edge.object) for edge in edges)
    components = [c for c in networkx.strongly_connected_components(graph) if len(c) > 1]
    return {entity: index for index, component in enumerate(components) for entity in component}


def _edge_row(edge: Edge, lineage: bool) -> tuple[object, ...]:
    return *edge.key, int(lineage), edge.status, _encode(edge)


def _key_of(canonical: str, repository: str) -> str:
    """Return the key of a name; a repository's is that of its last part."""
    last = repository.rpartition("/")[2]
    own = spelling.key(canonical)
    return spelling.key(last) if last and own == spelling.key(repository) else own


def _abbreviation(canonical: str, alias: str) -> tuple[str, str, str, float, int] | None:
    """Return short key, long key, long name, score, and whether the short one is canonical.

    Nothing where neither name is read off the other: that "classification" stands for "image
    classification" in one document says nothing of the others.
    """
    if spelling.is_initialism(canonical, alias):
        return spelling.key(canonical), spelling.key(alias), alias, 0.97, 1
    if spelling.is_initialism(alias, canonical):
        return spelling.key(alias), spelling.key(canonical), canonical, 0.97, 0
    return None


def alike(one: str, other: str) -> bool:
    """Whether two long forms are one in other words: Low-Rank Adaptation, low-rank adapters."""
    return float(fuzz.ratio(one.casefold(), other.casefold())) >= _ALIKE


def _unifiable(one: str, other: str, types: frozenset[str]) -> bool:
    """Whether nothing in two names says that they are different models."""
    return "Model" not in types or names.compatible(one, other)


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


class _Inserts:
    """Rows for one table, written in batches."""

    def __init__(self, database: sqlite3.Connection, table: str, columns: int) -> None:
        self._database = database
        self._statement = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - our own table names
        self._rows: list[tuple[object, ...]] = []

    def add(self, row: tuple[object, ...]) -> None:
        """Write ``row``, now or later."""
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        self._database.executemany(self._statement, self._rows)
        self._rows.clear()
