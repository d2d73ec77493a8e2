"""The learned linker: boosted trees that give every pair of entities a probability a relation.

The trees stand in ``weights/relations.onnx.gz``, written by ``scripts/training/relations.py``;
``weights/manifest.json`` holds what it was trained on, the hash of the weights, the curve that
turns each score into a probability, and the threshold from which an edge is accepted.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kg import schema, weights
from kg.errors import UsageError
from kg.linker import cues, features
from kg.linker.features import Pairs
from kg.linker.view import View
from kg.resources import PACKAGE
from kg.values import LABELS

WEIGHTS = PACKAGE / "linker" / "weights"
#: The trees that see any lineage at all; those of its kinds tell which, given that there is one.
LINEAGE = "lineage"


@lru_cache(maxsize=1)
def manifest() -> dict[str, Any]:
    """Return what was written beside the weights: thresholds, calibration, hashes, figures."""
    found: dict[str, Any] = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class _Model:
    session: Any
    relations: tuple[str, ...]
    #: Those of the relations that are kinds of lineage.
    lineage: tuple[str, ...]
    #: Whether a relation (row) admits a label as head and one as tail.
    admitted: npt.NDArray[np.bool_]
    curves: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]


def session(file: str) -> Any:
    """Return the trees of ``weights/<file>``, after a check of their hash."""
    return weights.session(WEIGHTS / file, manifest()["files"][file])


@lru_cache(maxsize=1)
def _model() -> _Model:
    said = manifest()
    if said["columns"] != _columns_hash():
        raise UsageError(
            "ontology/cues.toml has cues or classes of words that the learned linker was not "
            "trained with; run scripts/train relations"
        )
    relations = tuple(said["relations"])
    return _Model(
        session("relations.onnx.gz"),
        relations,
        tuple(said["lineage"]),
        np.array(
            [
                [
                    [(head, tail) in schema.relations()[name].pairs for tail in LABELS]
                    for head in LABELS
                ]
                for name in relations
            ]
        ),
        {
            name: (np.array(curve[0]), np.array(curve[1]))
            for name, curve in said["calibration"].items()
        },
    )


def _columns_hash() -> str:
    return hashlib.sha256("\n".join(features.columns()).encode()).hexdigest()


def relations() -> tuple[str, ...]:
    """Return the relations that were learned; the others are left to cues."""
    return _model().relations


def opinions(view: View, found: Pairs) -> npt.NDArray[np.float64]:
    """Return the probability of each learned relation (a column) for each pair (a row)."""
    model = _model()
    labels = np.array([LABELS.index(entity.label) for entity in view.entities], np.int64)
    heads, tails = np.array(found.heads, np.int64), np.array(found.tails, np.int64)
    admitted = model.admitted[:, labels[heads], labels[tails]]
    rows = {name: row.nonzero()[0] for name, row in zip(model.relations, admitted, strict=True)}
    probabilities = np.zeros((len(heads), len(model.relations)))
    wanted = [name for name in model.relations if len(rows[name])]
    if not wanted:
        return probabilities
    of_lineage = [model.relations.index(name) for name in model.lineage]
    ancestry = np.flatnonzero(np.any(admitted[of_lineage], axis=0))
    feed: dict[str, Any] = {f"rows_{name}": rows[name] for name in model.relations}
    feed |= {f"rows_{LINEAGE}": ancestry, "pairs": found.numbers}
    scores = model.session.run([f"score_{name}" for name in [*wanted, LINEAGE]], feed)
    any_kind = np.zeros(len(heads))
    any_kind[ancestry] = scores.pop()[:, 0]
    for name, score in zip(wanted, scores, strict=True):
        column, one = model.relations.index(name), score[:, 0]
        if name in model.lineage:
            one = both(any_kind[rows[name]], one)
        probabilities[rows[name], column] = np.interp(one, *model.curves[name])
    return symmetric(found, probabilities, model.relations)


def both(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the log odds that two things hold, from those of one and of the other given it."""
    # With p = 1 / (1 + exp(-x)), the odds against both are exp(-a) + exp(-b) + exp(-a - b).
    return -np.asarray(np.logaddexp(np.logaddexp(-one, -other), -one - other))


def is_source(view: View, head: int, tail: int) -> bool:
    """Whether the head is itself a source where the two stand closest.

    "Distilled from A based on B" speaks of what came from A, and says nothing of A and B.
    """
    if not view.places[head] or not view.places[tail]:
        return False
    (here, at), (there, to) = features.nearest(view, head, tail)
    return here == there and at < to and cues.is_source(view.sentences[here], at)


def doubted(view: View, head: int, tail: int) -> bool:
    """Whether one sentence compares the two names of a pair, or denies or hedges before them."""
    if not view.places[head] or not view.places[tail]:
        return False
    (here, at), (there, to) = features.nearest(view, head, tail)
    if here != there:
        return False
    table = cues.load()
    words = view.sentences[here].words
    low, high = min(at, to), max(at, to)
    between = " ".join(words[low + 1 : high]) + " "
    before = " ".join((*words[max(0, low - 12) : low], *words[low + 1 : high])) + " "
    return bool(
        table.comparison.search(between)
        or table.negation.search(before)
        or table.hedge.search(before)
    )


def symmetric(
    found: Pairs, probabilities: npt.NDArray[np.float64], names: tuple[str, ...]
) -> npt.NDArray[np.float64]:
    """Give a symmetric relation one opinion a pair, that of both readings, at the first one."""
    at = {pair: i for i, pair in enumerate(zip(found.heads, found.tails, strict=True))}
    for column, name in enumerate(names):
        if not schema.relations()[name].symmetric:
            continue
        for (head, tail), i in at.items():
            j = at.get((tail, head), -1)
            if i < j:
                probabilities[i, column] = (probabilities[i, column] + probabilities[j, column]) / 2
                probabilities[j, column] = 0
    return probabilities
