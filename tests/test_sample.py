"""The sample corpus: short texts in our own words, each with the address of its subject."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import kg
from kg.readers import Skipped, read
from kg.readers.frontmatter import key_span, value_span
from kg.values import Document

SAMPLE = Path(kg.__file__).parent / "docs" / "sample"
#: Texts that only compare, or deny, and state no lineage.
NO_LINEAGE = {"awq", "clip", "dpo", "false-promise", "gptq", "gsm8k", "humaneval", "lora"} | {
    "mmlu",
    "mt-bench",
    "sparsegpt",
    "wanda",
}


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    skipped: list[Skipped] = []
    found = list(read([SAMPLE], on_skip=skipped.append))
    assert skipped == []
    return found


def test_corpus_is_large_enough_and_of_all_kinds(documents: list[Document]) -> None:
    assert Counter(document.kind for document in documents) == {
        "paper": 42,
        "model-card": 25,
        "dataset-card": 5,
    }


def test_every_text_has_the_address_of_what_it_speaks_of(documents: list[Document]) -> None:
    for document in documents:
        if document.kind == "paper":
            assert re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{5}", document.url)
        else:
            prefix = "datasets/" if document.kind == "dataset-card" else ""
            assert document.url == f"https://huggingface.co/{prefix}{document.repository}"
    assert len({document.url for document in documents}) == len(documents)


def test_texts_are_short_and_vary(documents: list[Document]) -> None:
    abstracts = [d.text.partition("\n")[2] for d in documents if d.kind == "paper"]
    sentences = [len(re.findall(r"[.?!](?=\s|$)", abstract)) for abstract in abstracts]
    assert min(sentences) >= 2
    assert max(sentences) <= 7
    assert len(set(sentences)) >= 4


def test_texts_without_lineage_are_among_them(documents: list[Document]) -> None:
    assert {document.id for document in documents} >= NO_LINEAGE
    lineage = re.compile(r"distilled from|fine-tuned from|pruned from|merged from|successor of")
    stated = [d.id for d in documents if d.id in NO_LINEAGE and lineage.search(d.text)]
    assert stated == []


def test_every_declared_parent_can_be_quoted(documents: list[Document]) -> None:
    for document in documents:
        parents = document.metadata.get("base_model", [])
        for parent in [parents] if isinstance(parents, str) else parents:
            span = value_span(document.text, "base_model", parent)
            line = key_span(document.text, "base_model", parent)
            assert span is not None
            assert line is not None
            assert span.of(document.text) == parent
            assert parent in line.of(document.text)


def test_no_sentence_is_another_persons(documents: list[Document], shared: Path) -> None:
    """No run of twelve words stands in the abstracts that the corpora hold."""
    import gzip

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[\w.%-]+", text.casefold())
        return {tuple(words[i : i + 12]) for i in range(len(words) - 11)}

    ours = set[tuple[str, ...]]().union(*(runs(document.text) for document in documents))
    begins = {run[0:2] for run in ours}
    copied = set()
    texts: list[str] = []
    for name in ("train", "dev", "seed-dev"):
        lines = (shared / "gold" / f"{name}.jsonl").read_text("utf-8").splitlines()
        texts += [json.loads(line)["text"] for line in lines]
    with gzip.open(
        shared / "corpora" / "cards_flat_2024.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        texts += [json.loads(line)["content"][:20_000] for line in list(lines)[:300]]
    for text in texts:
        words = re.findall(r"[\w.%-]+", text.casefold())
        for i in range(len(words) - 11):
            if tuple(words[i : i + 2]) in begins and tuple(words[i : i + 12]) in ours:
                copied.add(" ".join(words[i : i + 12]))
    assert copied == set()
