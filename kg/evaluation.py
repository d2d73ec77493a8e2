"""Score what was extracted against what people marked.

Exact spans with labels; entities aligned one to one by the mentions that they share, so that
names are never compared; typed, directed edges between aligned entities.  The figures are those
of the scorer that stands beside the annotated corpora.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kg.errors import NoInput, ReadError
from kg.text import sentence_at, sentences
from kg.values import LABELS, Reading

#: The relations that the annotated corpora count as lineage.  The ontology is not asked: it has
#: ``adapterOf`` besides, which the scorer beside the corpora leaves out, and figures must agree.
LINEAGE: Final = frozenset(
    {
        "distilledFrom",
        "fineTunedFrom",
        "quantizedFrom",
        "prunedFrom",
        "mergedFrom",
        "convertedFrom",
        "derivedFrom",
        "generatedBy",
    }
)
_CORE: Final = frozenset({"Model", "Dataset", "Benchmark", "Method"})
_NAMED: Final = frozenset({"Model", "Dataset", "Benchmark"})
#: What is counted, in the order in which it is shown.
MEASURES: Final = (
    "mention",
    "mention, four core labels",
    *(f"mention {label}" for label in LABELS),
    "span",
    "entity",
    "name",
    "introduced",
    "edge",
    "pair",
    "lineage",
    "result",
)
_DRAWS: Final = 200
_BINS: Final = 10

Counts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class MarkedEntity:
    """An entity as it stands in a file of annotations."""

    canonical: str
    label: str
    introduced: bool
    mentions: tuple[tuple[int, int], ...]
    #: How sure the extractor is of each mention; empty where the file does not say.
    confidences: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """One annotated or extracted document."""

    id: str
    text: str
    entities: tuple[MarkedEntity, ...] = ()
    #: Head, relation, tail, by canonical names.
    edges: tuple[tuple[str, str, str], ...] = ()
    #: Subject, on, value.
    results: tuple[tuple[str, str | None, str], ...] = ()
    #: How sure the extractor is of each edge; empty where the file does not say.
    edge_confidences: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of one measure, with its 95 % bootstrap interval."""

    p: float
    r: float
    f1: float
    low: float
    high: float
    gold: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something missed or spurious, in the sentence where it stands."""

    document: str
    #: ``mention``, ``edge`` or ``result``.
    kind: str
    #: ``missed`` or ``spurious``.
    how: str
    what: str
    sentence: str
    #: How sure the extractor was; 0 for what it missed.
    confidence: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same confidence: how sure they were, how often they were right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidences are from the shares of predictions that were right."""

    #: Expected calibration error: mean distance, weighted by the size of the bins.
    error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one evaluation."""

    documents: int
    predicted: int
    scores: Mapping[str, Score]
    #: (gold label, predicted label) of the spans that both sides mark, or one (then ``—``).
    confusion: Mapping[tuple[str, str], int]
    #: (gold relation, predicted relation) of the pairs of entities that both relate, or one.
    relation_confusion: Mapping[tuple[str, str], int]
    mistakes: tuple[Mistake, ...]
    #: By ``mention`` and ``edge``, where confidences are known.
    calibration: Mapping[str, Calibration]


def as_row(reading: Reading) -> dict[str, Any]:
    """Return a reading in the form of the annotated corpora, ready for JSON."""
    document = reading.document
    title, _, abstract = document.text.partition("\n")
    if document.kind != "paper":
        title, abstract = document.title, ""
    return {
        "id": document.id,
        "title": title,
        "abstract": abstract,
        "text": document.text,
        "entities": [
            {
                "canonical": entity.canonical,
                "label": entity.label,
                "introduced": entity.introduced,
                "mentions": [[m.span.start, m.span.end] for m in entity.mentions],
                "confidences": [m.confidence for m in entity.mentions],
            }
            for entity in reading.entities
        ],
        "edges": [
            {
                "head": edge.head,
                "type": edge.relation,
                "tail": edge.tail,
                "evidence": edge.evidence[0].sentence,
            }
            for edge in reading.edges
        ],
        "results": [
            {
                "subject": result.subject,
                "on": result.on,
                "metric": result.metric,
                "value": result.value,
            }
            for result in reading.results
        ],
    }


def marked(reading: Reading) -> Marked:
    """Return a reading as an extracted document, confidences and all."""
    return Marked(
        reading.document.id,
        reading.document.text,
        tuple(
            MarkedEntity(
                entity.canonical,
                entity.label,
                entity.introduced,
                tuple((m.span.start, m.span.end) for m in entity.mentions),
                tuple(m.confidence for m in entity.mentions),
            )
            for entity in reading.entities
        ),
        tuple((edge.head, edge.relation, edge.tail) for edge in reading.edges),
        tuple((row.subject, row.on, row.value) for row in reading.results),
        tuple(max(e.confidence for e in edge.evidence) for edge in reading.edges),
    )


def load(path: Path) -> dict[str, Marked]:
    """Return the documents of a JSON lines file by id; a malformed line is an error naming it."""
    documents: dict[str, Marked] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise NoInput(f"there is no file {path}; check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path} cannot be read: {error}; give a file of JSON lines") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = _document(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ReadError(
                f"{path}, line {number}: {error!r}; each line is one JSON object with id, "
                "entities, edges and results, as `kg extract` writes it"
            ) from error
        names = Counter(entity.canonical for entity in document.entities)
        twice = [name for name, count in names.items() if count > 1]
        if document.id in documents or twice:
            what = f"canonical {twice[0]!r}" if twice else f"id {document.id!r}"
            raise ReadError(f"{path}, line {number}: {what} stands twice; make it unique")
        documents[document.id] = document
    return documents


def _document(row: Mapping[str, Any]) -> Marked:
    text = row.get("text") or f"{row.get('title', '')}\n{row.get('abstract', '')}"
    return Marked(
        str(row["id"]),
        text,
        tuple(
            MarkedEntity(
                entity["canonical"],
                entity["label"],
                bool(entity.get("introduced")),
                tuple((start, end) for start, end in entity["mentions"]),
                tuple(float(sure) for sure in entity.get("confidences", ())),
            )
            for entity in row["entities"]
        ),
        tuple((edge["head"], edge["type"], edge["tail"]) for edge in row["edges"]),
        tuple((r["subject"], r.get("on"), str(r["value"])) for r in row["results"]),
    )


def same_name(name: str) -> str:
    """Return what equal names share: case, blanks, hyphens and underscores aside."""
    return re.sub(r"[\s\-_]+", "", name.casefold())


def _same_value(value: str) -> str:
    return re.sub(r"[\s\\%~<>=]+", "", value).casefold()


def align(gold: Marked, predicted: Marked) -> dict[str, str]:
    """Return the gold entity that each predicted one stands for, one to one.

    An entity stands for the one of its label with which it shares most mentions; a mention that
    covers half of the other or more votes a little.
    """
    where = {span: entity.canonical for entity in gold.entities for span in entity.mentions}
    label = {entity.canonical: entity.label for entity in gold.entities}
    votes: dict[tuple[str, str], float] = defaultdict(float)
    for entity in predicted.entities:
        for start, end in entity.mentions:
            target = where.get((start, end))
            if target is None:
                for (other_start, other_end), canonical in where.items():
                    common = min(end, other_end) - max(start, other_start)
                    whole = max(end, other_end) - min(start, other_start)
                    if 2 * common >= whole and label[canonical] == entity.label:
                        votes[entity.canonical, canonical] += 0.01
            elif label[target] == entity.label:
                votes[entity.canonical, target] += 1
    pairs: dict[str, str] = {}
    used: set[str] = set()
    for (mine, theirs), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        if mine not in pairs and theirs not in used:
            pairs[mine] = theirs
            used.add(theirs)
    return pairs


@dataclass(frozen=True, slots=True)
class _Judged:
    """Counts and mistakes of one document."""

    counts: dict[str, Counts]
    confusion: Counter[tuple[str, str]]
    relations: Counter[tuple[str, str]]
    mistakes: tuple[Mistake, ...]
    mention_trials: tuple[tuple[float, bool], ...]
    edge_trials: tuple[tuple[float, bool], ...]


def _judge(gold: Marked, predicted: Marked) -> _Judged:
    to_gold = align(gold, predicted)

    def renamed(canonical: str) -> str:
        # What stands for nothing gets a name that no gold entity has.
        return to_gold.get(canonical, f"\0{canonical}")

    counts: dict[str, Counts] = {}

    def count(measure: str, theirs: set[Any], mine: set[Any]) -> None:
        counts[measure] = (len(theirs & mine), len(mine), len(theirs))

    theirs = {(s, e, entity.label) for entity in gold.entities for s, e in entity.mentions}
    mine = {(s, e, entity.label) for entity in predicted.entities for s, e in entity.mentions}
    count("mention", theirs, mine)
    count(
        "mention, four core labels",
        {m for m in theirs if m[2] in _CORE},
        {m for m in mine if m[2] in _CORE},
    )
    for label in LABELS:
        count(
            f"mention {label}",
            {m for m in theirs if m[2] == label},
            {m for m in mine if m[2] == label},
        )
    count("span", {m[:2] for m in theirs}, {m[:2] for m in mine})
    count(
        "entity",
        {entity.canonical for entity in gold.entities},
        {renamed(entity.canonical) for entity in predicted.entities},
    )
    count(
        "introduced",
        {entity.canonical for entity in gold.entities if entity.introduced},
        {renamed(entity.canonical) for entity in predicted.entities if entity.introduced},
    )
    labels = {entity.canonical: entity.label for entity in gold.entities}
    named = [(m, t) for m, t in to_gold.items() if labels[t] in _NAMED]
    agreeing = sum(same_name(m) == same_name(t) for m, t in named)
    counts["name"] = (agreeing, len(named), len(named))

    gold_edges = _edges(gold, lambda name: name)
    my_edges = _edges(predicted, renamed)
    count("edge", gold_edges, my_edges)
    count("pair", {_pair(edge) for edge in gold_edges}, {_pair(edge) for edge in my_edges})
    count(
        "lineage",
        {edge for edge in gold_edges if edge[1] in LINEAGE},
        {edge for edge in my_edges if edge[1] in LINEAGE},
    )
    for relation in sorted({edge[1] for edge in gold_edges | my_edges}):
        count(
            f"edge {relation}",
            {edge for edge in gold_edges if edge[1] == relation},
            {edge for edge in my_edges if edge[1] == relation},
        )
    gold_results = _results(gold, lambda name: name)
    my_results = _results(predicted, renamed)
    count("result", gold_results, my_results)

    confidence = {
        (s, e, entity.label): sure
        for entity in predicted.entities
        for (s, e), sure in zip(entity.mentions, entity.confidences, strict=False)
    }
    mistakes = [
        *_mention_mistakes(gold, theirs, mine, confidence),
        *_edge_mistakes(gold, gold_edges, my_edges),
        *_result_mistakes(gold, gold_results, my_results),
    ]
    edge_trials = tuple(
        (sure, _renamed_edge(edge, renamed) in gold_edges)
        for edge, sure in zip(predicted.edges, predicted.edge_confidences, strict=False)
    )
    return _Judged(
        counts,
        _confusion(theirs, mine),
        _relation_confusion(gold_edges, my_edges),
        tuple(mistakes),
        tuple((sure, key in theirs) for key, sure in sorted(confidence.items())),
        edge_trials,
    )


def _renamed_edge(
    edge: tuple[str, str, str], renamed: Callable[[str], str]
) -> tuple[str, str, str]:
    head, relation, tail = renamed(edge[0]), edge[1], renamed(edge[2])
    if relation == "comparedWith":
        head, tail = sorted((head, tail))
    return head, relation, tail


def _edges(document: Marked, renamed: Callable[[str], str]) -> set[tuple[str, str, str]]:
    return {_renamed_edge(edge, renamed) for edge in document.edges}


def _pair(edge: tuple[str, str, str]) -> tuple[str, str]:
    head, tail = sorted((edge[0], edge[2]))
    return head, tail


def _results(document: Marked, renamed: Callable[[str], str]) -> set[tuple[str, str | None, str]]:
    return {
        (renamed(subject), on and renamed(on), _same_value(value))
        for subject, on, value in document.results
    }


def _confusion(
    theirs: set[tuple[int, int, str]], mine: set[tuple[int, int, str]]
) -> Counter[tuple[str, str]]:
    gold = {m[:2]: m[2] for m in theirs}
    predicted = {m[:2]: m[2] for m in mine}
    return Counter(
        (gold.get(span, "—"), predicted.get(span, "—")) for span in sorted({*gold, *predicted})
    )


def _relation_confusion(
    theirs: set[tuple[str, str, str]], mine: set[tuple[str, str, str]]
) -> Counter[tuple[str, str]]:
    table: Counter[tuple[str, str]] = Counter()
    gold: dict[tuple[str, str], set[str]] = defaultdict(set)
    predicted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for edges, into in ((theirs, gold), (mine, predicted)):
        for edge in edges:
            into[_pair(edge)].add(edge[1])
    for pair in sorted({*gold, *predicted}):
        both = gold[pair] & predicted[pair]
        table.update((relation, relation) for relation in both)
        missed, spurious = sorted(gold[pair] - both), sorted(predicted[pair] - both)
        for i in range(max(len(missed), len(spurious))):
            table[
                missed[i] if i < len(missed) else "—", spurious[i] if i < len(spurious) else "—"
            ] += 1
    return table


def _mention_mistakes(
    gold: Marked,
    theirs: set[tuple[int, int, str]],
    mine: set[tuple[int, int, str]],
    confidence: Mapping[tuple[int, int, str], float],
) -> list[Mistake]:
    found = []
    bounds = sentences(gold.text)
    for how, spans in (("missed", theirs - mine), ("spurious", mine - theirs)):
        for start, end, label in sorted(spans):
            sentence = sentence_at(bounds, start).of(gold.text) if bounds else ""
            what = f"{gold.text[start:end]!r} as {label} at {start}:{end}"
            sure = confidence.get((start, end, label), 0.0)
            found.append(Mistake(gold.id, "mention", how, what, sentence, sure))
    return found


def _edge_mistakes(
    gold: Marked, theirs: set[tuple[str, str, str]], mine: set[tuple[str, str, str]]
) -> list[Mistake]:
    found = []
    for how, edges in (("missed", theirs - mine), ("spurious", mine - theirs)):
        for head, relation, tail in sorted(edges):
            what = f"{_shown(head)} {relation} {_shown(tail)}"
            found.append(Mistake(gold.id, "edge", how, what, _where(gold, head, tail), 0.0))
    return found


def _result_mistakes(
    gold: Marked,
    theirs: set[tuple[str, str | None, str]],
    mine: set[tuple[str, str | None, str]],
) -> list[Mistake]:
    found = []
    for how, rows in (("missed", theirs - mine), ("spurious", mine - theirs)):
        for subject, on, value in sorted(rows, key=str):
            what = f"{_shown(subject)} on {_shown(on or '—')}: {value}"
            found.append(Mistake(gold.id, "result", how, what, _where(gold, subject, on), 0.0))
    return found


def _shown(name: str) -> str:
    return f"[{name[1:]}]" if name.startswith("\0") else name


def _where(gold: Marked, one: str, other: str | None) -> str:
    """Return the first sentence that mentions both, or else the first that mentions one."""
    bounds = sentences(gold.text)
    places = {
        entity.canonical: {sentence_at(bounds, start) for start, _ in entity.mentions}
        for entity in gold.entities
        if entity.mentions
    }
    first, second = places.get(one, set()), places.get(other or "", set())
    shared = sorted(first & second) or sorted(first | second)
    return shared[0].of(gold.text) if shared else ""


def evaluate(gold: Mapping[str, Marked], predicted: Mapping[str, Marked]) -> Report:
    """Return the figures of ``predicted``; a document that is missing counts as empty."""
    unknown = sorted(set(predicted) - set(gold))
    if unknown:
        raise ReadError(
            f"there are no annotations for {', '.join(unknown[:5])}; "
            "evaluate the documents that the annotated file holds"
        )
    judged = [_judge(document, predicted.get(i, Marked(i, ""))) for i, document in gold.items()]
    relations = sorted({m for one in judged for m in one.counts if m.startswith("edge ")})
    measures = [*MEASURES, *relations]
    draw = random.Random(0)  # noqa: S311 (a bootstrap needs no secret)
    samples = [draw.choices(judged, k=len(judged)) for _ in range(_DRAWS)] if judged else []
    confusion: Counter[tuple[str, str]] = Counter()
    relation_confusion: Counter[tuple[str, str]] = Counter()
    for one in judged:
        confusion.update(one.confusion)
        relation_confusion.update(one.relations)
    trials = {
        "mention": [trial for one in judged for trial in one.mention_trials],
        "edge": [trial for one in judged for trial in one.edge_trials],
    }
    return Report(
        len(gold),
        sum(i in predicted for i in gold),
        {measure: _score(judged, samples, measure) for measure in measures},
        dict(sorted(confusion.items())),
        dict(sorted(relation_confusion.items())),
        tuple(mistake for one in judged for mistake in one.mistakes),
        {kind: calibration(of_kind) for kind, of_kind in trials.items() if of_kind},
    )


def _total(judged: Sequence[_Judged], measure: str) -> Counts:
    true = mine = theirs = 0
    for one in judged:
        counts = one.counts.get(measure)
        if counts:
            true, mine, theirs = true + counts[0], mine + counts[1], theirs + counts[2]
    return true, mine, theirs


def f1(true: int, predicted: int, gold: int) -> float:
    """Return the harmonic mean of precision and recall, 0 where both are empty."""
    return 2 * true / (predicted + gold) if predicted + gold else 0.0


def _score(judged: Sequence[_Judged], samples: Sequence[Sequence[_Judged]], measure: str) -> Score:
    true, mine, theirs = _total(judged, measure)
    drawn = sorted(f1(*_total(sample, measure)) for sample in samples) or [0.0] * _DRAWS
    return Score(
        true / mine if mine else 0.0,
        true / theirs if theirs else 0.0,
        f1(true, mine, theirs),
        drawn[int(0.025 * _DRAWS)],
        drawn[int(0.97 * _DRAWS)],
        theirs,
    )


def calibration(trials: Iterable[tuple[float, bool]]) -> Calibration:
    """Return how well confidences tell the share that is right, in ten bins of equal width.

    >>> calibration([(0.75, True), (0.75, True), (0.75, True), (0.75, False)]).error
    0.0
    """
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for sure, right in trials:
        bins[min(int(sure * _BINS), _BINS - 1)].append((sure, right))
    table = []
    for number in sorted(bins):
        found = bins[number]
        table.append(
            Bin(
                number / _BINS,
                (number + 1) / _BINS,
                len(found),
                sum(sure for sure, _ in found) / len(found),
                sum(right for _, right in found) / len(found),
            )
        )
    total = sum(one.count for one in table)
    error = sum(one.count * abs(one.confidence - one.right) for one in table) / max(total, 1)
    return Calibration(error, tuple(table))
