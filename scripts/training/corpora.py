"""The annotated documents and the abstracts, and what networks said of those held out."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kg.ner.learned import Reading
from kg.ner.words import split

#: Stand-off annotations of more abstracts, made by a language model after the gold's guidelines.
ANNOTATED = Path(__file__).parent / "annotated.jsonl"
FOLDS = 5


def read(path: Path) -> list[dict[str, Any]]:
    """The documents of a JSON lines file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def abstracts(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of the gzipped file of abstracts, each with its ``text``: title, line feed, body."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield row | {"text": f"{row['title']}\n{row['abstract']}"}


def annotated(rows: Path, corpus: Path) -> list[dict[str, Any]]:
    """The documents of a file of stand-off annotations, in the gold's form, with their texts.

    A document of which no text is the one that was annotated (its SHA-256) is an error.
    """
    marked = {row["id"]: row for row in read(rows)}
    found = []
    for one in abstracts(corpus):
        row = marked.get(one["id"])
        # Two of the abstracts may have one id: two versions of a paper.
        if row is None or hashlib.sha256(one["text"].encode()).hexdigest() != row["sha256"]:
            continue
        del marked[one["id"]]
        entities = [
            {"canonical": name, "label": label, "introduced": bool(own), "mentions": mentions}
            for name, label, own, mentions in row["entities"]
        ]
        edges = [{"head": h, "type": relation, "tail": t} for h, relation, t in row["edges"]]
        keys = ("subject", "on", "metric", "value")
        results = [dict(zip(keys, result, strict=True)) for result in row["results"]]
        document = {key: one[key] for key in ("id", "title", "text")}
        found.append(document | {"entities": entities, "edges": edges, "results": results})
    if marked:
        raise ValueError(
            f"{corpus} lacks {len(marked)} documents as they were annotated: {sorted(marked)[:3]}"
        )
    return sorted(found, key=lambda document: str(document["id"]))


def fold_of(identifier: str) -> int:
    """The fold in which a document is held out: the same in every run and for every network."""
    return int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % FOLDS


def save_readings(path: Path, readings: Mapping[str, Any]) -> None:
    """Write what networks said of documents: log-probabilities and two probabilities a word."""
    said = list(readings.values())
    np.savez(
        path,
        ids=np.array(list(readings)),
        lengths=np.array([len(one.plural) for one in said]),
        tags=np.concatenate([one.log_probabilities for one in said]).astype(np.float32),
        plural=np.concatenate([one.plural for one in said]).astype(np.float32),
        introduced=np.concatenate([one.introduced for one in said]).astype(np.float32),
    )


def load_readings(path: Path, documents: Sequence[Mapping[str, Any]]) -> dict[str, Reading]:
    """Return by document what :func:`save_readings` wrote."""
    stored = np.load(path, allow_pickle=False)
    table, plural, introduced = (stored[name] for name in ("tags", "plural", "introduced"))
    texts = {document["id"]: document["text"] for document in documents}
    found: dict[str, Reading] = {}
    place = 0
    for identifier, length in zip(stored["ids"].tolist(), stored["lengths"].tolist(), strict=True):
        here = slice(place, place + length)
        place += length
        words = tuple(split(texts[identifier]))
        if len(words) != length:
            raise ValueError(f"{path}: {identifier} has other words now; make the readings again")
        found[identifier] = Reading(words, table[here], plural[here], introduced[here])
    return found
