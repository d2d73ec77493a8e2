"""Fit what weighs the opinions on names: trees, and the models of kg/ner/weights/*.json.

    python -m training.decisions phrases   what is the paper's own, by phrases alone
    python -m training.decisions tagged    what rests on the tagger's opinions as well
    python -m training.decisions check     what it all gives on dev and seed-dev

What rests on the tagger is fitted on documents that were held out from it (the stage "heldout"
of scripts/train); nothing is fitted on dev.  "tagged" leaves found.jsonl and besides.jsonl (what
is annotated besides the gold) in the work folder, from which the linker learns.
"""
# ruff: noqa: E402 - numpy reads how many threads it may have when it is imported

from __future__ import annotations

import argparse
import json
import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # small matrices: threads would only wait for each other

import numpy as np
from _paths import ROOT, SHARED
from sklearn.linear_model import LogisticRegression
from training import pack, trees
from training.corpora import (
    ANNOTATED,
    FOLDS,
    annotated,
    fold_of,
    load_readings,
)
from training.mining import entries

from kg.evaluation import calibration
from kg.ner import choosing, deciding, files, introduction, kinds
from kg.ner.abbreviations import pairs
from kg.ner.choosing import Candidate
from kg.ner.learned import Reading
from kg.ner.lexicon import build, load, read
from kg.ner.logistic import Features, Logistic
from kg.ner.masking import plain
from kg.ner.recogniser import (
    OWN,
    Named,
    Recogniser,
    first_chances,
    kind_features,
    own_features,
    phrase_features,
)
from kg.ner.tags import best_tags, decode
from kg.resources import ontology
from kg.values import LABELS, Mention, Span

GOLD = SHARED / "gold"
#: Folds of what phrases alone say.
PARTS = 10
#: A sign of a name's kind must be seen on so many names.
FEWEST = 5
MENTIONS: dict[str, Any] = {
    **trees.BINARY,
    "learning_rate": 0.05,
    "min_data_in_leaf": 30,
    "max_bin": 63,
    "feature_fraction": 0.4,
}
ROUNDS = 400


def fit(rows: Sequence[Features], right: Sequence[bool], ridge: float = 2.0) -> Logistic:
    """Return the logistic model of greatest penalised likelihood (Newton's method)."""
    names = sorted({name for row in rows for name in row})
    number = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(rows), len(names) + 1))
    table[:, -1] = 1
    for i, row in enumerate(rows):
        for name, value in row.items():
            table[i, number[name]] = value
    target = np.array(right, dtype=float)
    penalty = np.full(len(names) + 1, ridge)
    penalty[-1] = 1e-6
    weights = np.zeros(len(names) + 1)
    for _ in range(60):
        likely = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (likely - target) + penalty * weights
        spread = likely * (1 - likely) + 1e-9
        step = np.linalg.solve((table * spread[:, None]).T @ table + np.diag(penalty), slope)
        weights -= step
        if abs(step).max() < 1e-6:
            break
    return Logistic(
        {name: round(float(weights[i]), 5) for name, i in number.items()},
        round(float(weights[-1]), 5),
    )


def documents(name: str) -> list[dict[str, Any]]:
    """Return the documents of one gold file."""
    lines = (GOLD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def weights(model: Logistic) -> dict[str, Any]:
    """Return a model as it is stored."""
    return {"bias": model.bias, "weights": dict(sorted(model.weights.items()))}


def save(models: dict[str, Any]) -> None:
    """Put models into the file, beside those that stand there."""
    path = files.WEIGHTS / deciding.MODELS
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known |= models
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pack.manifest()
    deciding.fitted.cache_clear()


def gold_named(document: dict[str, Any]) -> Named:
    """Return the annotated names of a document as if they had been found."""
    text = document["text"]
    groups = tuple(
        (
            entity["canonical"],
            tuple(
                sorted(
                    Mention(Span(a, b), entity["label"], 1.0, "gold") for a, b in entity["mentions"]
                )
            ),
        )
        for entity in document["entities"]
    )
    return Named(text, text, tuple(pairs(plain(text))), groups, {})


def fit_phrases() -> None:
    """Fit on train what phrases and places say of an entity being the document's own."""
    train = documents("train")
    core, curated = (list(read(ontology(f"lexicon/{name}.tsv"))) for name in ("core", "curated"))
    seen: list[tuple[dict[str, Features], dict[str, bool]]] = []
    for fold in range(PARTS):
        # A name must not be known from the very document that coins it.
        others = [d for i, d in enumerate(train) if i % PARTS != fold]
        lexicon = build([*curated, *entries(others)], core)
        for document in train[fold::PARTS]:
            found = phrase_features(gold_named(document), lexicon)
            seen.append((found, {e["canonical"]: e["introduced"] for e in document["entities"]}))

    def rows(part: Iterable[int]) -> tuple[list[Features], list[bool]]:
        chosen = [
            (features, seen[i][1][name]) for i in part for name, features in seen[i][0].items()
        ]
        return [row for row, _ in chosen], [right for _, right in chosen]

    order = list(range(len(seen)))
    random.Random(0).shuffle(order)
    second: tuple[list[Features], list[bool]] = ([], [])
    for fold in range(5):
        held = order[fold::5]
        model = fit(*rows(i for i in order if i not in set(held)))
        for i in held:
            surest = {name: model.probability(features) for name, features in seen[i][0].items()}
            for name, features in introduction.with_family(seen[i][0], surest).items():
                second[0].append(features)
                second[1].append(seen[i][1][name])
    save({"phrases": weights(fit(*rows(order))), "family": weights(fit(*second))})
    for name in ("dev", "seed-dev"):
        trials = []
        for document in documents(name):
            chances = first_chances(gold_named(document), load())
            trials += [(chances[e["canonical"]], e["introduced"]) for e in document["entities"]]
        print(name, "own, by phrases, on gold names:", best_f1(trials))


def best_f1(trials: Sequence[tuple[float, bool]]) -> str:
    """Return F1 at some thresholds."""
    shown = []
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5):
        true = sum(right for sure, right in trials if sure > threshold)
        found = sum(sure > threshold for sure, _ in trials)
        gold = sum(right for _, right in trials)
        shown.append(f"{threshold}: {2 * true / max(found + gold, 1):.3f}")
    return "  ".join(shown)


@dataclass(frozen=True, slots=True)
class Held:
    """An annotated document, and what is said of it by those who never saw it."""

    document: dict[str, Any]
    #: The lexicon without the names that only this document's fold taught.
    recogniser: Recogniser
    reading: Reading

    @property
    def marked(self) -> set[tuple[int, int, str]]:
        """Where the annotated mentions stand, with their labels."""
        return marked(self.document)


def marked(document: dict[str, Any]) -> set[tuple[int, int, str]]:
    """Return where the annotated mentions of a document stand, with their labels."""
    return {(a, b, e["label"]) for e in document["entities"] for a, b in e["mentions"]}


def held_out(readings: Path) -> list[Held]:
    """Return the documents of train and those annotated besides, each read by its fold."""
    train = documents("train")
    everyone = [*train, *annotated(ANNOTATED, SHARED / "corpora/abstracts.jsonl.gz")]
    said = load_readings(readings, everyone)
    core, curated = (list(read(ontology(f"lexicon/{name}.tsv"))) for name in ("core", "curated"))
    tagger = Recogniser.load("fast").tagger
    recognisers = [
        Recogniser(
            "fast",
            build([*curated, *entries([d for d in train if fold_of(d["id"]) != fold])], core),
            tagger,
        )
        for fold in range(FOLDS)
    ]
    return [Held(d, recognisers[fold_of(d["id"])], said[d["id"]]) for d in everyone]


Judged = list[tuple[Candidate, Features, bool]]


def judge(recogniser: Recogniser, document: dict[str, Any], text: str, reading: Reading) -> Judged:
    """Return the candidates of a document with their features, and whether each is annotated."""
    said, known = recogniser.opinions(
        text, reading, decode(best_tags([reading.log_probabilities])[0]), tuple(pairs(text))
    )
    path = [Candidate(*said.of_path(span), span.label, 1.0, "learned") for span in said.path]
    more = [(c.start, c.end) for c in choosing.repeated(text, path)]
    judgements = deciding.judged(said, known, deciding.spans_to_judge(said, known, more))
    right = marked(document)
    return [(c, f, (c.start, c.end, c.label) in right) for c, f in judgements]


def fit_mentions(held: Sequence[Held]) -> list[Held]:
    """Fit how all opinions on a mention add up; print what that gives on held-out documents.

    Returned are the documents with recognisers of which this too was held out.
    """
    data = [judge(one.recogniser, one.document, one.document["text"], one.reading) for one in held]
    columns = sorted({name for rows in data for _, features, _ in rows for name in features})
    tables = [deciding.table([f for _, f, _ in rows], columns) for rows in data]
    right = [np.array([answer for _, _, answer in rows]) for rows in data]

    def learn(part: Sequence[int]) -> Any:
        return trees.fit(
            np.concatenate([tables[i] for i in part]),
            np.concatenate([right[i] for i in part]),
            MENTIONS,
            ROUNDS,
        )

    folds = [fold_of(one.document["id"]) for one in held]
    models = [learn([i for i, own in enumerate(folds) if own != fold]) for fold in range(FOLDS)]
    chances = {i: models[fold].predict(tables[i]) for i, fold in enumerate(folds) if data[i]}
    for threshold in (0.35, 0.4, 0.45, 0.5):
        count = [0, 0, 0]
        sure: list[tuple[float, bool]] = []
        for i, likely in chances.items():
            rated = [
                replace(c, confidence=float(p))
                for (c, _, _), p in zip(data[i], likely, strict=True)
            ]
            text = held[i].document["text"]
            chosen = choosing.one_label(text, choosing.choose(rated, threshold))
            gold, mine = held[i].marked, {(c.start, c.end, c.label) for c in chosen}
            sure += [(c.confidence, (c.start, c.end, c.label) in gold) for c in chosen]
            for n, more in enumerate((len(mine & gold), len(mine), len(gold))):
                count[n] += more
        print(
            f"mentions held out, from {threshold}: {figures(*count)}, "
            f"calibration error {calibration(sure).error:.3f}"
        )
    trees.write(
        files.WEIGHTS / deciding.TREES,
        {"mentions": (learn(range(len(held))), "mentions")},
        {"mentions": len(columns)},
    )
    save({"mentions": {"columns": columns}})
    return [
        replace(one, recogniser=replace(one.recogniser, chances_of=models[fold].predict))
        for one, fold in zip(held, folds, strict=True)
    ]


def figures(true: int, found: int, gold: int) -> str:
    """Return precision, recall and F1 as they are printed."""
    return f"P {true / found:.3f} R {true / gold:.3f} F1 {2 * true / (found + gold):.3f}"


def fit_own(held: Sequence[Held]) -> None:
    """Fit what says that a found entity is the document's own."""
    rows: list[tuple[Features, bool]] = []
    for one in held:
        (named,) = one.recogniser.named([one.document["text"]], [one.reading])
        where = {(a, b): e for e in one.document["entities"] for a, b in e["mentions"]}
        first = first_chances(named, one.recogniser.lexicon)
        for name, mentions in named.groups:
            votes = [where.get((m.span.start, m.span.end)) for m in mentions]
            right = any(e and e["introduced"] for e in votes)
            rows.append((own_features(named, name, mentions, first), right))
    trials = []
    for fold in range(FOLDS):
        model = fit(
            *zip(*(row for i, row in enumerate(rows) if i % FOLDS != fold), strict=True), ridge=1.0
        )
        trials += [(model.probability(f), right) for f, right in rows[fold::FOLDS]]
    print("own, of found names, held out:", best_f1(trials))
    save({"introduced": weights(fit([f for f, _ in rows], [r for _, r in rows], ridge=1.0))})


def fit_kinds(held: Sequence[Held]) -> None:
    """Fit what kind of thing an own name stands for."""
    rows: list[Features] = []
    labels: list[str] = []
    so_far: list[str] = []
    for one in held:
        (named,) = one.recogniser.named([one.document["text"]], [one.reading])
        where = {(a, b): e["label"] for e in one.document["entities"] for a, b in e["mentions"]}
        chances = one.recogniser.chances(named)
        for name, mentions in named.groups:
            found = Counter(where.get((m.span.start, m.span.end), "") for m in mentions)
            del found[""]
            if chances[name] > OWN and found:
                rows.append(kind_features(named, mentions))
                labels.append(found.most_common(1)[0][0])
                so_far.append(mentions[0].label)
    seen = Counter(name for row in rows for name in row)
    names = sorted(name for name, number in seen.items() if number >= FEWEST)
    column = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(rows), len(names)))
    for i, row in enumerate(rows):
        for name, value in row.items():
            if name in column:
                table[i, column[name]] = value
    answers = np.array(labels)
    right = 0
    for fold in range(FOLDS):
        held_fold = np.arange(len(rows)) % FOLDS == fold
        model = LogisticRegression(C=0.1, max_iter=500).fit(table[~held_fold], answers[~held_fold])
        right += int((model.predict(table[held_fold]) == answers[held_fold]).sum())
    before = sum(a == b for a, b in zip(labels, so_far, strict=True)) / len(labels)
    print(
        f"kinds of {len(labels)} own names, held out: "
        f"{before:.3f} right before, {right / len(labels):.3f} after"
    )
    model = LogisticRegression(C=0.1, max_iter=500).fit(table, answers)
    classes = model.classes_.tolist()
    by_label = [classes.index(label) if label in classes else None for label in LABELS]

    def ordered(values: Sequence[float], lacking: float) -> list[float]:
        return [lacking if i is None else round(float(values[i]), 3) for i in by_label]

    content = {
        "bias": ordered(model.intercept_, -99.0),
        "weights": {name: ordered(model.coef_[:, i], 0.0) for name, i in column.items()},
    }
    text = json.dumps(content, sort_keys=True).replace("], ", "],\n ")
    (files.WEIGHTS / kinds.MODEL).write_text(text + "\n", encoding="utf-8")
    pack.manifest()
    kinds.fitted.cache_clear()


def write_found(held: Sequence[Held], path: Path) -> None:
    """Write the documents with the names that are found in them, for the linker to learn."""
    with path.open("w", encoding="utf-8") as lines:
        for one in held:
            document = one.document
            (entities,) = one.recogniser.decided([document["text"]], [one.reading])
            listed = [
                {
                    "canonical": e.canonical,
                    "label": e.label,
                    "introduced": e.introduced,
                    "mentions": [[m.span.start, m.span.end] for m in e.mentions],
                    "confidences": [m.confidence for m in e.mentions],
                }
                for e in entities
            ]
            row = {key: document[key] for key in ("id", "title", "text") if key in document}
            row |= {"entities": listed, "edges": [], "results": []}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def check() -> None:
    """Print what both gears reach on the sets that nothing here was fitted on."""
    for gear in ("fast", "accurate"):
        recogniser = Recogniser.load(gear)
        for name in ("dev", "seed-dev"):
            gold = documents(name)
            texts = [plain(document["text"]) for document in gold]
            count = [0, 0, 0]
            sure: list[tuple[float, bool]] = []
            found = recogniser.decided(texts, recogniser.tagger.read(texts))
            for document, entities in zip(gold, found, strict=True):
                right = marked(document)
                mine = {
                    (m.span.start, m.span.end, e.label): m.confidence
                    for e in entities
                    for m in e.mentions
                }
                sure += [(chance, key in right) for key, chance in mine.items()]
                for n, more in enumerate((len(mine.keys() & right), len(mine), len(right))):
                    count[n] += more
            error = calibration(sure).error
            print(f"{gear} on {name}: mentions {figures(*count)}, calibration error {error:.3f}")


def main() -> None:
    """Fit what is asked for, in this order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("steps", nargs="+", choices=("phrases", "tagged", "check"))
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build/train", help="where heldout.npz is"
    )
    options = parser.parse_args()
    if "phrases" in options.steps:
        fit_phrases()
    if "tagged" in options.steps:
        held = fit_mentions(held_out(options.work / "heldout.npz"))
        fit_own(held)
        fit_kinds(held)
        write_found(held, options.work / "found.jsonl")
        besides = annotated(ANNOTATED, SHARED / "corpora/abstracts.jsonl.gz")
        (options.work / "besides.jsonl").write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in besides),
            encoding="utf-8",
        )
    if "check" in options.steps:
        check()


if __name__ == "__main__":
    main()
