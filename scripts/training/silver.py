"""Let the accurate tagger label abstracts, softly, for the fast one to learn from."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from training.corpora import abstracts
from training.data import Example, example

from kg.ner.features import Knowledge
from kg.ner.learned import Tagger
from kg.ner.words import WordPieces

CHUNK = 100


def bare(title: str) -> str:
    """A title without case, blanks and signs, to know it again."""
    return re.sub(r"\W+", "", title.lower())


def sample(
    corpus: Path, gold: Sequence[dict[str, Any]], number: int, seed: int
) -> list[dict[str, str]]:
    """That many abstracts none of which is in the gold."""
    known = {bare(document["title"]) for document in gold}
    rows = [row for row in abstracts(corpus) if bare(row["title"]) not in known]
    drawn = random.Random(seed).sample(rows, number)  # a sample, no secret
    return [{"id": row["id"], "text": row["text"]} for row in drawn]


def label(documents: Sequence[dict[str, str]], folder: Path, tagger: Tagger) -> None:
    """Write what the tagger says of the documents, a file for each hundred; keep those there."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(documents), CHUNK):
        path = folder / f"{start:06d}.npz"
        if path.exists():
            continue
        chunk = list(documents[start : start + CHUNK])
        said = tagger.read([document["text"] for document in chunk])
        part = folder / "part.npz"
        np.savez(
            part,
            documents=np.array(json.dumps(chunk)),
            lengths=np.array([len(one.words) for one in said]),
            tags=np.concatenate([one.log_probabilities for one in said]).astype(np.float16),
            plural=np.concatenate([one.plural for one in said]).astype(np.float16),
            introduced=np.concatenate([one.introduced for one in said]).astype(np.float16),
        )
        part.rename(path)


def documents(path: Path) -> list[dict[str, str]]:
    """The documents of one file of :func:`label`."""
    found: list[dict[str, str]] = json.loads(str(np.load(path, allow_pickle=False)["documents"]))
    return found


def examples(folder: Path, pieces: WordPieces, knowledge: Knowledge) -> Iterator[Example]:
    """The labelled abstracts with the tagger's distributions as what to learn."""
    for path in sorted(folder.glob("[0-9]*.npz")):
        stored = np.load(path, allow_pickle=False)
        place = 0
        lengths = stored["lengths"].tolist()
        for document, length in zip(json.loads(str(stored["documents"])), lengths, strict=True):
            here = slice(place, place + length)
            place += length
            tags = torch.tensor(stored["tags"][here]).float().exp()
            soft = (
                (tags / tags.sum(1, keepdim=True)).half(),
                torch.tensor(stored["plural"][here]),
                torch.tensor(stored["introduced"][here]),
            )
            yield replace(example(document, pieces, knowledge), soft=soft)
