"""Run ``kg`` with a reader of names that needs no model: ``python tests/building.py build ...``.

A capitalised word with a digit is a Model; ``A < B`` says that A was fine-tuned from B, and
``A > B`` that A outperforms B.  ``KG_TEST_DELAY`` is what a document takes, in seconds.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kg.pipeline import reading, workers  # noqa: E402
from kg.values import (  # noqa: E402
    Document,
    Evidence,
    LocalEdge,
    LocalEntity,
    Mention,
    Reading,
    Span,
)

NAME = re.compile(r"\b[A-Z][a-z]*\d+\b")
EDGE = re.compile(rf"({NAME.pattern}) ([<>]) ({NAME.pattern})")
RELATIONS = {"<": "fineTunedFrom", ">": "outperforms"}
#: A build without the formats that take long to write.
QUICK = ("--formats", "turtle,provenance,nodes,edges,results,graphml")


def read(documents: Iterable[Document], *, gear: str = "fast") -> Iterator[Reading]:
    """Yield what the simple grammar above finds in each document."""
    delay = float(os.environ.get("KG_TEST_DELAY", 0))
    for document in documents:
        time.sleep(delay)
        if "explode" in document.text:
            raise ValueError("this text explodes")
        mentions: dict[str, list[Mention]] = {}
        for match in NAME.finditer(document.text):
            mention = Mention(Span(*match.span()), "Model", 0.9, "test")
            mentions.setdefault(match.group(), []).append(mention)
        entities = tuple(LocalEntity(n, "Model", False, tuple(m)) for n, m in mentions.items())
        edges = []
        for match in EDGE.finditer(document.text):
            proof = Evidence(
                document=document.id,
                field="abstract",
                span=Span(*match.span()),
                sentence=match.group(),
                kind="extracted",
                extractor="test",
                rule=match[2],
                confidence=0.7,
            )
            edges.append(LocalEdge(match[1], RELATIONS[match[2]], match[3], (proof,)))
        unique = {(e.head, e.relation, e.tail): e for e in edges}
        yield Reading(document, entities, tuple(unique[key] for key in sorted(unique)))


def install() -> None:
    """Put the simple reader in the place of the real one, in this process."""
    reading.read = read
    reading.version = lambda gear="fast": f"test {gear}"
    workers.WORTHWHILE = sys.maxsize  # worker processes would not know the simple reader


def in_memory() -> str | None:
    """Return a folder that is kept in memory, where the machine has one: many builds, no disk."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
    return str(shared) if os.access(shared, os.W_OK) else None


def papers(path: Path, texts: dict[str, str]) -> Path:
    """Write ``texts`` by id as papers in JSON lines."""
    rows = ({"id": id_, "title": f"On {id_}", "abstract": text} for id_, text in texts.items())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def corpus(count: int) -> dict[str, str]:
    """Return ``count`` short texts by id, which share names and contradict each other."""
    return {
        f"doc-{i:04}": f"Model{i} < Base{i % 7}. Model{i} > Model{i * 3 % count}. Base{i % 7} < "
        f"Base{(i + 1) % 7}."
        for i in range(count)
    }


def outputs(folder: Path) -> dict[str, bytes]:
    """Return every output in ``folder`` by its path; the state of builds is no output."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".kg" not in path.relative_to(folder).parts
    }


if __name__ == "__main__":
    from kg.cli import main

    install()
    sys.exit(main(sys.argv[1:]))
