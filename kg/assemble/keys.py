"""Which names stand for one thing, whoever uses them: each key of a name and where it points.

Everything here is decided once for the corpus, from counts over all its documents.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from itertools import groupby
from typing import Final

from rapidfuzz import fuzz

from kg import names
from kg.assemble import spelling
from kg.assemble.tables import Inserts, encode

#: One long form of a short name holds everywhere if this share of the documents agrees on it.
_AGREEMENT: Final = 0.8
#: From 0 to 100: two long forms of one short name that are nearer than this are one.
_ALIKE: Final = 80.0


class Keys:
    """The keys of an assembly and the pointers between them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def point(self) -> None:
        """Find for each key the key that it stands for."""
        run = self._database.execute
        run(
            "INSERT INTO known SELECT key, group_concat(DISTINCT label), min(name),"
            " count(DISTINCT document) FROM local GROUP BY key ORDER BY key"
        )
        pointers = Inserts(self._database, "pointer", 5)
        lexicon = spelling.lexicon()
        for key, labels, name in run("SELECT key, labels, name FROM known ORDER BY key"):
            types = frozenset(labels.split(","))
            entry = lexicon.get(key)
            if entry is not None and entry.scope in ("alias", "abbreviation"):
                target = spelling.key(entry.name)
                if target != key and entry.type in types and _unifiable(name, entry.name, types):
                    pointers.add((key, target, "lexicon", 0.99, ""))
                    continue
            for variant in spelling.variants(name, types):
                if variant.key != key and self._is_known(variant, name, types):
                    pointers.add((key, variant.key, variant.reason, variant.score, ""))
                    break
        pointers.flush()
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
        identities = Inserts(self._database, "identity", 3)
        models = "SELECT key, name, documents FROM known WHERE labels LIKE '%Model%' ORDER BY key"
        for key, name, documents in run(models):
            identities.add((encode(names.identity(name)), key, documents))
        identities.flush()
        run("CREATE INDEX identity_identity ON identity (identity)")
        run(
            "INSERT OR IGNORE INTO pointer"
            " SELECT i.key, (SELECT b.key FROM identity b WHERE b.identity = i.identity"
            "  ORDER BY b.documents DESC, b.key LIMIT 1) AS target, 'format', 0.95, ''"
            " FROM identity i WHERE target <> i.key"
        )

    def root(self, key: str) -> str:
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


def key_of(canonical: str, repository: str) -> str:
    """Return the key of a name; a repository's is that of its last part."""
    last = repository.rpartition("/")[2]
    own = spelling.key(canonical)
    return spelling.key(last) if last and own == spelling.key(repository) else own


def abbreviation(canonical: str, alias: str) -> tuple[str, str, str, float, int] | None:
    """Return short key, long key, long name, score, and whether the short one is canonical.

    Nothing where neither name is read off the other: that "classification" stands for "image
    classification" in one document says nothing of the others.
    """
    last_parts = {spelling.key(name.rpartition("/")[2]) for name in (canonical, alias)}
    if len(last_parts) == 1:
        return None  # "meta-llama/Meta-Llama-3-8B" spells nothing out
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
