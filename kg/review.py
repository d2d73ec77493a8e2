"""What in a graph is worth a person's minute, and what becomes of the answer.

A queue of :class:`ReviewQuestion`\\ s, the most useful first; an answer becomes a rule of
``overrides.yaml``, so it holds at every later build and is not asked again.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TextIO

from rapidfuzz import fuzz

from kg import __version__, names, schema
from kg.assemble.spelling import is_named_as
from kg.errors import UsageError
from kg.exporters.rdf.terms import PREFIXES, hub_iri
from kg.exporters.tables import harmless
from kg.overrides import Overrides, Rule
from kg.text import name_key, sentences
from kg.values import BASE, Edge, Entity, Evidence, GraphView

ANSWERS: Final = ("accept", "reject", "unsure")
COLUMNS: Final = (
    *("id", "kind", "subject", "relation", "object", "score", "why", "sentence", "document"),
    *("decision", "note"),
)
#: An accepted edge at or above this confidence is not asked about unless something else is amiss.
_SURE: Final = 0.75
#: How much more an edge of descent weighs than another: whatever comes of it inherits the mistake.
_LINEAGE: Final = 5
#: A number in a name, a plus, or a word.
_PART: Final = re.compile(r"\d+|\+|[^\W\d_]+")
#: Names less alike than this (0 to 100) are not asked about as one thing.
_ALIKE: Final = 90.0
_SSSOM_COLUMNS: Final = (
    *("subject_id", "subject_label", "subject_type", "predicate_id", "object_id"),
    *("object_label", "mapping_justification", "confidence", "comment"),
)
#: A block of names that share a beginning is not compared pair by pair beyond this size.
_LARGEST_BLOCK: Final = 400


@dataclass(frozen=True, slots=True)
class ReviewQuestion:
    """One thing to decide: does this edge hold, or are these two names one thing?"""

    #: Stable over rebuilds: a hash of what is asked.
    id: str
    #: ``edge`` or ``merge``.
    kind: str
    subject: str
    #: The relation of an edge, else empty.
    relation: str
    object: str
    #: How sure the graph is of it now, 0 to 1.
    score: float
    #: Why it is asked, in words.
    why: str
    #: The strongest evidence of an edge, with the two names' places.
    evidence: Evidence | None = None
    #: For two names: ``(name, document, a sentence with the name)`` of each, to judge them by.
    examples: tuple[tuple[str, str, str], ...] = ()


def queue(graph: GraphView, overrides: Overrides | None = None) -> list[ReviewQuestion]:
    """Return the questions, the most useful first; those that overrides decide are left out.

    Useful is what is uncertain and much depends on: ``uncertainty * sqrt(1 + links of both ends)``,
    and five times that for lineage.
    """
    decided = {_identity(rule.verb, rule.arguments) for rule in (overrides or Overrides()).rules}
    degree: Counter[str] = Counter()
    for edge in graph.edges:
        degree.update((edge.subject, edge.object))
    entities = {entity.id: entity for entity in graph.entities}
    ranked: list[tuple[float, ReviewQuestion]] = []
    for question, ends in (*_edge_questions(graph, entities), *_merge_questions(entities)):
        # A rule may call its ends by name or by id.
        verb = "add_edge" if question.kind == "edge" else "merge"
        middle = (question.relation,) if question.kind == "edge" else ()
        names_ = tuple(entities[end].name for end in ends)
        asked = {
            question.id,
            *(_identity(verb, (one, *middle, other)) for one, other in (ends, names_)),
        }
        if not asked & decided:
            uncertain = 1 - abs(2 * question.score - 1)
            weight = (0.05 + uncertain) * (1 + sum(degree[end] for end in ends)) ** 0.5
            if _is_lineage(question.relation):
                weight *= _LINEAGE
            ranked.append((-weight, question))
    ordered = [question for _, question in sorted(ranked, key=lambda item: (item[0], item[1].id))]
    return _with_examples(ordered, graph, entities)


def _with_examples(
    questions: list[ReviewQuestion], graph: GraphView, entities: Mapping[str, Entity]
) -> list[ReviewQuestion]:
    """Return ``questions``, those of two names with a sentence for each of the two."""
    asked = {q.id: (entities[q.subject], entities[q.object]) for q in questions if not q.relation}
    first = {
        entity.id: entity.mentioned_in[0][0]
        for pair in asked.values()
        for entity in pair
        if entity.mentioned_in
    }
    wanted = set(first.values())
    texts = {d.id: d.text for d in graph.documents if d.id in wanted} if wanted else {}

    def example(entity: Entity) -> tuple[str, str, str]:
        document = first.get(entity.id, "")
        return entity.name, document, _sentence_with(entity, texts.get(document, ""))

    return [
        replace(q, examples=tuple(map(example, asked[q.id]))) if q.id in asked else q
        for q in questions
    ]


def _sentence_with(entity: Entity, text: str) -> str:
    """Return the first sentence of ``text`` that holds a spelling of ``entity``, or nothing."""
    for span in sentences(text):
        if any(
            name.casefold() in span.of(text).casefold() for name in (entity.name, *entity.aliases)
        ):
            return span.of(text)
    return ""


def _edge_questions(
    graph: GraphView, entities: Mapping[str, Entity]
) -> Iterator[tuple[ReviewQuestion, tuple[str, str]]]:
    known: defaultdict[str, set[str]] = defaultdict(set)
    for entity in entities.values():
        for spelling in (entity.name, *entity.aliases):
            known[name_key(spelling)].add(entity.id)

    def called(id_: str) -> str:
        """Return the name, or the id where the name is that of several things."""
        name = entities[id_].name
        return name if len(known[name_key(name)]) == 1 else id_

    for edge in graph.edges:
        why = _doubt(edge)
        if why and edge.subject in entities and edge.object in entities:
            subject, object_ = called(edge.subject), called(edge.object)
            identity = _identity("add_edge", (subject, edge.relation, object_))
            yield (
                ReviewQuestion(
                    *(identity, "edge", subject, edge.relation, object_),
                    *(edge.confidence, why, edge.best),
                ),
                (edge.subject, edge.object),
            )


def _is_lineage(relation: str) -> bool:
    known = schema.relations().get(relation)
    return known is not None and known.lineage


def _doubt(edge: Edge) -> str:
    """Return why an edge is worth a look, or nothing."""
    if any(evidence.kind == "curated" for evidence in edge.evidence):
        return ""
    if edge.status == "disputed":
        return "sources disagree"
    if edge.status == "candidate":
        return "too weak to be accepted"
    if edge.status == "accepted" and edge.confidence < _SURE:
        return "hangs on one weak reading" if len(edge.evidence) == 1 else "low confidence"
    inferred = all(evidence.kind == "inferred" for evidence in edge.evidence)
    if edge.status == "accepted" and inferred and _is_lineage(edge.relation):
        return "inferred, and stated nowhere"
    return ""


def _merge_questions(
    entities: Mapping[str, Entity],
) -> Iterator[tuple[ReviewQuestion, tuple[str, str]]]:
    """Yield pairs of entities of one type whose names are nearly alike and could be one thing."""
    blocks: defaultdict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in entities.values():
        # Up to four letters: a short name stands with its namesakes alone.
        blocks[entity.type, name_key(entity.name)[:4]].append(entity)
    for block in blocks.values():
        if len(block) > _LARGEST_BLOCK:
            continue
        for index, first in enumerate(block):
            for second in block[index + 1 :]:
                alike = fuzz.ratio(name_key(first.name), name_key(second.name))
                same = name_key(first.name) == name_key(second.name)
                if alike >= _ALIKE and _may_be_one(first, second):
                    why = "one name, kept apart" if same else "nearly the same name"
                    identity = _identity("merge", (first.id, second.id))
                    question = ReviewQuestion(
                        identity, "merge", first.id, "", second.id, alike / 100, why
                    )
                    yield question, (first.id, second.id)


def _may_be_one(first: Entity, second: Entity) -> bool:
    """Whether nothing says that two things with nearly one name are two.

    Another number does, a version, a size or a date; a word that only one of the names has;
    and a repository each.
    """
    if first.repositories and second.repositories:
        return not set(first.repositories).isdisjoint(second.repositories)
    one, other = (Counter(_PART.findall(entity.name.casefold())) for entity in (first, second))
    different = (one - other) + (other - one)
    if any(part.isdigit() for part in different):
        return False
    longer = one < other or other < one
    return not longer and names.compatible(first.name, second.name)


def _identity(verb: str, arguments: tuple[str, ...]) -> str:
    """Return the stable id of what a rule decides: the same for accept, reject and unsure."""
    kind = "edge" if verb.endswith("edge") else "merge"
    parts = arguments[:3] if kind == "edge" else tuple(sorted(arguments))
    plain = "\x1f".join((kind, *map(name_key, parts)))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def rule(
    question: ReviewQuestion, answer: str, *, author: str = "", date: str = "", reason: str = ""
) -> Rule:
    """Return the rule that an answer (``accept``, ``reject`` or ``unsure``) to a question makes."""
    verbs = {
        ("edge", "accept"): "add_edge",
        ("edge", "reject"): "reject_edge",
        ("edge", "unsure"): "unsure_edge",
        ("merge", "accept"): "merge",
        ("merge", "reject"): "keep_apart",
        ("merge", "unsure"): "unsure_merge",
    }
    if (question.kind, answer) not in verbs:
        raise UsageError(f"an answer is one of {', '.join(ANSWERS)}, not {answer!r}")
    middle = (question.relation,) if question.kind == "edge" else ()
    arguments = (question.subject, *middle, question.object)
    source = question.evidence.document if question.evidence else ""
    return Rule(verbs[question.kind, answer], arguments, author, date, reason, source)


def write_csv(questions: Iterable[ReviewQuestion], lines: TextIO) -> int:
    """Write the queue as a table with empty columns ``decision`` and ``note``; return its rows.

    A cell that a spreadsheet would run as a formula is preceded by an apostrophe.
    """
    table = csv.writer(lines)
    table.writerow(COLUMNS)
    count = 0
    for q in questions:
        sentence, document = (q.evidence.sentence, q.evidence.document) if q.evidence else ("", "")
        if q.examples:
            sentence = " | ".join(f"{name}: {shown}" for name, _, shown in q.examples)
            document = " | ".join(place for _, place, _ in q.examples)
        cells = (q.id, q.kind, q.subject, q.relation, q.object, f"{q.score:.3f}", q.why)
        table.writerow([harmless(cell) for cell in (*cells, sentence, document, "", "")])
        count += 1
    return count


def read_csv(
    lines: TextIO, questions: Iterable[ReviewQuestion], *, author: str = "", date: str = ""
) -> list[Rule]:
    """Return the rules that the ``decision`` column of an edited table makes, in its order.

    An unknown decision, or an id that the queue does not know, is a :class:`UsageError` that
    names the line.
    """
    known = {question.id: question for question in questions}
    table = csv.DictReader(lines)
    if missing := {"id", "decision"} - set(table.fieldnames or ()):
        raise UsageError(f"the table has no column {', '.join(sorted(missing))}")
    rules = []
    for row in table:
        decision = (row["decision"] or "").strip().casefold()
        if not decision:
            continue
        if row["id"] not in known:
            raise UsageError(
                f"line {table.line_num}: {row['id']!r} is not in the queue; it was decided "
                "already, or the graph has changed: export the table again"
            )
        if decision not in ANSWERS:
            raise UsageError(
                f"line {table.line_num}: {decision!r} is not one of {', '.join(ANSWERS)}"
            )
        note = (row.get("note") or "").strip()
        rules.append(rule(known[row["id"]], decision, author=author, date=date, reason=note))
    return rules


def sssom(graph: GraphView, base: str = BASE) -> Iterator[str]:
    """Yield the merges and Hub identities of a graph as lines of an SSSOM table.

    The format is that of https://mapping-commons.github.io/sssom/: a YAML header in comments,
    then tab-separated mappings.
    """
    yield from (
        "#mapping_set_id: " + base + "mappings",
        "#mapping_set_version: " + str(graph.manifest.get("run", "")),
        "#license: https://creativecommons.org/publicdomain/zero/1.0/",
        "#mapping_tool: kg",
        f"#mapping_tool_version: {__version__}",
        "#curie_map:",
        "#  mlkg_entity: " + base,
        *(f"#  {prefix}: {PREFIXES[prefix]}" for prefix in ("hf", "owl", "skos")),
        "#  semapv: https://w3id.org/semapv/vocab/",
    )
    yield "\t".join(_SSSOM_COLUMNS)
    labels = {entity.id: entity.name for entity in graph.entities}
    for entity in graph.entities:
        for repository in entity.repositories:
            page = hub_iri(repository, entity.type)
            if page:
                exact = is_named_as(entity.name, repository)
                yield _row(
                    *(f"mlkg_entity:{entity.id}", entity.name, ""),
                    "owl:sameAs" if exact else "skos:closeMatch",
                    "hf:" + page.removeprefix(PREFIXES["hf"]),
                )
    for merge in graph.merges:
        yield _row(
            "",
            merge.name,
            "rdfs literal",
            "skos:exactMatch",
            f"mlkg_entity:{merge.entity}",
            labels.get(merge.entity, ""),
            "semapv:ManualMappingCuration"
            if merge.reason == "curated"
            else "semapv:LexicalMatching",
            f"{merge.score:.3f}",
            merge.reason + (f", {merge.document}" if merge.document else ""),
        )


def _row(*cells: str) -> str:
    padded = (*cells, *("", "semapv:DatabaseCrossReference", "1.000", "")[len(cells) - 5 :])
    return "\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in padded)


#: What a terminal session needs to know of the outside: read a key, show a question.
Ask = Callable[[ReviewQuestion, int, int], str]


def interview(
    questions: list[ReviewQuestion], ask: Ask, *, author: str = "", date: str = ""
) -> list[Rule]:
    """Go through ``questions`` with ``ask`` and return the rules that the answers make.

    ``ask(question, index, total)`` returns ``accept``, ``reject``, ``unsure``, ``next``, ``undo``
    or ``quit``; undo goes back to the question before and forgets its answer.
    """
    answers: dict[int, str] = {}
    index = 0
    while index < len(questions):
        answer = ask(questions[index], index, len(questions))
        if answer == "quit":
            break
        if answer == "undo":
            index = max(index - 1, 0)
            answers.pop(index, None)
            continue
        if answer in ANSWERS:
            answers[index] = answer
        index += 1
    return [
        rule(questions[i], answer, author=author, date=date)
        for i, answer in sorted(answers.items())
    ]
