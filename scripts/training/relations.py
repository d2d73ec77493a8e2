"""Train the linker: boosted trees over pairs of names, and over numbers, for scores.

``python scripts/training/relations.py --gold train.jsonl`` cross-validates by document, prints
what each relation reaches, chooses thresholds and calibration on the held-out opinions, fits
everything again on all documents and writes ``kg/linker/weights``.  Needs lightgbm,
scikit-learn and onnx; running the linker needs none of them.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import hashlib
import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[2]))
from kg import evaluation, schema
from kg.linker import cues, features, results, view
from kg.values import Document, LocalEntity, Mention, Span

FOLDS = 5
#: Relations with fewer examples are left to cues.
ENOUGH = 10
#: Lineage is accepted only where at least this share of what is accepted was right.
PRECISION = 0.86
#: No edge is accepted that is less likely than this, whatever the best F1 would be.
LOWEST = 0.3
PAIRS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.07,
    "num_leaves": 15,
    "min_data_in_leaf": 15,
    "max_bin": 15,
    "feature_fraction": 0.25,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "verbose": -1,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
    "force_col_wise": True,
}
FIGURES = {**PAIRS, "num_leaves": 8, "min_data_in_leaf": 10, "learning_rate": 0.08}
ROUNDS = 160


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
                    Mention(Span(start, end), entity["label"], 1.0, "gold")
                    for start, end in sorted(map(tuple, entity["mentions"]))
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
    for document, entities, row in documents(found or gold):
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


def fit(table: np.ndarray, answers: np.ndarray, parameters: dict[str, Any], rounds: int) -> Any:
    """Return boosted trees."""
    return lightgbm.train(parameters, lightgbm.Dataset(table, answers), rounds)


def folds(documents: Sequence[Read]) -> np.ndarray:
    """Return the fold of each document, the same in every run and for every reading of it."""
    ids = sorted({one.gold["id"] for one in documents})
    chosen = dict(zip(ids, np.random.RandomState(0).permutation(len(ids)) % FOLDS, strict=True))
    return np.array([chosen[one.gold["id"]] for one in documents])


_SHARED: dict[str, Any] = {}


def _held_out(relation: str) -> tuple[str, np.ndarray]:
    table, answers, allowed, fold = (
        _SHARED["table"],
        _SHARED["answers"][relation],
        _SHARED["allowed"][relation],
        _SHARED["fold"],
    )
    scores = np.full(len(table), -20.0)
    for held in range(FOLDS):
        train, test = allowed & (fold != held), allowed & (fold == held)
        trees = fit(table[train], answers[train], PAIRS, ROUNDS)
        scores[test] = trees.predict(table[test], raw_score=True)
    return relation, scores


def _fitted(relation: str) -> tuple[str, str]:
    allowed = _SHARED["allowed"][relation]
    trees = fit(_SHARED["table"][allowed], _SHARED["answers"][relation][allowed], PAIRS, ROUNDS)
    return relation, trees.model_to_string()


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


def flat(trees: Any) -> list[list[tuple[int, float, int, int, float]]]:
    """Return trees as lists of nodes: column (-1 at a leaf), bound, left, right, value."""
    found = []
    for tree in trees.dump_model()["tree_info"]:
        nodes: list[tuple[int, float, int, int, float]] = []
        _flatten(tree["tree_structure"], nodes)
        found.append(nodes)
    return found


def _flatten(node: Mapping[str, Any], nodes: list[tuple[int, float, int, int, float]]) -> int:
    place = len(nodes)
    nodes.append((-1, 0.0, 0, 0, 0.0))
    if "split_feature" in node:
        left = _flatten(node["left_child"], nodes)
        right = _flatten(node["right_child"], nodes)
        nodes[place] = (node["split_feature"], node["threshold"], left, right, 0.0)
    else:
        nodes[place] = (-1, 0.0, 0, 0, node["leaf_value"])
    return place


def ensemble(trees: Any, table: str, output: str) -> onnx.NodeProto:
    """Return trees as one node of an ONNX graph."""
    said: dict[str, list[Any]] = collections.defaultdict(list)
    for tree, nodes in enumerate(flat(trees)):
        for place, (column, bound, left, right, value) in enumerate(nodes):
            said["nodes_treeids"].append(tree)
            said["nodes_nodeids"].append(place)
            said["nodes_featureids"].append(max(column, 0))
            said["nodes_values"].append(float(bound))
            said["nodes_modes"].append("LEAF" if column < 0 else "BRANCH_LEQ")
            said["nodes_truenodeids"].append(left)
            said["nodes_falsenodeids"].append(right)
            if column < 0:
                said["target_treeids"].append(tree)
                said["target_nodeids"].append(place)
                said["target_ids"].append(0)
                said["target_weights"].append(float(value))
    return helper.make_node(
        "TreeEnsembleRegressor",
        [table],
        [output],
        name=output,
        domain="ai.onnx.ml",
        n_targets=1,
        post_transform="NONE",
        **said,
    )


def write(path: Path, heads: Mapping[str, tuple[Any, str]], inputs: Mapping[str, int]) -> None:
    """Write trees as a compressed ONNX graph: ``heads`` maps an output to (trees, input).

    An input ``pairs`` is read through ``rows_<output>``, the rows that the relation admits.
    """
    nodes, values, outputs = [], [], []
    for name, width in inputs.items():
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]))
    for name, (trees, table) in heads.items():
        if table == "pairs":
            rows = helper.make_tensor_value_info(f"rows_{name}", TensorProto.INT64, [None])
            values.append(rows)
            nodes.append(helper.make_node("Gather", [table, f"rows_{name}"], [f"table_{name}"]))
            table = f"table_{name}"
        nodes.append(ensemble(trees, table, f"score_{name}"))
        outputs.append(helper.make_tensor_value_info(f"score_{name}", TensorProto.FLOAT, [None, 1]))
    graph = helper.make_graph(nodes, "linker", values, outputs)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=9,
        producer_name="mlkg",
    )
    path.write_bytes(gzip.compress(model.SerializeToString(), 9, mtime=0))


def cue_precision(documents: Sequence[Read]) -> dict[str, float]:
    """Return how often each cue was right, drawn towards 0.85 where it was seldom seen."""
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
    return {
        cue.id: round((right[cue.id] + 3.4) / (seen[cue.id] + 4), 3) for cue in cues.load().cues
    }


def raised(
    documents: Sequence[Read], relation: str, probabilities: np.ndarray, trust: Mapping[str, float]
) -> np.ndarray:
    """Return the probabilities with those of trusted cues where they are higher."""
    higher = probabilities.copy()
    start = 0
    for one in documents:
        at = {pair: i for i, pair in enumerate(zip(one.pairs.heads, one.pairs.tails, strict=True))}
        for hit in one.hits:
            if hit.cue.relation != relation or not hit.cue.trusted or hit.negated or hit.hedged:
                continue
            row = at.get((hit.head, hit.tail), -1)
            if row >= 0:
                higher[start + row] = max(higher[start + row], trust[hit.cue.id])
        start += len(one.answers)
    return higher


def train_pairs(documents: Sequence[Read], judged: Sequence[Read], weights: Path) -> dict[str, Any]:
    """Cross-validate, fit and write the trees over pairs; return their part of the manifest."""
    answers, allowed = {}, {}
    for relation in features.RELATIONS:
        holds = np.array([relation in pair for one in documents for pair in one.answers])
        if holds.sum() >= ENOUGH:
            answers[relation] = holds
            allowed[relation] = admitted(documents, relation)
    _SHARED.update(
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
    trust = cue_precision(documents)
    judge = np.concatenate(
        [np.full(len(one.answers), any(one is other for other in judged)) for one in documents]
    )
    calibration, thresholds, reached = {}, {}, {}
    for relation, holds in answers.items():
        mask = allowed[relation] & judge
        line = curve(scores[relation][mask], holds[mask])
        calibration[relation] = line
        probability = np.where(mask, np.interp(scores[relation], *line), 0.0)
        about = schema.relations()[relation]
        if about.lineage:
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
    width = _SHARED["table"].shape[1]
    boosters = {
        relation: (lightgbm.Booster(model_str=models[relation]), "pairs") for relation in answers
    }
    write(weights / "relations.onnx.gz", boosters, {"pairs": width})
    columns = hashlib.sha256("\n".join(features.columns()).encode()).hexdigest()
    return {
        "relations": list(answers),
        "columns": columns,
        "calibration": calibration,
        "thresholds": thresholds,
        "cues": trust,
        "held_out": reached,
    }


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
    """Return the trees for: is it a score, whose, on what."""
    right = [row for row in rows if row["right"]]
    models = {
        "value": fit(
            np.array([row["alone"] for row in rows]),
            np.array([row["right"] for row in rows]),
            FIGURES,
            120,
        )
    }
    for head, end in (("subject", "subject"), ("on", "place")):
        known = [row for row in right if row[f"{end} right"]]
        models[head] = fit(
            np.concatenate([row[f"{end} table"] for row in known]),
            np.concatenate([row[f"{end} right"] for row in known]),
            FIGURES,
            150,
        )
    return models


def train_results(documents: Sequence[Read], weights: Path) -> dict[str, Any]:
    """Cross-validate, fit and write the trees over numbers; return their thresholds."""
    by_document = [numbers(one) for one in documents]
    fold = folds(documents)
    total = sum(
        len({(r["subject"], r["on"], plain(r["value"])) for r in one.gold["results"]})
        for one in documents
    )
    held_out = []
    for held in range(FOLDS):
        models = fit_results(
            [r for rows, f in zip(by_document, fold, strict=True) if f != held for r in rows]
        )
        for rows, f in zip(by_document, fold, strict=True):
            if f != held:
                continue
            for row in rows:
                if not row["subjects"]:
                    continue
                value = float(models["value"].predict(row["alone"][None])[0])
                subject = models["subject"].predict(row["subject table"])
                place = models["on"].predict(row["place table"]) if row["places"] else [0.0]
                held_out.append(
                    (
                        value,
                        row,
                        int(np.argmax(subject)),
                        int(np.argmax(place)),
                        float(np.max(place)),
                    )
                )
    best = (0.0, 0.5, 0.5)
    for low in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
        for limit in (0.1, 0.15, 0.2, 0.3, 0.4, 0.5):
            right = count = 0
            for value, row, subject, place, likely in held_out:
                if value < low:
                    continue
                on = row["names"][row["places"][place]] if likely >= limit else None
                triple = (row["names"][row["subjects"][subject]], on, row["value"])
                count += 1
                right += triple in row["gold"]
            best = max(best, (2 * right / max(count + total, 1), low, limit))
    logging.info("results F1 %.3f, value from %.2f, on from %.2f", *best)
    models = fit_results([row for rows in by_document for row in rows])
    filled = [row for rows in by_document for row in rows if row["subjects"]]
    width = filled[0]["subject table"].shape[1]
    write(
        weights / "results.onnx.gz",
        {head: (models[head], head) for head in models},
        {"value": len(filled[0]["alone"]), "subject": width, "on": width},
    )
    return {"value": best[1], "on": best[2], "f1": round(best[0], 3)}


def main() -> None:
    """Train and write everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, required=True, help="annotated documents to train on")
    parser.add_argument(
        "--found", type=Path, help="the same documents as kg extract finds their names"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "kg/linker/weights")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    annotated = read(options.gold)
    found = read(options.gold, options.found) if options.found else []
    logging.info("%d documents read", len(annotated) + len(found))
    manifest = train_pairs([*annotated, *found], found or annotated, options.out)
    manifest["results"] = train_results(annotated, options.out)
    manifest["files"] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(options.out.glob("*.gz"))
    }
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (options.out / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
