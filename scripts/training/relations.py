"""Train the linker: boosted trees over pairs of names, and over numbers, for scores.

``python -m training.relations --gold train.jsonl`` cross-validates by document, prints
what each relation reaches, chooses thresholds and calibration on the held-out opinions, fits
everything again on all documents and writes ``kg/linker/weights``.  Needs lightgbm,
scikit-learn and onnx; running the linker needs none of them.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from training import trees
from training.trees import BINARY, fit, write

from kg import evaluation, linker, schema
from kg.linker import cues, features, learned, results, view
from kg.values import Document, LocalEntity, Mention, Span

FOLDS = 5
#: Relations with fewer examples are left to cues.
ENOUGH = 10
#: Lineage is accepted only where at least this share of what is accepted was right.
PRECISION = 0.7
#: No edge is accepted that is less likely than this, whatever the best F1 would be.
LOWEST = 0.3
PAIRS: dict[str, Any] = {
    **BINARY,
    "learning_rate": 0.07,
    "min_data_in_leaf": 15,
    "max_bin": 15,
    "feature_fraction": 0.25,
}
FIGURES = {**PAIRS, "num_leaves": 8, "min_data_in_leaf": 10, "learning_rate": 0.08}
#: For the ends of a score: slower and finer, as there are few of them.
ENDS = {**FIGURES, "min_data_in_leaf": 5, "learning_rate": 0.04}
#: A number that is less likely a score than this is not looked at further.
LEAST = 0.1
ROUNDS = 160
#: The kinds of lineage are told apart from few examples.
KINDS = {**PAIRS, "min_data_in_leaf": 8}
KIND_ROUNDS = 80
#: The name of the trees that see any lineage at all.
LINEAGE = learned.LINEAGE
#: The score of a pair that a relation does not admit.
NEVER = -20.0


@dataclass(frozen=True)
class Read:
    """One annotated document as the linker sees it, with the right answers."""

    view: view.View
    hits: list[cues.Hit]
    pairs: features.Pairs
    #: For each pair, the relations that hold.
    answers: list[frozenset[str]]
    #: For each entity, the annotated entity that it stands for, or its own name.
    names: list[str]
    gold: Mapping[str, Any]


def documents(path: Path) -> Iterable[tuple[Document, tuple[LocalEntity, ...], dict[str, Any]]]:
    """Yield the documents of an annotated file with their entities."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        entities = tuple(
            LocalEntity(
                entity["canonical"],
                entity["label"],
                bool(entity.get("introduced")),
                tuple(
                    sorted(
                        Mention(Span(start, end), entity["label"], sure, "gold")
                        for (start, end), sure in zip(
                            entity["mentions"],
                            entity.get("confidences", [1.0] * len(entity["mentions"])),
                            strict=True,
                        )
                    )
                ),
            )
            for entity in row["entities"]
        )
        title = row["text"].split("\n", 1)[0]
        yield Document(row["id"], "paper", title, row["text"]), entities, row


def read(gold: Path, found: Path | None = None) -> list[Read]:
    """Return the documents of ``gold`` with what is known of each pair.

    With ``found``, the names are those that the recogniser found, and a pair holds what its two
    annotated counterparts hold.
    """
    annotated = {row["id"]: row for _, _, row in documents(gold)}
    known = evaluation.load(gold)
    predicted = evaluation.load(found) if found else {}
    result = []
    for document, entities, _ in documents(found or gold):
        if document.id not in annotated:
            continue
        seen = view.read(document, entities)
        hits = list(cues.find(seen))
        pairs = features.pairs(seen, hits)
        row = annotated[document.id]
        edges: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
        for edge in row["edges"]:
            edges[edge["head"], edge["tail"]].add(edge["type"])
            if schema.relations()[edge["type"]].symmetric:
                edges[edge["tail"], edge["head"]].add(edge["type"])
        names = [entity.canonical for entity in entities]
        if found:
            stands_for = evaluation.align(known[document.id], predicted[document.id])
            names = [stands_for.get(name, f"no entity: {name}") for name in names]
        answers = [
            frozenset(edges.get((names[head], names[tail]), ()))
            for head, tail in zip(pairs.heads, pairs.tails, strict=True)
        ]
        result.append(Read(seen, hits, pairs, answers, names, row))
    return result


def admitted(documents: Sequence[Read], relation: str) -> np.ndarray:
    """Return, for all pairs in order, whether ``relation`` may stand between them."""
    allowed = schema.relations()[relation].pairs
    return np.array(
        [
            (one.view.entities[head].label, one.view.entities[tail].label) in allowed
            for one in documents
            for head, tail in zip(one.pairs.heads, one.pairs.tails, strict=True)
        ]
    )


def folds(documents: Sequence[Read]) -> np.ndarray:
    """Return the fold of each document, the same in every run and for every reading of it."""
    ids = sorted({one.gold["id"] for one in documents})
    chosen = dict(zip(ids, np.random.RandomState(0).permutation(len(ids)) % FOLDS, strict=True))
    return np.array([chosen[one.gold["id"]] for one in documents])


_SHARED: dict[str, Any] = {}


def _task(head: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any], int]:
    """Return which pairs a set of trees learns from, what holds, and how it learns.

    What kind of lineage there is is learned from the pairs that have one.
    """
    answers, learns = _SHARED["answers"][head], _SHARED["allowed"][head]
    if head in (LINEAGE, *_SHARED["lineage"]):
        # Lineage is marked more freely in what is annotated besides the gold.
        learns = learns & _SHARED["gold"]
    if head in _SHARED["lineage"]:
        return learns & _SHARED["answers"][LINEAGE], answers, KINDS, KIND_ROUNDS
    return learns, answers, PAIRS, ROUNDS


def _held_out(head: str) -> tuple[str, np.ndarray]:
    table, fold, allowed = _SHARED["table"], _SHARED["fold"], _SHARED["allowed"][head]
    learns, answers, parameters, rounds = _task(head)
    scores = np.full(len(table), NEVER)
    for held in range(FOLDS):
        train, test = learns & (fold != held), allowed & (fold == held)
        trees = fit(table[train], answers[train], parameters, rounds)
        scores[test] = trees.predict(table[test], raw_score=True)
    return head, scores


def _fitted(head: str) -> tuple[str, str]:
    learns, answers, parameters, rounds = _task(head)
    trees = fit(_SHARED["table"][learns], answers[learns], parameters, rounds)
    return head, trees.model_to_string()


def curve(scores: np.ndarray, answers: np.ndarray) -> tuple[list[float], list[float]]:
    """Return points of the rising line that turns a score into a probability."""
    grid = np.linspace(-8, 5, 40)
    if answers.sum() >= 60:
        line = IsotonicRegression(y_min=0.001, y_max=0.995, out_of_bounds="clip")
        # Isotonic steps are smoothed by a second, logistic opinion, so that order is kept.
        steps = line.fit(scores, answers).predict(grid)
    else:
        steps = None
    logistic = LogisticRegression(C=10).fit(scores[:, None], answers)
    smooth = logistic.predict_proba(grid[:, None])[:, 1]
    values = smooth if steps is None else 0.8 * steps + 0.2 * smooth
    return [round(float(x), 4) for x in grid], [round(float(y), 4) for y in values]


def threshold(
    probabilities: np.ndarray, answers: np.ndarray, total: int, precision: float
) -> tuple[float, float, float, float]:
    """Return the threshold of the best F1 with at least ``precision``, and P, R, F1 there."""
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum(answers[order])
    count = np.arange(1, len(order) + 1)
    share, reach = right / count, right / max(total, 1)
    score = 2 * right / (count + total)
    fine = (share >= precision) & (count >= 3)
    best = int(np.where(fine, score, -1).argmax()) if fine.any() else 0
    after = probabilities[order][best + 1] if best + 1 < len(order) else 0.0
    chosen = float((probabilities[order][best] + after) / 2)
    return chosen, float(share[best]), float(reach[best]), float(score[best])


def cue_precision(documents: Sequence[Read]) -> dict[str, float]:
    """Return how often each cue was right, drawn towards 0.85 or 0.5 where it was seldom seen."""
    right: collections.Counter[str] = collections.Counter()
    seen: collections.Counter[str] = collections.Counter()
    for one in documents:
        at = {pair: i for i, pair in enumerate(zip(one.pairs.heads, one.pairs.tails, strict=True))}
        known = set()
        for hit in one.hits:
            key = (hit.cue.id, hit.head, hit.tail)
            if hit.negated or hit.hedged or key in known or (hit.head, hit.tail) not in at:
                continue
            known.add(key)
            seen[hit.cue.id] += 1
            right[hit.cue.id] += hit.cue.relation in one.answers[at[hit.head, hit.tail]]
    # What is trusted is thought right 3.4 times in 4 before it is seen, the others once in 2.
    prior = {True: (3.4, 4), False: (1, 2)}
    return {
        cue.id: round(
            (right[cue.id] + prior[cue.trusted][0]) / (seen[cue.id] + prior[cue.trusted][1]), 3
        )
        for cue in cues.load().cues
    }


def raised(
    documents: Sequence[Read], relation: str, probabilities: np.ndarray, trust: Mapping[str, float]
) -> np.ndarray:
    """Return the probabilities with those of cues that are believed where they are higher."""
    higher = probabilities.copy()
    start = 0
    for one in documents:
        at = {pair: i for i, pair in enumerate(zip(one.pairs.heads, one.pairs.tails, strict=True))}
        for hit in one.hits:
            if hit.cue.relation != relation or hit.negated or hit.hedged:
                continue
            if not linker.believed(one.view, hit):
                continue
            row = at.get((hit.head, hit.tail), -1)
            if row >= 0:
                higher[start + row] = max(higher[start + row], trust[hit.cue.id])
        start += len(one.answers)
    return higher


def train_pairs(
    documents: Sequence[Read], judged: Sequence[Read], besides: Sequence[Read], weights: Path
) -> dict[str, Any]:
    """Cross-validate, fit and write the trees over pairs; return their part of the manifest.

    ``documents`` are learned from, ``besides`` too, but not what lineage is; the figures are of
    ``judged``, which are among the ``documents``.
    """
    gold, documents = documents, [*documents, *besides]
    of_gold = np.arange(sum(len(one.answers) for one in documents)) < sum(
        len(one.answers) for one in gold
    )
    answers, allowed = {}, {}
    for relation in features.RELATIONS:
        holds = np.array([relation in pair for one in documents for pair in one.answers])
        if (holds & of_gold).sum() >= ENOUGH:
            answers[relation] = holds
            allowed[relation] = admitted(documents, relation)
    relations = list(answers)
    lineage = [relation for relation in relations if schema.relations()[relation].lineage]
    answers[LINEAGE] = np.any([answers[relation] for relation in lineage], axis=0)
    allowed[LINEAGE] = np.any([allowed[relation] for relation in lineage], axis=0)
    _SHARED.update(
        lineage=lineage,
        gold=of_gold,
        table=np.concatenate([one.pairs.numbers for one in documents]),
        answers=answers,
        allowed=allowed,
        fold=np.concatenate(
            [
                np.full(len(one.answers), fold)
                for one, fold in zip(documents, folds(documents), strict=True)
            ]
        ),
    )
    with ProcessPoolExecutor(2) as pool:
        scores = dict(pool.map(_held_out, answers))
        models = dict(pool.map(_fitted, answers))
    for relation in lineage:
        known = scores[relation] > NEVER
        scores[relation][known] = learned.both(scores[LINEAGE][known], scores[relation][known])
    trust = cue_precision(gold)
    judge = np.concatenate(
        [np.full(len(one.answers), any(one is other for other in judged)) for one in documents]
    )
    calibration, thresholds, reached = {}, {}, {}
    for relation in relations:
        holds = answers[relation]
        mask = allowed[relation] & judge
        line = curve(scores[relation][mask], holds[mask])
        calibration[relation] = line
        probability = np.where(mask, np.interp(scores[relation], *line), 0.0)
        about = schema.relations()[relation]
        if linker.of_origin(relation):
            probability = raised(documents, relation, probability, trust)
        total = sum(
            (1 + about.symmetric) * (edge["type"] == relation)
            for one in judged
            for edge in one.gold["edges"]
        )
        chosen, precision, reach, score = threshold(
            probability[judge], holds[judge], total, PRECISION if about.lineage else 0.0
        )
        thresholds[relation] = round(max(chosen, LOWEST), 3)
        reached[relation] = [round(x, 3) for x in (precision, reach, score)]
        logging.info(
            "%-15s P %.3f R %.3f F1 %.3f at %.3f, %d edges",
            *(relation, precision, reach, score, chosen, total),
        )
    manifest = {
        "relations": relations,
        "lineage": lineage,
        "calibration": calibration,
        "thresholds": thresholds,
        "cues": trust,
        "held_out": reached,
    }
    manifest["cross-validated"] = cross_validated(documents, judge, scores, manifest)
    width = _SHARED["table"].shape[1]
    boosters = {
        relation: (lightgbm.Booster(model_str=models[relation]), "pairs") for relation in answers
    }
    write(weights / "relations.onnx.gz", boosters, {"pairs": width})
    columns = hashlib.sha256("\n".join(features.columns()).encode()).hexdigest()
    return manifest | {"columns": columns}


def cross_validated(
    documents: Sequence[Read],
    judge: np.ndarray,
    scores: Mapping[str, np.ndarray],
    said: Mapping[str, Any],
) -> dict[str, list[float]]:
    """Return precision, recall and F1 of all edges and of lineage, from the held-out opinions.

    The whole linker decides, as it does for a new document.
    """
    counts = {name: [0, 0, 0] for name in ("edge", "lineage")}
    sure: list[tuple[float, bool]] = []
    start = 0
    for one in documents:
        rows = slice(start, start + len(one.answers))
        start = rows.stop
        if not judge[rows].any():
            continue
        opinions = np.zeros((len(one.answers), len(said["relations"])))
        for column, relation in enumerate(said["relations"]):
            of_relation = scores[relation][rows]
            opinions[:, column] = np.where(
                of_relation > NEVER, np.interp(of_relation, *said["calibration"][relation]), 0
            )
        opinions = learned.symmetric(one.pairs, opinions, said["relations"])
        decided = linker.decide(one.view, one.hits, one.pairs, opinions, said)
        gold = {_edge(edge["head"], edge["type"], edge["tail"]) for edge in one.gold["edges"]}
        mine: set[tuple[str, str, str]] = set()
        for (head, relation, tail), shown in decided.items():
            limit = said["thresholds"].get(relation, linker.CUES_ALONE)
            if not shown.negated and shown.confidence >= limit:
                edge = _edge(one.names[head], relation, one.names[tail])
                mine.add(edge)
                sure.append((shown.confidence, edge in gold))
        for name, count in counts.items():
            sides = [
                {e for e in side if name == "edge" or schema.relations()[e[1]].lineage}
                for side in (mine & gold, mine, gold)
            ]
            for n, side in enumerate(sides):
                count[n] += len(side)
    figures = {
        name: [
            round(x, 3) for x in (true / max(found, 1), true / wanted, 2 * true / (found + wanted))
        ]
        for name, (true, found, wanted) in counts.items()
    }
    figures["calibration error"] = [round(evaluation.calibration(sure).error, 3)]
    logging.info("cross-validated %s", figures)
    return figures


def _edge(head: str, relation: str, tail: str) -> tuple[str, str, str]:
    """Return an edge as it is compared: one that reads both ways, with its ends in order."""
    if schema.relations()[relation].symmetric:
        head, tail = sorted((head, tail))
    return head, relation, tail


def plain(value: object) -> str:
    """Return a value as it is compared: without blanks and signs."""
    return re.sub(r"[\s\\%~<>=]+", "", str(value)).casefold()


def numbers(one: Read) -> list[dict[str, Any]]:
    """Return each number of a document with its candidates and the right answers."""
    names = one.names
    stated: dict[str, list[Any]] = collections.defaultdict(list)
    for row in one.gold["results"]:
        stated[plain(row["value"])].append((row["subject"], row["on"]))
    found = results.figures(one.view)
    alone = results.of_figures(one.view, found)
    rows = []
    for place, figure in enumerate(found):
        subjects, places = results.candidates(one.view, figure)
        right = stated.get(plain(figure.value), [])
        rows.append(
            {
                "value": plain(figure.value),
                "alone": alone[place],
                "right": bool(right),
                "names": names,
                "gold": {(a, b, plain(figure.value)) for a, b in right},
                "subjects": subjects,
                "places": places,
                "subject table": results.of_ends(one.view, figure, subjects, alone[place])
                if subjects
                else None,
                "place table": results.of_ends(one.view, figure, places, alone[place])
                if places
                else None,
                "subject right": [names[i] in {a for a, _ in right} for i in subjects],
                "place right": [names[i] in {b for _, b in right} for i in places],
            }
        )
    return rows


def fit_results(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the trees for: is it a score, whose, on what (a score on nothing included)."""
    right = [row for row in rows if row["right"]]
    whose = [row for row in right if any(row["subject right"])]
    where = [row for row in right if row["places"]]
    models = {
        "value": fit(
            np.array([row["alone"] for row in rows]),
            np.array([row["right"] for row in rows]),
            FIGURES,
            120,
        )
    }
    for head, end, known in (("subject", "subject", whose), ("on", "place", where)):
        models[head] = fit(
            np.concatenate([row[f"{end} table"] for row in known]),
            np.concatenate([row[f"{end} right"] for row in known]),
            ENDS,
            300,
        )
    return models


def opinions(
    models: Mapping[str, Any], row: Mapping[str, Any]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the chances that a number is a score, of its subjects, and of its places."""
    return (
        float(models["value"].predict(row["alone"][None])[0]),
        models["subject"].predict(row["subject table"]),
        models["on"].predict(row["place table"]) if row["places"] else np.zeros(1),
    )


def stated(
    opinions: Sequence[tuple[Mapping[str, Any], tuple[float, np.ndarray, np.ndarray]]],
    limit: float,
) -> dict[tuple[str, str | None, str], tuple[float, bool]]:
    """Return the scores of one document with how likely each is, and whether it is right."""
    found: dict[tuple[str, str | None, str], tuple[float, bool]] = {}
    for row, (value, of_subject, of_place) in opinions:
        if value < LEAST:
            continue
        subject, place, sure = results.decide(value, of_subject, of_place, limit)
        on = None if place is None else row["names"][row["places"][place]]
        triple = (row["names"][row["subjects"][subject]], on, row["value"])
        if sure > found.get(triple, (0.0, False))[0]:
            found[triple] = (sure, triple in row["gold"])
    return found


def train_results(
    documents: Sequence[Read], judged: Sequence[Read], weights: Path
) -> dict[str, Any]:
    """Cross-validate, fit and write the trees over numbers; return their part of the manifest."""
    by_document = [numbers(one) for one in documents]
    fold = folds(documents)
    judge = [any(one is other for other in judged) for one in documents]
    total = sum(
        len({(r["subject"], r["on"], plain(r["value"])) for r in one.gold["results"]})
        for one in judged
    )
    held_out = []
    for held in range(FOLDS):
        models = fit_results(
            [r for rows, f in zip(by_document, fold, strict=True) if f != held for r in rows]
        )
        held_out += [
            [(row, opinions(models, row)) for row in rows if row["subjects"]]
            for rows, f, counts in zip(by_document, fold, judge, strict=True)
            if f == held and counts
        ]
    best: dict[str, Any] = {"f1": 0.0}
    for limit in (0.2, 0.3, 0.4, 0.45, 0.5):
        trials = [t for rows in held_out for t in stated(rows, limit).values()]
        sure = np.array([score for score, _ in trials])
        right = np.array([answer for _, answer in trials])
        chosen, precision, reach, score = threshold(sure, right, total, 0.0)
        if score > best["f1"]:
            line = probability(sure, right)
            best = {
                "on": limit,
                "value": LEAST,
                "calibration": line,
                "threshold": round(float(np.interp(chosen, *line)), 4),
                "f1": round(score, 3),
                "precision": round(precision, 3),
                "recall": round(reach, 3),
                "calibration error": round(
                    evaluation.calibration(
                        zip(np.interp(sure, *line).tolist(), right.tolist(), strict=True)
                    ).error,
                    3,
                ),
            }
    logging.info("results %s", {name: best[name] for name in best if name != "calibration"})
    models = fit_results([row for rows in by_document for row in rows])
    filled = [row for rows in by_document for row in rows if row["subjects"]]
    width = filled[0]["subject table"].shape[1]
    write(
        weights / "results.onnx.gz",
        {head: (models[head], head) for head in models},
        {"value": len(filled[0]["alone"]), "subject": width, "on": width},
    )
    return best


def probability(sure: np.ndarray, right: np.ndarray) -> tuple[list[float], list[float]]:
    """Return points of the rising line that turns a product of chances into a probability."""
    grid = np.linspace(0, 1, 21)
    line = LogisticRegression(C=10).fit(_log_odds(sure), right)
    return [round(float(x), 4) for x in grid], [
        round(float(y), 4) for y in line.predict_proba(_log_odds(grid))[:, 1]
    ]


def _log_odds(chances: np.ndarray) -> np.ndarray:
    kept = np.clip(chances, 0.01, 0.99)
    return np.log(kept / (1 - kept))[:, None]


def keep_lineage(manifest: dict[str, Any], older: Path, weights: Path) -> None:
    """Replace what was learned of lineage, and the trust in cues, by what ``older`` holds."""
    said = json.loads((older / "manifest.json").read_text(encoding="utf-8"))
    if said["columns"] != manifest["columns"]:
        raise SystemExit(f"{older}: other cues or classes of words; lineage cannot be kept")
    learned_so = {name for name in said["lineage"] if name in manifest["lineage"]}
    manifest["cues"], manifest["lineage"] = said["cues"], sorted(learned_so)
    manifest["relations"] = [
        name
        for name in manifest["relations"]
        if name in learned_so or not schema.relations()[name].lineage
    ]
    manifest["cross-validated"]["lineage"] = said["cross-validated"]["lineage"]
    for part in ("calibration", "thresholds", "held_out"):
        for name in learned_so:
            manifest[part][name] = said[part][name]
    trees.keep(weights / "relations.onnx.gz", older / "relations.onnx.gz", {LINEAGE, *learned_so})


def main() -> None:
    """Train and write everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, required=True, help="annotated documents to train on")
    parser.add_argument(
        "--found", type=Path, help="the same documents as kg extract finds their names"
    )
    parser.add_argument(
        "--besides", type=Path, help="more annotated documents to learn from, not to judge by"
    )
    parser.add_argument(
        "--lineage-of", type=Path, help="weights whose lineage is better, to be kept as it is"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "kg/linker/weights")
    options = parser.parse_args()
    if options.lineage_of and options.lineage_of.resolve() == options.out.resolve():
        parser.error("--lineage-of and --out are one folder; copy the older weights aside first")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    annotated = read(options.gold)
    found = read(options.gold, options.found) if options.found else []
    judged = found or annotated
    gold, besides = [*annotated, *found], []
    if options.besides:
        besides = read(options.besides)
        besides += read(options.besides, options.found) if options.found else []
    logging.info("%d readings of documents, %d besides", len(gold), len(besides))
    manifest = train_pairs(gold, judged, besides, options.out)
    manifest["results"] = train_results([*gold, *besides], judged, options.out)
    if options.lineage_of:
        keep_lineage(manifest, options.lineage_of, options.out)
    manifest["files"] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(options.out.glob("*.gz"))
    }
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (options.out / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
