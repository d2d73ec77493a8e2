"""`kg extract` writes the form of the annotated corpora; `kg evaluate` reads it."""

import json
from pathlib import Path

import pytest

from kg.cli import main

PAPERS = [
    {
        "id": "p1",
        "title": "TinyNet: a small student",
        "abstract": "TinyNet-7B is distilled from DeepSeek-R1 and tested on GSM8K.",
    },
    {
        "id": "p2",
        "title": "On tuning",
        "abstract": "We fine-tune Qwen2.5-7B with LoRA.",
    },
]


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    path = tmp_path / "papers.jsonl"
    path.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS), encoding="utf-8")
    return path


def test_each_line_has_the_form_of_the_annotated_corpora(papers: Path, tmp_path: Path) -> None:
    """Ids are kept, offsets quote title + line feed + abstract, ends of edges are canonicals."""
    output = tmp_path / "found.jsonl"
    assert main(["extract", str(papers), "-o", str(output)]) == 0
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["p1", "p2"]
    for row, paper in zip(rows, PAPERS, strict=True):
        assert row["text"] == f"{paper['title']}\n{paper['abstract']}"
        assert (row["title"], row["abstract"]) == (paper["title"], paper["abstract"])
        assert set(row) == {"id", "title", "abstract", "text", "entities", "edges", "results"}
        for entity in row["entities"]:
            assert set(entity) == {"canonical", "label", "introduced", "mentions", "confidences"}
            assert len(entity["confidences"]) == len(entity["mentions"])
            assert all(0 < sure <= 1 for sure in entity["confidences"])
        canonicals = {entity["canonical"] for entity in row["entities"]}
        assert len(canonicals) == len(row["entities"])
        for edge in row["edges"]:
            assert set(edge) == {"head", "type", "tail", "evidence"}
            assert {edge["head"], edge["tail"]} <= canonicals
            assert edge["evidence"] in row["text"]
    marked = {
        rows[1]["text"][start:end]
        for entity in rows[1]["entities"]
        for start, end in entity["mentions"]
    }
    assert {"Qwen2.5-7B", "LoRA"} <= marked


def test_extraction_is_deterministic(papers: Path, tmp_path: Path) -> None:
    """The same input gives the same bytes."""
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    for output in (first, second):
        main(["extract", str(papers), "-o", str(output)])
    assert first.read_bytes() == second.read_bytes()


def test_what_was_extracted_scores_one_against_itself(
    papers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`kg evaluate` reads what `kg extract` writes, and can extract by itself."""
    output = tmp_path / "found.jsonl"
    main(["extract", str(papers), "-o", str(output)])
    capsys.readouterr()
    for predicted in ([str(output)], []):
        assert main(["evaluate", str(output), *predicted, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["schema_version"] == 1
        assert answer["data"]["scores"]["mention"]["f1"] == 1.0
        assert answer["data"]["mistakes"] == []


def test_the_tables_are_printed(
    papers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --json the figures are tables for people."""
    output = tmp_path / "found.jsonl"
    main(["extract", str(papers), "-o", str(output)])
    assert main(["evaluate", str(output)]) == 0
    shown = capsys.readouterr().out
    assert "2 documents, 2 predicted" in shown
    assert "label confusion" in shown
    assert "calibration error" in shown


def test_a_bad_record_is_told_and_makes_the_status_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Good records are extracted all the same."""
    path = tmp_path / "papers.jsonl"
    path.write_text(json.dumps(PAPERS[0]) + "\n{broken\n", encoding="utf-8")
    output = tmp_path / "found.jsonl"
    assert main(["extract", str(path), "-o", str(output)]) == 3
    assert len(output.read_text(encoding="utf-8").splitlines()) == 1
    assert "papers.jsonl" in capsys.readouterr().err
