"""What documents say of entities: statements grouped, weighed, freed of circles, and inferred."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from itertools import groupby

from kg import schema
from kg.assemble.tables import Inserts, decode_document, decode_edge, decode_evidence, encode
from kg.assemble.weighing import SCORES, combined, strength, weigh
from kg.graph import knots
from kg.linker import threshold
from kg.linker.inferred import infer_graph
from kg.values import Document, Edge, Entity, Evidence, Reading, Result


class Statements:
    """The edges and scores of an assembly."""

    def __init__(
        self, database: sqlite3.Connection, doubts: list[tuple[str, str]], least: float
    ) -> None:
        self._database = database
        self._doubts = doubts
        #: Nothing that is less sure is accepted, unless a person says so.
        self._least = least

    def _threshold(self, relation: str) -> float:
        return max(threshold(relation), self._least)

    def connect(self, readings: Iterable[Reading]) -> None:
        """Carry the edges and scores of every document over to cells."""
        reading, score = (
            Inserts(self._database, "reading", 4),
            Inserts(self._database, "score", 5),
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
                reading.add((ends[0], edge.relation, ends[1], encode(edge.evidence)))
            for result in read.results:
                named = [result.subject, *(n for n in (result.on, result.metric) if n)]
                if any(cell_of.get(name) is None for name in named):
                    continue
                places = [cell_of[n] if n else None for n in (result.on, result.metric)]
                evidence = encode(result.evidence)
                score.add((cell_of[result.subject], *places, result.value, evidence))
        reading.flush()
        score.flush()
        if loops:
            self._doubts.append(
                ("loop", f"{loops} statements had one entity at both ends and were dropped")
            )

    def weigh(self) -> None:
        """Group the readings of each statement and weigh them."""
        relations = schema.relations()
        edges = Inserts(self._database, "edge", 6)
        found = self._database.execute(
            "SELECT s.id, r.relation, o.id, s.type, o.type, r.evidence FROM reading r"
            " JOIN cell s ON s.no = r.subject JOIN cell o ON o.no = r.object"
            " ORDER BY s.id, r.relation, o.id, r.evidence"
        )
        for (subject, name, object_, *types), rows in groupby(found, key=lambda row: row[:5]):
            evidence = [item for row in rows for item in decode_evidence(row[5])]
            edge = weigh(subject, name, object_, evidence, self._threshold)
            relation = relations.get(name)
            if edge.status == "accepted" and (relation is None or not relation.admits(*types)):
                edge = replace(edge, status="candidate")
            edges.add(_edge_row(edge, relation is not None and relation.lineage))
        edges.flush()

    def cut_cycles(self) -> None:
        """Dispute the weakest edge of every cycle of descent until there is none."""
        lineage = [
            decode_edge(value)
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
                (disputed.status, encode(disputed), *edge.key),
            )
            self._doubts.append(
                ("cycle", f"{' '.join(edge.key)} closed a circle of descent and is disputed")
            )

    def infer(self, entities: Iterable[Entity]) -> None:
        """Add what names and chains of edges imply."""
        run = self._database.execute

        def document(id_: str) -> Document | None:
            found = run("SELECT value FROM document WHERE id = ?", (id_,)).fetchone()
            return decode_document(found[0]) if found else None

        for edge in list(infer_graph(entities, self.edges, document)):
            self.add_evidence(edge.key, edge.evidence)

    def add_evidence(self, key: tuple[str, str, str], evidence: Sequence[Evidence]) -> None:
        """Weigh an edge anew with ``evidence`` besides what it has; it may be new."""
        run = self._database.execute
        found = run(
            "SELECT value FROM edge WHERE subject = ? AND relation = ? AND object = ?", key
        ).fetchone()
        known = decode_edge(found[0]).evidence if found else ()
        weighed = weigh(*key, (*known, *evidence), self._threshold)
        relation = schema.relations().get(key[1])
        row = _edge_row(weighed, relation is not None and relation.lineage)
        run("INSERT OR REPLACE INTO edge VALUES (?, ?, ?, ?, ?, ?)", row)

    def edges(self) -> Iterator[Edge]:
        """Yield every edge of any status, by subject, relation and object."""
        query = "SELECT value FROM edge ORDER BY subject, relation, object"
        for (value,) in self._database.execute(query):
            yield decode_edge(value)

    def results(self) -> Iterator[Result]:
        """Yield every score, by subject, benchmark, metric and value."""
        found = self._database.execute(
            "SELECT s.id, o.id, m.id, r.value, r.evidence FROM score r"
            ' JOIN cell s ON s.no = r.subject LEFT JOIN cell o ON o.no = r."on"'
            " LEFT JOIN cell m ON m.no = r.metric"
            " ORDER BY s.id, coalesce(o.id, ''), coalesce(m.id, ''), r.value, r.evidence"
        )
        for (subject, on, metric, value), rows in groupby(found, key=lambda row: row[:4]):
            evidence = {item for row in rows for item in decode_evidence(row[4])}
            items = tuple(sorted(evidence))
            sure = combined(items)
            believed = sure >= max(SCORES, self._least) or any(i.kind != "extracted" for i in items)
            status = "accepted" if believed else "candidate"
            yield Result(subject, on, metric, value, number(value), items, sure, status)


def number(value: str) -> str:
    """Return ``value`` as a decimal numeral, or nothing where it is none.

    >>> number("74.0"), number("87.3\\%"), number("1,234"), number("about 3")
    ('74.0', '87.3', '1234', '')
    """
    plain = value.strip().rstrip("%\\ ").replace("−", "-").removeprefix("+").strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain, re.ASCII):
        plain = plain.replace(",", "")
    return plain if re.fullmatch(r"-?\d+(\.\d+)?", plain, re.ASCII) and len(plain) <= 40 else ""


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
    parents: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        parents[edge.subject].append(edge.object)
    return {entity: index for index, knot in enumerate(knots(parents)) for entity in knot}


def _edge_row(edge: Edge, lineage: bool) -> tuple[object, ...]:
    return *edge.key, int(lineage), edge.status, encode(edge)
