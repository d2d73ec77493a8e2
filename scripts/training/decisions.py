"""Fit the logistic models of kg/ner/decisions.json.

    python scripts/training/decisions.py phrases          on train: what is the paper's own
    python scripts/training/decisions.py fast accurate    on dev: mentions and own, per gear

What uses the tagger is fitted on dev, since the tagger has seen train; cross-validated figures
are printed.  Needs numpy alone.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # small matrices: threads would only wait for each other
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402
from training.mining import entries  # noqa: E402

from kg.evaluation import calibration  # noqa: E402
from kg.ner import choosing, deciding, introduction  # noqa: E402
from kg.ner.abbreviations import pairs  # noqa: E402
from kg.ner.choosing import Candidate  # noqa: E402
from kg.ner.lexicon import build, load, read  # noqa: E402
from kg.ner.logistic import Features, Logistic  # noqa: E402
from kg.ner.masking import plain  # noqa: E402
from kg.ner.recogniser import Named, Recogniser, own_features  # noqa: E402
from kg.ner.tags import best_tags, decode  # noqa: E402
from kg.resources import ontology  # noqa: E402
from kg.values import Mention, Span  # noqa: E402

OUT = ROOT / "kg" / "ner" / "decisions.json"
GOLD = Path(os.environ.get("MLKG_SHARED") or ROOT.parent / "shared") / "gold"
FOLDS = 10


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


def save(models: dict[str, Logistic]) -> None:
    """Put models into the file, beside those that stand there."""
    known = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for name, model in models.items():
        known[name] = {"bias": model.bias, "weights": dict(sorted(model.weights.items()))}
    OUT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


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
    return Named(text, tuple(pairs(plain(text))), groups, {})


def fit_phrases() -> None:
    """Fit on train what phrases and places say of an entity being the document's own."""
    train = documents("train")
    core, curated = (list(read(ontology(f"lexicon/{name}.tsv"))) for name in ("core", "curated"))
    seen: list[tuple[dict[str, Features], dict[str, bool]]] = []
    for fold in range(FOLDS):
        # A name must not be known from the very document that coins it.
        others = [d for i, d in enumerate(train) if i % FOLDS != fold]
        recogniser = Recogniser("fast", build([*curated, *entries(others)], core), None)
        for document in train[fold::FOLDS]:
            found = recogniser.phrase_features(gold_named(document))
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
            for name, features in seen[i][0].items():
                second[0].append(introduction.with_family(features, name, surest))
                second[1].append(seen[i][1][name])
    save({"phrases": fit(*rows(order)), "family": fit(*second)})
    recogniser = Recogniser("fast", load(), None)
    deciding.model.cache_clear()
    for name in ("dev", "seed-dev"):
        trials = []
        for document in documents(name):
            chances = recogniser.first_chances(gold_named(document))
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


def fit_gear(gear: str) -> None:
    """Fit on dev how all opinions on a mention add up, and those on own entities."""
    recogniser = Recogniser.load(gear)
    if recogniser.tagger is None:
        raise SystemExit("there are no weights to fit with: run scripts/train first")
    dev = documents("dev")
    texts = [plain(document["text"]) for document in dev]
    readings = recogniser.tagger.read(texts)
    data = []
    tags = best_tags([reading.log_probabilities for reading in readings])
    for document, text, reading, best in zip(dev, texts, readings, tags, strict=True):
        gold = {(a, b, e["label"]) for e in document["entities"] for a, b in e["mentions"]}
        said, known = recogniser.opinions(text, reading, decode(best), tuple(pairs(text)))
        path = [Candidate(*said.of_path(span), span.label, 1.0, "learned") for span in said.path]
        more = [(c.start, c.end) for c in choosing.repeated(text, path)]
        judgements = deciding.judged(said, known, deciding.spans_to_judge(said, known, more))
        data.append([(c, f, (c.start, c.end, c.label) in gold) for c, f in judgements])

    def rows(part: Iterable[int]) -> tuple[list[Features], list[bool]]:
        chosen = [(f, right) for i in part for _, f, right in data[i]]
        return [f for f, _ in chosen], [right for _, right in chosen]

    everyone = range(len(dev))
    counts = {threshold: [0, 0, 0] for threshold in (0.25, 0.3, 0.35, 0.4, 0.45)}
    sure: list[tuple[float, bool]] = []
    for fold in range(5):
        model = fit(*rows(i for i in everyone if i % 5 != fold))
        for i in everyone[fold::5]:
            gold = {(a, b, e["label"]) for e in dev[i]["entities"] for a, b in e["mentions"]}
            rated = [replace(c, confidence=model.probability(f)) for c, f, _ in data[i]]
            for threshold, count in counts.items():
                chosen = choosing.one_label(texts[i], choosing.choose(rated, threshold))
                mine = {(c.start, c.end, c.label) for c in chosen}
                for n, more_of_it in enumerate((len(mine & gold), len(mine), len(gold))):
                    count[n] += more_of_it
                if threshold == choosing.THRESHOLD:
                    sure += [(c.confidence, (c.start, c.end, c.label) in gold) for c in chosen]
    print(f"{gear}: mentions on dev, 5-fold, by threshold")
    for threshold, (true, found, there) in counts.items():
        p, r, f1 = true / found, true / there, 2 * true / (found + there)
        print(f"  {threshold}: P {p:.3f} R {r:.3f} F1 {f1:.3f}")
    print(f"  calibration error {calibration(sure).error:.3f}")
    fitted = fit(*rows(everyone))
    save({f"mention {gear}": fitted})
    deciding.model.cache_clear()

    own_rows: list[tuple[Features, bool]] = []
    named = recogniser.named(texts, readings)
    for document, one in zip(dev, named, strict=True):
        where = {(a, b): e for e in document["entities"] for a, b in e["mentions"]}
        first = recogniser.first_chances(one)
        for name, mentions in one.groups:
            votes = [where.get((m.span.start, m.span.end)) for m in mentions]
            right = any(e and e["introduced"] and e["label"] == mentions[0].label for e in votes)
            own_rows.append((own_features(one, name, mentions, first), right))
    trials = []
    for fold in range(5):
        model = fit(
            *zip(*(row for i, row in enumerate(own_rows) if i % 5 != fold), strict=True), ridge=1.0
        )
        trials += [(model.probability(f), right) for f, right in own_rows[fold::5]]
    print(f"{gear}: own, on found names, 5-fold (of found ones):", best_f1(trials))
    save(
        {
            f"introduced {gear}": fit(
                [f for f, _ in own_rows], [right for _, right in own_rows], ridge=1.0
            )
        }
    )
    deciding.model.cache_clear()


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        if argument == "phrases":
            fit_phrases()
        else:
            fit_gear(argument)
