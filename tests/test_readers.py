"""Inputs become documents, by what they contain and whatever they are called."""

import gzip
import io
import json
import random
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import ReadError, UsageError
from kg.readers import READERS, Skipped, read
from kg.readers.cards import card, repository_of_path
from kg.readers.documents import arxiv_id, paper, year_in
from kg.readers.frontmatter import front_matter, key_span, unflattened, value_span
from kg.values import Document, Span

PAPER = {"id": "2504.13837", "title": "Tiny Owls", "abstract": "TinyOwl learns from BigOwl."}
CARD = """\
---
license: mit
base_model:
- org/parent
- "other/parent"
datasets: [squad]
---

# Owl 7B

Owl 7B is a merge.
"""


def documents(*inputs: Path | str, **options: object) -> list[Document]:
    return list(read(inputs, **options))  # type: ignore[arg-type]


def written(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def only(path: Path, **options: object) -> Document:
    (document,) = documents(path, **options)
    return document


# Papers as records


def test_text_is_title_line_feed_abstract(tmp_path: Path) -> None:
    assert only(written(tmp_path / "one.json", PAPER)) == Document(
        id="2504.13837",
        kind="paper",
        title="Tiny Owls",
        text="Tiny Owls\nTinyOwl learns from BigOwl.",
        url="https://arxiv.org/abs/2504.13837",
        year=2025,
    )


def test_arxiv_snapshot_is_unwrapped_without_moving_an_offset(tmp_path: Path) -> None:
    line = "We study how a small owl can be made to learn the calls of large owls"
    abstract = (
        f"  {line}\nfrom a few recordings.\n  A second paragraph begins here and it goes on.\n"
    )
    record = {
        "id": "0704.0001",
        "title": "Owls that\n  learn",
        "abstract": abstract,
        "categories": "cs.LG",
        "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
        "update_date": "2008-11-26",
    }
    document = only(written(tmp_path / "arxiv.jsonl", record))
    assert document.title == "Owls that learn"
    assert document.text == "Owls that learn\n" + abstract.replace("owls\nfrom", "owls from")
    assert (document.year, document.url) == (2007, "https://arxiv.org/abs/0704.0001")
    assert document.metadata == {"categories": "cs.LG"}


def test_semantic_scholar_fields(tmp_path: Path) -> None:
    record = {
        "paperId": "abc123",
        "externalIds": {"ArXiv": "2001.00001"},
        "title": "T",
        "abstract": "A.",
        "year": 2020,
        "url": "https://www.semanticscholar.org/paper/abc123",
    }
    document = only(written(tmp_path / "s2.json", {"total": 1, "data": [record]}))
    assert (document.id, document.year) == ("abc123", 2020)
    assert document.url == "https://arxiv.org/abs/2001.00001"


def test_openalex_abstract_is_put_in_order(tmp_path: Path) -> None:
    record = {
        "id": "https://openalex.org/W42",
        "display_name": "Owls",
        "publication_year": 2021,
        "abstract_inverted_index": {"owls": [1, 4], "Small": [0], "learn": [2], "from": [3]},
    }
    document = only(written(tmp_path / "alex.json", {"results": [record]}))
    assert (document.id, document.text) == ("W42", "Owls\nSmall owls learn from owls")
    assert (document.year, document.url) == (2021, "https://openalex.org/W42")


def test_openreview_values_are_unwrapped(tmp_path: Path) -> None:
    content = {"title": {"value": "Owls"}, "abstract": {"value": "They hoot."}}
    note = {"id": "xYz", "forum": "xYz", "content": content, "cdate": 1_695_000_000_000}
    document = only(written(tmp_path / "notes.json", {"notes": [note]}))
    assert (document.id, document.text, document.year) == ("xYz", "Owls\nThey hoot.", 2023)
    assert document.url == "https://openreview.net/forum?id=xYz"


def test_hugging_face_daily_papers(tmp_path: Path) -> None:
    paper = {"id": "2504.13837", "title": "T", "summary": "S.", "publishedAt": "2025-04-18T00:00Z"}
    document = only(written(tmp_path / "daily.json", [{"paper": paper, "title": "T"}]))
    assert (document.id, document.text, document.year) == ("2504.13837", "T\nS.", 2025)


def test_gold_format_keeps_id_and_text(shared: Path) -> None:
    path = shared / "gold" / "seed-dev.jsonl"
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = [(document.id, document.text) for document in documents(path)]
    assert found == [(record["id"], record["text"]) for record in records]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_tables(tmp_path: Path, separator: str) -> None:
    rows = [["id", "title", "abstract", "year"], ["a", "Owls", '"One, two; three.\nFour."', "1999"]]
    table = written(tmp_path / "t.csv", "\r\n".join(separator.join(row) for row in rows))
    document = only(table)
    assert (document.id, document.year) == ("a", 1999)
    assert document.text == "Owls\nOne, two; three.\nFour."


@pytest.mark.parametrize(
    ("title", "abstract"),
    [("Paper Title", "Abstract"), ("Article title", "The Abstract"), ("TITLE", "Paper-Abstract")],
)
def test_columns_are_known_by_their_words(title: str, abstract: str, tmp_path: Path) -> None:
    table = written(tmp_path / "p.csv", f"id,{abstract},{title},Year\na,They hoot.,Owls,2024\n")
    assert only(table) == paper("Owls", "They hoot.", given_id="a", year=2024)


def test_a_table_without_titles_is_warned_of(tmp_path: Path) -> None:
    table = written(tmp_path / "p.csv", "id,abstract,Titel\na,They hoot.,Owls\n")
    seen: list[Skipped] = []
    (document,) = read([table], on_skip=seen.append)
    assert document.text == "untitled\nThey hoot."
    reason = "no column is called title, so none is read; there are: id, abstract, Titel"
    assert seen == [Skipped(str(table), "line 1", reason, lost=False, warns=True)]


def test_open_quotation_mark_costs_one_row_only(tmp_path: Path) -> None:
    """A quotation mark that is never closed does not swallow the rows below it."""
    rows = [f"{number},Owl {number},They hoot." for number in range(3000)]
    table = written(tmp_path / "t.csv", "\n".join(["id,title,abstract", 'x,"Owls,oops', *rows]))
    skipped: list[Skipped] = []
    assert len(documents(table, on_skip=skipped.append)) == 3000
    assert [(item.place, item.lost) for item in skipped] == [("line 2", True)]


def test_bad_records_among_good_ones_are_named(tmp_path: Path) -> None:
    lines = [json.dumps(PAPER), '{"id": "x", "tit', "[1, 2]", '{"score": 1}', '{"title": "Owls"}']
    path = written(tmp_path / "p.jsonl", "\n".join(lines))
    skipped: list[Skipped] = []
    found = documents(path, on_skip=skipped.append)
    assert [document.title for document in found] == ["Tiny Owls", "Owls"]
    places = [item.place for item in skipped]
    assert places == ["line 2", "line 3, record 1", "line 3, record 2", "line 4"]
    assert all(item.lost and item.source == str(path) for item in skipped)
    assert str(skipped[-1]).endswith("no title, no abstract and no text; its fields are 'score'")


def test_strict_stops_at_the_first_bad_record(tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", json.dumps(PAPER) + "\n{oops\n")
    with pytest.raises(ReadError, match=r"p\.jsonl, line 2: .*--strict"):
        documents(path, strict=True)


def test_a_list_that_breaks_off_gives_what_is_whole(tmp_path: Path) -> None:
    text = json.dumps([PAPER, {**PAPER, "id": "b"}], indent=1)
    skipped: list[Skipped] = []
    found = documents(written(tmp_path / "p.json", text[:-20]), on_skip=skipped.append)
    assert [document.id for document in found] == ["2504.13837"]
    assert len(skipped) == 1


def test_other_json_is_refused_with_its_fields(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", [{"score": 1}, {"score": 2}])
    with pytest.raises(ReadError, match=r"its fields are 'score'.*name the fields id, title"):
        documents(path)


# Where inputs come from


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "papers"
    path.write_bytes(gzip.compress(json.dumps(PAPER).encode()))
    assert only(path).title == "Tiny Owls"


def test_utf_16_and_byte_order_marks(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        path = tmp_path / encoding
        path.write_text("id\ttitle\tabstract\n1\tÖwls\tThey hoot.\n", encoding=encoding)
        assert only(path).text == "Öwls\nThey hoot."


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe:
        buffer = io.BytesIO(gzip.compress(json.dumps(PAPER).encode()))

    monkeypatch.setattr("sys.stdin", Pipe)
    assert [document.title for document in documents("-")] == ["Tiny Owls"]


def test_folders_are_read_in_order_and_other_files_passed_over(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.txt", "c.jsonl", ".hidden/x.md", "a/tokenizer.json", "p.png"):
        content = {**PAPER, "title": name} if name.endswith("jsonl") else f"# {name}\n\nOwls."
        written(tmp_path / name, content)
    skipped: list[Skipped] = []
    found = documents(tmp_path, on_skip=skipped.append)
    assert [document.title for document in found] == ["a/z.txt", "b.md", "c.jsonl"]
    assert [(item.lost, item.reason) for item in skipped] == [
        (False, "files of other kinds were passed over: .json (1), .png (1)")
    ]


def test_missing_input_is_named_before_anything_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", PAPER)
    with pytest.raises(ReadError, match="no file or folder nowhere"):
        next(read([path, "nowhere"]))


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(b"%PDF-1.7 ...", "a PDF"), (b"PK\x03\x04", "zip"), (b"PAR1", "Parquet"), (b"BZh9", "bzip2")],
)
def test_foreign_formats_are_named_with_a_remedy(
    tmp_path: Path, content: bytes, remedy: str
) -> None:
    path = tmp_path / "papers.jsonl"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=remedy):
        documents(path)


def test_unknown_reader_answers_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'pdf'; there are: .*card, csv, .*page, papers, text"):
        documents(written(tmp_path / "a", PAPER), reader="pdf")


def test_reader_can_be_forced(tmp_path: Path) -> None:
    document = only(written(tmp_path / "p.json", PAPER), reader="text")
    assert (document.kind, document.text) == ("text", json.dumps(PAPER))


def test_documents_pass_through() -> None:
    document = Document("d", "text", "t", "t\nowl")
    assert documents(document) == [document]  # type: ignore[arg-type]


# Ids


def test_documents_of_one_id_all_come_under_it(tmp_path: Path) -> None:
    other = {**PAPER, "abstract": "Another."}
    records = [json.dumps(record) for record in (PAPER, PAPER, other)]
    found = documents(written(tmp_path / "p.jsonl", "\n".join(records)))
    assert [document.id for document in found] == ["2504.13837"] * 3


def test_ids_do_not_depend_on_the_order(tmp_path: Path) -> None:
    records = [{"title": f"Owl {n}", "abstract": f"Abstract {n}."} for n in range(30)]
    shuffled = random.Random(7).sample(records, len(records))  # noqa: S311
    one = documents(written(tmp_path / "one.json", records))
    two = documents(written(tmp_path / "two.json", shuffled))
    assert {d.id: d for d in one} == {d.id: d for d in two}


@pytest.mark.parametrize("given", ["../../etc/passwd", "a/../b", "C:\\x", "a b", "Ünïcode"])
def test_printable_ids_are_kept_as_given(tmp_path: Path, given: str) -> None:
    assert only(written(tmp_path / "p.json", {**PAPER, "id": given})).id == given


@pytest.mark.parametrize("given", ["", "a\x00b", "a\nb", "x" * 300, None, True, [], {"a": 1}])
def test_unusable_ids_are_made_from_the_content(tmp_path: Path, given: object) -> None:
    found = only(written(tmp_path / "p.json", {**PAPER, "id": given})).id
    assert found.startswith("tiny-owls-")


def test_arxiv_ids_and_years() -> None:
    assert arxiv_id("arXiv:2504.13837v2") == "2504.13837"
    assert arxiv_id("https://huggingface.co/papers/2504.13837") == "2504.13837"
    assert arxiv_id("https://arxiv.org/pdf/cs/0701001") == "cs/0701001"
    assert arxiv_id("2599.13837") == ""
    assert [year_in(v) for v in (2020, "2020-01-02", 1_695_000_000_000, "n/a", None, True)] == [
        2020,
        2020,
        2023,
        None,
        None,
        None,
    ]


def test_only_web_addresses_are_kept(tmp_path: Path) -> None:
    for url in ("javascript:alert(1)", "file:///etc/passwd", 'https://x"onclick=', "ftp://a.b"):
        assert only(written(tmp_path / "p.json", {**PAPER, "id": "x", "url": url})).url == ""


# Pages


def page(papers: list[tuple[str, str]]) -> str:
    """A page as a browser copies it: a paragraph a line."""
    top = ["new", "Get trending papers in your email inbox!", "Subscribe"]
    top += ["byAK and the research community", "Apr 16"]
    return "\n\n".join([*top, *(part for paper in papers for part in paper)])


def page_with_addresses(papers: list[tuple[str, str]]) -> str:
    """The same with addresses on lines of their own, below each title."""
    parts = ["https://huggingface.co/papers", "Trending Papers", "by AK and the research community"]
    for number, (title, abstract) in enumerate(papers):
        parts += [title, f"https://huggingface.co/papers/2504.{number:05}", abstract]
    return "\n\n".join(parts)


def page_in_markdown(papers: list[tuple[str, str]]) -> str:
    """The same as Markdown in narrow lines, with reference links."""
    parts = ["[ ![logo](/logo.svg) Hugging Face][1]", "  * [Models][2]", "#  Trending Papers"]
    for number, (title, abstract) in enumerate(papers):
        parts.append(f"###  [{title}][{number + 10}]")
        parts.append(textwrap.fill(abstract, 79, break_long_words=False))
        parts.append("  * 41\n\n\\-\n\n  * ![](https://cdn.example/a.svg)12 authors")
    parts += ["[1]: https://huggingface.co/\n[2]: https://huggingface.co/models"]
    parts += [
        f"[{number + 10}]: https://huggingface.co/papers/2504.{number:05}"
        for number in range(len(papers))
    ]
    return "\n\n".join(parts)


OWLS = [
    ("Owls: A Survey", "Owls are birds. " * 30 + "Code: https://example.org/owls-code."),
    ("TinyOwl: Distilling Owls?", "We train TinyOwl-7B, a long-sighted student of BigOwl. " * 9),
    ("What an owl hears", "A short abstract of one owl, with twelve words in it, ends here."),
]


@pytest.mark.parametrize("rendering", [page, page_with_addresses, page_in_markdown])
def test_three_renderings_of_a_page_give_the_same_documents(tmp_path: Path, rendering) -> None:
    owls = [(title, abstract.strip()) for title, abstract in OWLS]
    skipped: list[Skipped] = []
    path = written(tmp_path / "page.txt", rendering(owls))
    found = documents(path, on_skip=skipped.append)
    assert [document.text for document in found] == [f"{t}\n{a}" for t, a in owls]
    assert [item for item in skipped if item.lost] == []
    plain = documents(written(tmp_path / "plain.txt", page(owls)))
    assert [document.id for document in found] == [document.id for document in plain]
    if rendering is not page:
        assert [d.url for d in found] == [f"https://arxiv.org/abs/2504.{n:05}" for n in range(3)]


def test_seed_page(shared: Path) -> None:
    """98 papers, nothing lost, and the abstracts exactly as the annotators had them."""
    skipped: list[Skipped] = []
    found = documents(shared / "seed" / "huggingface-papers-page.txt", on_skip=skipped.append)
    assert (len(found), skipped) == (98, [])
    assert len({document.id for document in found}) == 98
    gold = (shared / "gold" / "seed-dev.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["text"] for line in gold} <= {document.text for document in found}


@pytest.mark.parametrize("rendering", [page_with_addresses, page_in_markdown])
def test_seed_page_in_other_renderings(shared: Path, tmp_path: Path, rendering) -> None:
    seed = documents(shared / "seed" / "huggingface-papers-page.txt")
    papers = [(document.title, document.text.partition("\n")[2]) for document in seed]
    found = documents(written(tmp_path / "page.md", rendering(papers)))
    assert [document.title for document in found] == [document.title for document in seed]
    assert [document.text for document in found] == [document.text for document in seed]


def test_stray_lines_of_a_page_are_reported(tmp_path: Path) -> None:
    text = page(OWLS) + "\n\nA heading with nothing below it"
    skipped: list[Skipped] = []
    assert len(documents(written(tmp_path / "p.txt", text), on_skip=skipped.append)) == 3
    assert [item.place for item in skipped] == [f"line {text.count(chr(10)) + 1}"]


def test_prose_is_no_page(tmp_path: Path) -> None:
    text = "# Notes on owls\n\nOwls hoot.\n\n## Sizes\n\nSmall ones do, too. " + "Really. " * 50
    document = only(written(tmp_path / "notes.md", text))
    assert (document.kind, document.title) == ("text", "Notes on owls")


# Cards


def test_card(tmp_path: Path) -> None:
    document = only(written(tmp_path / "org" / "owl-7b" / "README.md", CARD))
    assert document == Document(
        id="card-org--owl-7b",
        kind="model-card",
        title="Owl 7B",
        text=CARD,
        url="https://huggingface.co/org/owl-7b",
        repository="org/owl-7b",
        body=CARD.index("\n# Owl"),
        metadata=document.metadata,
    )
    assert document.metadata == {
        "license": "mit",
        "base_model": ["org/parent", "other/parent"],
        "datasets": ["squad"],
    }


def test_dataset_card_by_its_keys(tmp_path: Path) -> None:
    text = "---\ntask_categories: [text-generation]\nsize_categories: [n<1K]\n---\n# Owls\n"
    document = only(written(tmp_path / "org@owls.md", text))
    assert (document.kind, document.id) == ("dataset-card", "card-datasets--org--owls")
    assert document.url == "https://huggingface.co/datasets/org/owls"


def test_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "org__owl.md"
    path.write_bytes(CARD.replace("\n", "\r\n").encode())
    assert (only(path).text, only(path).repository) == (CARD, "org/owl")


@pytest.mark.parametrize(
    ("path", "repository"),
    [
        ("x/org/owl-7b/README.md", "org/owl-7b"),
        ("org@owl-7b.md", "org/owl-7b"),
        ("top1000__BAAI@bge-m3.md", "BAAI/bge-m3"),
        ("org__owl-7b.md.gz", "org/owl-7b"),
        ("models--org--owl-7b/snapshots/1/README.md", "org/owl-7b"),
        ("gguf__Qwen2.5-0.5B@README.md", ""),
        ("a@b@c.md", ""),
        ("README.md", ""),
        ("spec__modelcard.md", ""),
        ("../../README.md", ""),
        ("owl.md", ""),
    ],
)
def test_repository_from_the_path(path: str, repository: str) -> None:
    assert repository_of_path(path)[0] == repository


def test_card_without_repository_is_named_by_its_file(tmp_path: Path) -> None:
    document = only(written(tmp_path / "my owl.md", CARD))
    assert (document.id, document.repository, document.url) == ("card-my-owl", "", "")


def test_front_matter_of_a_note_makes_no_card(tmp_path: Path) -> None:
    document = only(written(tmp_path / "note.md", "---\nauthor_of_note: me\n---\n# A note\nOwls."))
    assert (document.kind, document.title, document.body) == ("text", "A note", 27)


def test_card_records(tmp_path: Path) -> None:
    records = [
        {"id": "org/owl", "type": "model", "content": CARD},
        {"id": "org/owls", "path": "datasets/org/owls/README.md", "text": CARD},
        {"repo_id": "org/bare", "card": CARD},
        {"id": None, "type": "dataset", "url": "https://huggingface.co/datasets/o/d", "text": CARD},
    ]
    path = written(tmp_path / "cards.jsonl", "\n".join(map(json.dumps, records)))
    assert [(d.id, d.kind) for d in documents(path)] == [
        ("card-org--owl", "model-card"),
        ("card-datasets--org--owls", "dataset-card"),
        ("card-org--bare", "model-card"),
        ("card-datasets--o--d", "dataset-card"),
    ]


def test_broken_yaml_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    text = CARD.replace("license: mit", "license: mit\npretty: a: b\nwidget: [1, {")
    skipped: list[Skipped] = []
    document = only(written(tmp_path / "org@owl.md", text), on_skip=skipped.append)
    assert document.metadata == {
        "license": "mit",
        "pretty": "a: b",
        "base_model": ["org/parent", "other/parent"],
        "datasets": ["squad"],
    }
    assert [(item.place, item.lost) for item in skipped] == [("front matter", False)]
    assert skipped[0].reason.endswith("read key by key; not read: widget")


def test_unclosed_front_matter(tmp_path: Path) -> None:
    document = only(written(tmp_path / "org@owl.md", "---\nlicense: mit\ntags:\n- x\n# Owl\nHi."))
    assert document.metadata == {"license": "mit", "tags": ["x"]}


def test_values_are_plain_and_numbers_stay_as_written() -> None:
    block = "a: 80.10\nb: 80.1\nc: 007\nd: 2024-01-02\ne: no\nf: yes\ng: true\nh:\ni: 1e400\n"
    assert front_matter(f"---\n{block}---\n").values == {
        "a": "80.10",
        "b": 80.1,
        "c": "007",
        "d": "2024-01-02",
        "e": "no",
        "f": "yes",
        "g": True,
        "h": None,
        "i": "1e400",
    }


def flat(text: str) -> str:
    return text.replace("\n", " ")


def test_flat_card_is_restored_without_moving_an_offset() -> None:
    text = CARD.replace("datasets: [squad]", "model-index:\n- name: owl\n  results:\n  - task: x")
    restored = unflattened(flat(text))
    assert len(restored) == len(text)
    assert card(flat(text)).metadata == card(text).metadata
    span = value_span(restored, "base_model", "org/parent")
    assert span is not None
    assert span.of(flat(text)) == "org/parent"


def test_key_span_quotes_the_line() -> None:
    line = key_span(CARD, "base_model", "other/parent")
    assert line is not None
    assert line.of(CARD) == '- "other/parent"'
    license_line = key_span(CARD, "license")
    assert license_line is not None
    assert license_line.of(CARD) == "license: mit"
    datasets = value_span(CARD, "datasets", "squad")
    assert datasets is not None
    assert (datasets.of(CARD), key_span(CARD, "nothing")) == ("squad", None)
    assert key_span("no card", "license") is None


def test_key_span_prefers_the_whole_item() -> None:
    text = "---\nbase_model:\n- org/owl-large\n- org/owl\n---\n"
    line = key_span(text, "base_model", "org/owl")
    assert line == Span(text.index("- org/owl\n"), text.index("\n---\n", 5))


def test_adapter_config_names_its_base(tmp_path: Path) -> None:
    config = '{\n  "peft_type": "LORA",\n  "base_model_name_or_path": "org/owl"\n}\n'
    document = only(written(tmp_path / "me" / "owl-lora" / "adapter_config.json", config))
    assert (document.kind, document.repository) == ("model-card", "me/owl-lora")
    assert document.metadata["adapter_config"]["base_model_name_or_path"] == "org/owl"
    span = value_span(document.text, "base_model_name_or_path", "org/owl")
    assert span is not None
    assert span.of(config) == "org/owl"


def test_corpus_of_cards(shared: Path) -> None:
    """Repository, and every parent that the index lists, of each of the 162 cards."""
    folder = shared / "corpora" / "cards"
    index = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    skipped: list[Skipped] = []
    found = {d.text: d for d in documents(folder, on_skip=skipped.append)}
    assert not [item for item in skipped if item.lost]
    missing = []
    for row in index:
        text = (folder / row["file"]).read_bytes().decode().replace("\r\n", "\n")
        document = found[text.removeprefix("\ufeff")]
        parents = document.metadata.get("base_model")
        if (document.repository or None) != row["repo_id"] or (
            row["base_model"] and parents != row["base_model"]
        ):
            missing.append((row["file"], document.repository, parents, row["base_model"]))
    assert missing == []


# Laws


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_title_and_abstract_come_back(title: str, abstract: str) -> None:
    from kg.readers.documents import paper

    document = paper(title, abstract)
    assert document.text.startswith(document.title + "\n")
    assert document.text.encode("utf-8")
    assert paper(title, abstract) == document


def test_every_reader_is_named_in_the_help() -> None:
    assert list(READERS) == ["page", "papers", "csv", "card", "text"]
