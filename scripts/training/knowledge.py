"""Make the file of what the tagger knows of words: gazetteers and word frequencies."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from kg.ner.features import Gazetteer, Knowledge, normal
from kg.ner.tags import LABELS
from kg.ner.words import split

LISTS = {
    "models": "Model",
    "datasets": "Dataset",
    "benchmarks": "Benchmark",
    "methods": "Method",
    "tasks": "Task",
    "metrics": "Metric",
}
#: the head noun after a mined name -> what it says about the name
CUES = {
    **dict.fromkeys(("model", "models"), "Model"),
    **dict.fromkeys(("dataset", "datasets", "corpus", "collection"), "Dataset"),
    **dict.fromkeys(("benchmark", "benchmarks", "leaderboard", "suite", "test set"), "Benchmark"),
    **dict.fromkeys(("method", "framework", "algorithm", "approach", "loss", "system"), "Method"),
    **dict.fromkeys(("pipeline", "library", "technique", "architecture", "paradigm"), "Method"),
    **dict.fromkeys(("strategy", "toolkit"), "Method"),
    "metric": "Metric",
    "task": "Task",
}
#: a curated list, what cues say, seen as a mined name, an abbreviation, a long form
WIDTH = 2 * len(LABELS) + 3
MINED, ABBREVIATION, LONG_FORM = WIDTH - 3, WIDTH - 2, WIDTH - 1
FEWEST_DOCUMENTS = 8


def table(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a TSV file with a header."""
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def frequencies(texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Word -> log document frequency (0 to 1) and the share of capitalised occurrences."""
    documents: Counter[str] = Counter()
    every: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    total = 0
    for text in texts:
        total += 1
        words = [word.text for word in split(text)]
        documents.update({word.lower() for word in words})
        for word in words:
            every[word.lower()] += 1
            capital[word.lower()] += word[0].isupper()
    return {
        word: (
            round(math.log1p(number) / math.log1p(total), 2),
            round(capital[word] / every[word], 1),
        )
        for word, number in sorted(documents.items())
        if number >= FEWEST_DOCUMENTS and word.isalnum()
    }


def phrase(name: str) -> str:
    """How a name of the lexicon is looked up."""
    return normal([word.text for word in split(name)])


def lexicon(folder: Path, words: dict[str, tuple[float, float]]) -> dict[str, list[float]]:
    """Phrase -> its row of numbers, from the curated and the mined lists."""
    rows: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * WIDTH)

    def ordinary(found: str) -> bool:
        frequency, share = words.get(found, (0.0, 0.0))
        return " " not in found and (
            (frequency > 0.3 and share < 0.4) or len(found) < 2 or found.isdigit()
        )

    for name, label in LISTS.items():
        for row in table(folder / f"{name}.tsv"):
            for written in [row["name"], *row["aliases"].split("|")]:
                found = phrase(re.sub(r"^[\w.-]+/", "", written))
                if (
                    found
                    and len(found.split(" ")) <= 8
                    and (label in ("Task", "Metric", "Method") or not ordinary(found))
                ):
                    rows[found][LABELS.index(label)] = 1.0
    for row in table(folder / "hf_parents.tsv"):
        found = phrase(row["repo_id"].split("/")[-1])
        if found and len(found.split(" ")) <= 8 and not ordinary(found):
            rows[found][0] = 1.0
    for row in table(folder / "mined_names.tsv"):
        found = phrase(row["name"])
        if not found or ordinary(found):
            continue
        votes = Counter[str]()
        for cue in row["cues"].split("|"):
            kind, _, number = cue.partition("=")
            label = CUES.get(kind.split(":")[-1], "")
            if label:
                votes[label] += int(number)
        for label, number in votes.items():
            rows[found][len(LABELS) + LABELS.index(label)] = round(number / sum(votes.values()), 1)
        rows[found][MINED] = round(min(1.0, math.log1p(int(row["docs"])) / 4), 1)
    for row in table(folder / "mined_abbrev.tsv"):
        rows[phrase(row["abbrev"])][ABBREVIATION] = round(
            min(1.0, math.log1p(int(row["docs"])) / 6), 1
        )
        for written in [row["long_form"], *(row["variants"] or "").split("|")]:
            if found := phrase(written):
                rows[found][LONG_FORM] = round(min(1.0, math.log1p(int(row["docs"])) / 6), 1)
    rows.pop("", None)
    return dict(rows)


def write(
    path: Path, gazetteers: list[dict[str, list[float]]], words: dict[str, tuple[float, float]]
) -> None:
    """One gzipped JSON document, the same bytes for the same content."""
    tables = []
    for rows in gazetteers:
        width = len(next(iter(rows.values())))
        tables.append(
            {
                "width": width,
                "rows": {
                    name: [round(10 * value) for value in rows[name]] for name in sorted(rows)
                },
            }
        )
    content = json.dumps(
        {"gazetteers": tables, "words": dict(sorted(words.items()))},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    path.write_bytes(gzip.compress(content.encode(), mtime=0))


def read(path: Path) -> Knowledge:
    """What :func:`write` wrote."""
    content = json.loads(gzip.decompress(path.read_bytes()))
    gazetteers = tuple(
        Gazetteer(
            {name: tuple(value / 10 for value in row) for name, row in part["rows"].items()},
            part["width"],
        )
        for part in content["gazetteers"]
    )
    return Knowledge(
        gazetteers, {word: (pair[0], pair[1]) for word, pair in content["words"].items()}
    )
