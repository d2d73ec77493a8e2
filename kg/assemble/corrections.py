"""Apply what people decided: merge, keep apart, rename, retype, drop, add; and edges alike."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from kg import schema
from kg.assemble import spelling
from kg.overrides import Overrides, Rule
from kg.text import did_you_mean, preference, slug
from kg.values import Document, Entity, Evidence, Span

#: The id of the document that holds the rules, so that a curated statement can quote its own.
DOCUMENT: Final = "overrides"

#: So many rules that match nothing are told with the nearest name.
_HINTS: Final = 20

_encode = msgspec.json.Encoder().encode


@dataclass
class Edit:
    """What rules say of one cell beyond its rows; kept while the rules are applied."""

    name: str = ""
    aliases: list[str] = field(default_factory=list)
    #: Keys that no alias of the cell may have.
    banned: set[str] = field(default_factory=set)


class Corrections:
    """The rules at work on the cells of an assembly."""

    def __init__(
        self,
        database: sqlite3.Connection,
        overrides: Overrides,
        recompute: Callable[[int, Edit], None],
    ) -> None:
        self._run = database.execute
        self._rules = overrides.rules
        self._recompute = recompute
        self._edits: defaultdict[int, Edit] = defaultdict(Edit)
        #: Rules that match nothing, as sentences.
        self.unmatched: list[str] = []

    # ------------------------------------------------------------ entities

    def correct_entities(self) -> None:
        """Apply every rule on entities, in order."""
        verbs: dict[str, Callable[[Rule], bool]] = {
            "add_entity": self._add_entity,
            "rename": self._rename,
            "retype": self._retype,
            "merge": self._merge,
            "keep_apart": self._keep_apart,
            "drop": self._drop,
            "add_alias": self._add_alias,
        }
        self._index_names()
        for rule in self._rules:
            if rule.verb in verbs and not verbs[rule.verb](rule):
                self._report(rule, rule.arguments)

    def _index_names(self) -> None:
        self._run("CREATE TABLE called (key TEXT, cell INTEGER, main INTEGER, name TEXT)")
        self._run("INSERT INTO called SELECT DISTINCT key, cell, 0, name FROM local")
        names = self._run("SELECT no, name FROM cell ORDER BY no").fetchall()
        for number, name in names:
            self._name(number, name, main=True)
        aliases = self._run("SELECT cell, aliases FROM local ORDER BY document, n").fetchall()
        for number, packed in aliases:
            for alias, _ in msgspec.json.decode(packed):
                self._name(number, alias, main=False)
        self._run("CREATE INDEX called_key ON called (key)")

    def find(self, name: str) -> list[int]:
        """Return the cells called ``name``, or with that id, the one that is meant first.

        What only has it for an alias is not meant where something has it for its name.
        """
        by_id = self._run("SELECT no FROM cell WHERE id = ?", (name,)).fetchall()
        if by_id:
            return [row[0] for row in by_id]
        found = self._run(
            "SELECT k.main, k.name, c.no, c.name, c.type, c.documents, c.id"
            " FROM called k JOIN cell c ON c.no = k.cell WHERE k.key = ?",
            (spelling.key(name),),
        ).fetchall()
        best = max((main for main, *_ in found), default=0)
        ranked = sorted(
            (preference(name, called, name=own, type=type_, mentions=documents, id=id_), number)
            for main, called, number, own, type_, documents, id_ in found
            if main == best
        )
        return list(dict.fromkeys(number for _, number in ranked))

    def _changed(self, cell: int) -> None:
        self._recompute(cell, self._edits[cell])

    def _add_entity(self, rule: Rule) -> bool:
        name, kind = rule.arguments
        for cell in self.find(name):
            if self._type(cell) == kind:
                return True
        (number,) = self._run("SELECT coalesce(max(no), -1) + 1 FROM cell").fetchone()
        value = _encode(Entity("", kind, name))
        self._run(
            "INSERT INTO cell VALUES (?, ?, ?, ?, '', '', '', 0, ?, ?)",
            (number, kind, name, slug(name), f"{kind.lower()}/{slug(name)}", value),
        )
        self._name(number, name, main=True)
        return True

    def _rename(self, rule: Rule) -> bool:
        cells = self.find(rule.arguments[0])
        for cell in cells[:1]:
            self._edits[cell].name = rule.arguments[1]
            self._name(cell, rule.arguments[1], main=True)
            self._changed(cell)
        return bool(cells)

    def _retype(self, rule: Rule) -> bool:
        cells = self.find(rule.arguments[0])
        kind = rule.arguments[1]
        for cell in cells[:1]:
            twins = [c for c in cells[1:] if self._type(c) == kind]
            self._run("UPDATE cell SET type = ? WHERE no = ?", (kind, cell))
            self._changed(cell)
            for twin in twins:
                self._join(cell, twin, rule.arguments[0])
        return bool(cells)

    def _merge(self, rule: Rule) -> bool:
        targets = self.find(rule.arguments[0])
        known = True
        for name in rule.arguments[1:]:
            others = [cell for cell in self.find(name) if cell not in targets[:1]]
            if not targets or not (others or targets[0] in self.find(name)):
                known = False
                continue
            same = [cell for cell in others if self._type(cell) == self._type(targets[0])]
            for other in (same or others)[:1]:
                self._join(targets[0], other, name)
        return known

    def _join(self, cell: int, other: int, name: str) -> None:
        self._run("UPDATE local SET cell = ? WHERE cell = ?", (cell, other))
        self._run("UPDATE called SET cell = ?, main = 0 WHERE cell = ?", (cell, other))
        self._run("UPDATE merge SET cell = ? WHERE cell = ?", (cell, other))
        (spelt,) = self._run("SELECT name FROM cell WHERE no = ?", (other,)).fetchone()
        self._run("DELETE FROM cell WHERE no = ?", (other,))
        self._edits[cell].aliases += [spelt, *self._edits.pop(other, Edit()).aliases]
        self._run("INSERT INTO merge VALUES (?, ?, 'curated', 1.0, '')", (cell, spelt))
        self._changed(cell)

    def _keep_apart(self, rule: Rule) -> bool:
        one, other = rule.arguments
        cells, others = self.find(one), self.find(other)
        if not cells or not others:
            return False
        for cell in cells:
            if cell in others:
                self._split(cell, one, other)
        return True

    def _split(self, cell: int, stays: str, leaves: str) -> None:
        """Move the rows of ``cell`` that are called ``leaves`` into a cell of their own."""
        key = spelling.key(leaves)
        if key == spelling.key(stays):
            where, value = "name = ?", leaves
        else:
            where, value = "key = ?", key
            self._edits[cell].banned.add(key)
            self._run("DELETE FROM called WHERE cell = ? AND key = ?", (cell, key))
        rows = self._run(
            f"SELECT document, n FROM local WHERE cell = ? AND {where}",  # noqa: S608 - ours
            (cell, value),
        ).fetchall()
        staying = self._run("SELECT count(*) FROM local WHERE cell = ?", (cell,)).fetchone()[0]
        self._run(
            "DELETE FROM merge WHERE cell = ? AND name = ?",
            (cell, leaves),
        )
        if rows and len(rows) < staying:
            (number,) = self._run("SELECT max(no) + 1 FROM cell").fetchone()
            self._run(
                "INSERT INTO cell SELECT ?, type, ?, ?, '', '', ?, 0, NULL, value FROM cell"
                " WHERE no = ?",
                (number, leaves, slug(leaves), "", cell),
            )
            for document, n in rows:
                self._run(
                    "UPDATE local SET cell = ? WHERE document = ? AND n = ?",
                    (number, document, n),
                )
            self._edits[number].banned.add(spelling.key(stays))
            self._name(number, leaves, main=True)
            self._changed(number)
        self._changed(cell)

    def _drop(self, rule: Rule) -> bool:
        cells = self.find(rule.arguments[0])
        for cell in cells[:1]:
            self._run("UPDATE local SET cell = NULL WHERE cell = ?", (cell,))
            self._run("DELETE FROM cell WHERE no = ?", (cell,))
            self._run("DELETE FROM called WHERE cell = ?", (cell,))
            self._run("DELETE FROM merge WHERE cell = ?", (cell,))
        return bool(cells)

    def _add_alias(self, rule: Rule) -> bool:
        cells = self.find(rule.arguments[0])
        for cell in cells[:1]:
            self._edits[cell].aliases.append(rule.arguments[1])
            self._name(cell, rule.arguments[1], main=False)
            self._changed(cell)
        return bool(cells)

    def _name(self, cell: int, name: str, *, main: bool) -> None:
        row = (spelling.key(name), cell, int(main), name)
        self._run("INSERT INTO called VALUES (?, ?, ?, ?)", row)

    def _type(self, cell: int) -> str:
        return str(self._run("SELECT type FROM cell WHERE no = ?", (cell,)).fetchone()[0])

    # ------------------------------------------------------------ edges

    def correct_edges(self) -> None:
        """Add curated evidence for and against statements; of two rules on one, the later wins."""
        decided: dict[tuple[int, str, int], tuple[Rule, bool]] = {}
        for rule in self._rules:
            if not rule.verb.endswith("_edge") or rule.verb == "unsure_edge":
                continue
            head, relation, tail = rule.arguments[:3]
            pairs = list(self._pairs(head, relation, tail))
            stated = [
                (s, o)
                for s, o in pairs
                if (s, relation, o) in decided or self._stated(s, relation, o)
            ]
            if rule.verb == "add_edge" and pairs:
                decided[(stated or pairs)[0][0], relation, (stated or pairs)[0][1]] = (rule, False)
            elif rule.verb == "reject_edge" and stated:
                decided.update({(s, relation, o): (rule, True) for s, o in stated})
            elif rule.verb == "retype_edge" and stated:
                for s, o in stated:
                    self._run(
                        "UPDATE reading SET relation = ?"
                        " WHERE subject = ? AND relation = ? AND object = ?",
                        (rule.arguments[3], s, relation, o),
                    )
                    decided.pop((s, relation, o), None)
                    decided[s, rule.arguments[3], o] = (rule, False)
            else:
                self._report(rule, (head, tail))
        if decided:
            self._record(decided)

    def _pairs(self, head: str, relation: str, tail: str) -> Iterator[tuple[int, int]]:
        """Yield the pairs of cells that a rule can mean, those that the relation admits first."""
        pairs = [(s, o) for s in self.find(head) for o in self.find(tail) if s != o]
        admits = schema.relations()[relation].admits
        good = [pair for pair in pairs if admits(self._type(pair[0]), self._type(pair[1]))]
        yield from good
        yield from (pair for pair in pairs if pair not in good)

    def _stated(self, subject: int, relation: str, object_: int) -> bool:
        found = self._run(
            "SELECT 1 FROM reading WHERE subject = ? AND relation = ? AND object = ? LIMIT 1",
            (subject, relation, object_),
        )
        return found.fetchone() is not None

    def _record(self, decided: dict[tuple[int, str, int], tuple[Rule, bool]]) -> None:
        """Write the rules as a document, and each as evidence that quotes its line of it."""
        rules = sorted(
            {rule for rule, _ in decided.values()}, key=lambda rule: (rule.line, str(rule))
        )
        title = "Corrections made by people"
        lines = [_sentence(rule) for rule in rules]
        text = "\n".join([title, *lines])
        (number,) = self._run("SELECT coalesce(max(no), -1) + 1 FROM document").fetchone()
        own = DOCUMENT
        while self._run("SELECT 1 FROM document WHERE id = ?", (own,)).fetchone():
            own += "~"  # a paper may be called that
        document = Document(own, "text", title, text)
        self._run("INSERT INTO document VALUES (?, ?, NULL, ?)", (number, own, _encode(document)))
        start = len(title) + 1
        spans: dict[Rule, Span] = {}
        for rule, line in zip(rules, lines, strict=True):
            spans[rule] = Span(start, start + len(line))
            start += len(line) + 1
        for (subject, relation, object_), (rule, negated) in sorted(
            decided.items(), key=lambda item: item[0]
        ):
            span = spans[rule]
            evidence = Evidence(
                document=own,
                field="body",
                span=span,
                sentence=span.of(text),
                kind="curated",
                extractor="overrides",
                rule=rule.verb,
                confidence=1.0,
                negated=negated,
            )
            self._run(
                "INSERT INTO reading VALUES (?, ?, ?, ?)",
                (subject, relation, object_, _encode((evidence,))),
            )

    def _report(self, rule: Rule, names: Iterable[str]) -> None:
        place = f"line {rule.line}: " if rule.line else ""
        unknown = [name for name in names if not self.find(name)]
        hint = ""
        # To look through all names takes a while, and nobody reads a hundred hints.
        if unknown and len(self.unmatched) < _HINTS:
            known = (name for (name,) in self._run("SELECT DISTINCT name FROM cell"))
            hint = did_you_mean(unknown[0], known)
        said = f"overrides, {place}{rule} matches nothing in this graph"
        self.unmatched.append(f"{said}; {hint}" if hint else said)


def _sentence(rule: Rule) -> str:
    """Return a rule as a line that says who decided what, when, why, and by which source."""
    who = ", ".join(part for part in (rule.author, rule.date, rule.source) if part)
    why = f": {rule.reason}" if rule.reason else ""
    return " ".join(f"{rule}{why}{f' ({who})' if who else ''}".split())
