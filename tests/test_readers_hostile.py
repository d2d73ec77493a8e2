"""Broken and hostile input: a clear error, or a skipped record; never a crash, never a hang."""

import gzip
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg import linker
from kg.assemble.documents import digest, distinct
from kg.cli import main
from kg.errors import KGError, ReadError
from kg.linker.cards import link_card
from kg.ner.masking import prose
from kg.readers import READERS, Skipped, read
from kg.readers.cards import card
from kg.readers.documents import paper, plain_text
from kg.readers.frontmatter import front_matter, is_flat, key_span, unflattened, value_span
from kg.readers.source import DOCUMENT_LIMIT, LINE_LIMIT
from kg.values import Document, LocalEntity, Mention, Reading, Span

GOOD = json.dumps({"id": "good", "title": "Owls", "abstract": "They hoot."}).encode()
#: Seconds of processor time that any one input may take.
PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    """No input may take long, measured in processor time so that a busy machine is no failure."""
    before = time.process_time()
    yield
    assert time.process_time() - before < PATIENCE


def outcome(path: Path, **options: object) -> tuple[list[Document], list[Skipped]]:
    skipped: list[Skipped] = []
    return list(read([path], on_skip=skipped.append, **options)), skipped  # type: ignore[arg-type]


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def lost(skipped: list[Skipped]) -> list[str]:
    return [item.place for item in skipped if item.lost]


def test_what_is_no_utf_8_is_read_as_windows_1252_and_said_once_a_file(tmp_path: Path) -> None:
    rows = ["id,title,abstract", "a,Étude,Sie mögen “Eulen”.", "b,Owls,They hoot.", "c,Été,Né."]
    table = saved(tmp_path / "p.csv", "\n".join(rows).encode("cp1252"))
    text = saved(tmp_path / "t.txt", "Étude\n\nSie mögen Eulen.\n".encode("latin-1"))
    advice = "save the file as UTF-8 if names suffered"
    why = "no UTF-8, so it was read as Windows-1252"
    assert [outcome(path) for path in (table, text)] == [
        (
            [
                paper("Étude", "Sie mögen “Eulen”.", given_id="a"),
                paper("Owls", "They hoot.", given_id="b"),
                paper("Été", "Né.", given_id="c"),
            ],
            [
                Skipped(
                    str(table),
                    "line 2",
                    f"{why} (and 1 more line); {advice}",
                    lost=False,
                    warns=True,
                )
            ],
        ),
        (
            [plain_text("Étude", "Étude\n\nSie mögen Eulen.\n")],
            [Skipped(str(text), "", f"{why}; {advice}", lost=False, warns=True)],
        ),
    ]


def test_damaged_utf_8_is_replaced_and_said(tmp_path: Path) -> None:
    line = b'{"id": "x", "title": "Caf\xc3\xa9", "abstract": "One \xff."}'
    path = saved(tmp_path / "p.jsonl", line + b"\n" + GOOD)
    found, skipped = outcome(path)
    assert [document.text for document in found] == ["Café\nOne \ufffd.", "Owls\nThey hoot."]
    assert list(map(str, skipped)) == [
        f"{path}, line 1: no UTF-8; U+FFFD stands for what cannot be read; save the file as UTF-8 "
        "if names suffered"
    ]


def test_nul_and_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    line = b'{"id": "x", "title": "A\\u0000B", "abstract": "\\ud800 and \\udc00."}'
    found, _ = outcome(saved(tmp_path / "p.jsonl", line))
    assert [document.text for document in found] == ["A\ufffdB\n\ufffd and \ufffd."]


CONTROLS = "".join(map(chr, [*range(9), *range(14, 32), *range(127, 160), 0xFFFE, 0xFFFF]))


def test_control_characters_are_replaced_one_for_one(tmp_path: Path) -> None:
    """By U+FFFD; a form feed and a vertical tab by a blank, as the white space that they are."""
    expected = "Owls\n" + "\ufffd" * len(CONTROLS) + " \t \n."
    record = {"title": "Owls", "abstract": f"{CONTROLS}\f\t\v\n.", "venue": "Owl\x1b]0;"}
    found, _ = outcome(saved(tmp_path / "p.jsonl", json.dumps(record).encode()))
    assert (found[0].text, found[0].metadata) == (expected, {"venue": "Owl\ufffd]0;"})
    document = card('---\nlicense: "\\e[31m\\x9b"\nmodel_name: a\x1b\n---\nHoot.', named="owl")
    assert document.metadata == {"license": "\ufffd[31m\ufffd", "model_name": "a\ufffd"}


def test_no_escape_sequence_of_a_file_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither by what kg prints nor by the pictures that it writes, which stay XML."""
    folder, graph = tmp_path / "cards" / "me" / "Owl-7B", str(tmp_path / "graph")
    folder.mkdir(parents=True)
    text = (
        '---\nbase_model: big/Owl-Base-7B # \x1b[31m\nlicense: "\\e]0;owned"\n---\n'
        "# \x1b]0;owned\x07Owl\n\nIt is a fine-tuned version of big/Owl-Base-7B.\x9b31m\n"
    )
    saved(folder / "README.md", text.encode())
    config = '{"base_model_name_or_path": "/home/\\u001b[31m"}'
    saved(folder / "adapter_config.json", config.encode())
    assert main(["build", str(tmp_path / "cards"), "-o", graph]) == 0
    assert main(["explain", graph, "me/Owl-7B"]) == 0
    assert main(["explain", graph, "me/Owl-7B", "fineTunedFrom", "big/Owl-Base-7B"]) == 0
    printed = capsys.readouterr()
    assert main(["lineage", graph, "me/Owl-7B", "--format", "svg"]) == 0
    picture = capsys.readouterr().out
    assert "Owl-Base-7B" in printed.out
    for output in (printed.out, printed.err, picture):
        assert not set(output) & set(CONTROLS)
    ElementTree.fromstring(picture)  # noqa: S314 (our own)


def test_nul_bytes_in_text(tmp_path: Path) -> None:
    found, _ = outcome(
        saved(tmp_path / "t.txt", b"# Owls\n\nThey \x00 hoot, and nobody knows why.\n")
    )
    assert found[0].text == "# Owls\n\nThey \ufffd hoot, and nobody knows why.\n"


def test_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is no text file"):
        outcome(saved(tmp_path / "model.txt", bytes(range(32)) * 100))


def test_50_mb_line_is_skipped_and_the_next_one_read(tmp_path: Path) -> None:
    huge = b'{"title": "' + b"x" * (50 * 2**20) + b'"}'
    found, skipped = outcome(saved(tmp_path / "p.jsonl", huge + b"\n" + GOOD + b"\n"))
    assert [document.id for document in found] == ["good"]
    assert lost(skipped) == ["line 1"]
    assert str(LINE_LIMIT // 2**20) in skipped[0].reason


def test_50_mb_text_without_a_line_break(tmp_path: Path) -> None:
    found, skipped = outcome(saved(tmp_path / "t.txt", b"owl " * (50 * 2**18)))
    assert (found, len(lost(skipped))) == ([], 1)


def test_document_above_the_limit_is_skipped(tmp_path: Path) -> None:
    record = {"id": "long", "title": "T", "abstract": "x" * DOCUMENT_LIMIT}
    path = saved(tmp_path / "p.jsonl", json.dumps(record).encode() + b"\n" + GOOD)
    found, skipped = outcome(path)
    assert ([document.id for document in found], lost(skipped)) == (["good"], ["document long"])


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"title":"x","a":'])
def test_deep_json_is_refused(tmp_path: Path, opening: str) -> None:
    deep = opening.encode() * 200_000
    found, skipped = outcome(saved(tmp_path / "p.jsonl", GOOD + b"\n" + deep))
    assert ([document.id for document in found], lost(skipped)) == (["good"], ["line 2"])
    try:
        found, skipped = outcome(saved(tmp_path / "d.json", deep), reader="papers")
    except ReadError as error:
        assert "nested too deeply" in str(error)  # noqa: PT017 - either way is right
    else:
        assert (found, lost(skipped)) == ([], ["line 1"])


def test_numbers_that_break_parsers(tmp_path: Path) -> None:
    lines = [b'{"title": "T", "year": ' + b"9" * 10_000 + b"}", b'{"title": "U", "year": NaN}']
    lines += [b'{"title": "V", "year": 1e999}', b'{"title": "W", "year": -1}', GOOD]
    found, skipped = outcome(saved(tmp_path / "p.jsonl", b"\n".join(lines)))
    titles = {document.title for document in found}
    assert titles | {"T"} == {"T", "U", "V", "W", "Owls"}
    assert all(document.year is None for document in found)
    assert len(found) + len(lost(skipped)) == 5


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    "block",
    [
        BOMB,
        "x: &x [*x]\n",
        "x: &x {y: *x}\n",
        "x: *nothing\n",
        "x: !!python/object/apply:os.system ['touch owned']\n",
        "x: !<tag:yaml.org,2002:python/name:os.system> y\n",
        "x: " + "[" * 100_000 + "\n",
        "x: " + "{a: " * 50_000 + "\n",
        "x: " + "- " * 50_000 + "y\n",
        "x:\n" + "".join(" " * n + "- \n" for n in range(1, 1200)),
        "? " * 20_000 + "\n",
        "x: '" + "a\n" * 50_000,
        "x: |\n" + " a\n" * 100_000,
        "x: >\n" + "\n" * 200_000,
        "x: [" + "1, " * 60_000 + "\n",
        "x: " + "&a " * 20_000 + "\n",
        "\t" * 50_000 + "x: 1\n",
        "--- \n" * 1000,
        "%YAML 9.9\n---\nx: 1\n",
        "x: \x07\x1b[31m\n",
        "x: " + "'" * 99_999 + "\n",
        "".join(f"k{n}: v\n" for n in range(20_000)),
        "x: " + "a: " * 20_000 + "\n",
        "<<: *x\n",
        "x: " + "#" * 100_000 + "\n",
    ],
)
def test_yaml_bombs(block: str) -> None:
    """The card is read whatever its front matter does; metadata stays plain and small."""
    problems: list[str] = []
    text = f"---\nlicense: mit\n{block}---\n\n# Owl\n\nIt hoots.\n"
    document = card(text, named="owl", note=problems.append)
    assert document.text == text.replace("\x07", "\ufffd").replace("\x1b", "\ufffd")
    assert document.metadata.get("license") == "mit"
    assert len(json.dumps(document.metadata)) < 3_000_000
    assert not Path("owned").exists()


MERGE_BOMB = "models:\n- model: a/B-7B\nl0: &a0 [{model: x/Y-1B}]\n" + "".join(
    f"l{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8)
)


@pytest.mark.parametrize(
    ("code", "parents"),
    [
        (MERGE_BOMB, ["B-7B"]),
        ("models:\n- model: a/B-7B\nx: !!python/object/apply:os.system [touch owned]\n", ["B-7B"]),
        ("models:\n- model: &m a/B-7B\n- model: *m\n", ["B-7B"]),
    ],
)
def test_yaml_bombs_in_the_body_of_a_card(tmp_path: Path, code: str, parents: list[str]) -> None:
    """A merge's configuration is read with the limits of the front matter, wherever it stands."""
    _, edges, _ = link_card(card(f"# Owl\n\n```yaml\n{code}```\n" * 20, repository="me/Owl"), ())
    assert [edge.tail for edge in edges] == parents
    assert not Path("owned").exists()
    folder = tmp_path / "me" / "owl"
    folder.mkdir(parents=True)
    beside = saved(folder / "mergekit_config.yml", code.encode())
    try:
        outcome(beside)
    except ReadError as error:
        assert "mergekit_config.yml cannot be read" in str(error)  # noqa: PT017 - either is right


def test_front_matter_beyond_the_limit_is_read_key_by_key() -> None:
    text = "---\nlicense: mit\n" + "tags:\n" + "- owl\n" * 200_000 + "---\n# Owl\n"
    front = front_matter(text)
    assert front.values["license"] == "mit"
    assert "longer than" in front.problem


def test_gzip_bomb_stops_early(tmp_path: Path) -> None:
    packed = gzip.compress(b"a" * (300 * 2**20), compresslevel=9)
    with pytest.raises(ReadError, match="more than 100 times its size"):
        outcome(saved(tmp_path / "b.gz", b"".join([packed] * 4)), reader="papers")


def test_gzip_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    import random

    noise = random.Random(1)  # noqa: S311
    lines = [
        json.dumps({"id": f"n{n}", "title": f"Owl {n}", "abstract": hex(noise.getrandbits(2000))})
        for n in range(3000)
    ]
    packed = gzip.compress("\n".join(lines).encode())
    found, skipped = outcome(saved(tmp_path / "p.jsonl.gz", packed[: len(packed) // 2]))
    assert 1000 < len(found) < 2000
    assert "damaged or cut off" in skipped[-1].reason
    with pytest.raises(ReadError, match="damaged or cut off"):
        outcome(saved(tmp_path / "q.jsonl.gz", packed[:100]))


def test_gzip_of_a_gzip_is_refused_or_empty(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        outcome(saved(tmp_path / "p.gz", gzip.compress(gzip.compress(os.urandom(100_000)))))


def test_ten_thousand_records_of_one_id(tmp_path: Path) -> None:
    same = [GOOD] * 5000
    other = [
        json.dumps({"id": "good", "title": "Owls", "abstract": f"Owl {n}."}).encode()
        for n in range(5000)
    ]
    found, skipped = outcome(saved(tmp_path / "p.jsonl", b"\n".join([*same, *other])))
    assert (len(found), skipped) == (10_000, [])
    read = sorted(map(Reading, found), key=lambda r: (r.document.id, digest(r.document)))
    kept = [reading.document.id for reading in distinct(read)]
    assert (len(kept), len(set(kept)), kept.count("good")) == (5001, 5001, 1)


def test_dots_in_ids_and_paths_stay_words(tmp_path: Path) -> None:
    """An id is a string: nothing is opened or written by it."""
    record = {"id": "../../../../tmp/owned", "title": "T", "abstract": "A.", "path": "../../x"}
    before = sorted(tmp_path.parent.iterdir())
    found, _ = outcome(saved(tmp_path / "p.json", json.dumps(record).encode()))
    assert found[0].id == "../../../../tmp/owned"
    evil = {"id": "../../etc", "type": "model", "content": "---\nlicense: mit\n---\n"}
    found, _ = outcome(saved(tmp_path / "c.json", json.dumps(evil).encode()))
    assert (found[0].repository, found[0].id) == ("", "card-etc")
    assert sorted(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize("content", [b"", b" \n\n", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_empty_files_are_named(tmp_path: Path, content: bytes) -> None:
    found, skipped = outcome(saved(tmp_path / "empty", content))
    assert found == []
    assert [item.reason for item in skipped] == ["the file is empty; remove it or fill it"]


def test_folder_of_broken_files_loses_nothing_else(tmp_path: Path) -> None:
    saved(tmp_path / "a.jsonl", GOOD)
    saved(tmp_path / "b.json", b"{" * 10)
    saved(tmp_path / "c.txt", b"%PDF-1.4")
    saved(tmp_path / "d.md", b"")
    saved(tmp_path / "e.csv", b"\x00" * 1000)
    found, skipped = outcome(tmp_path)
    assert [document.id for document in found] == ["good"]
    assert [Path(item.source).name for item in skipped if item.lost] == [
        "b.json",
        "c.txt",
        "d.md",
        "e.csv",
    ]


def test_links_that_loop_are_entered_once(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    saved(inside / "p.jsonl", GOOD)
    (inside / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    found, skipped = outcome(tmp_path)
    assert [document.id for document in found] == ["good"]
    assert sorted(Path(item.source).name for item in skipped) == ["gone.txt", "self"]


def test_pipes_and_devices_in_a_folder_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    saved(tmp_path / "p.jsonl", GOOD)
    assert [document.id for document in outcome(tmp_path)[0]] == ["good"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_in_a_folder_is_skipped(tmp_path: Path) -> None:
    saved(tmp_path / "p.txt", b"owl").chmod(0)
    assert lost(outcome(tmp_path)[1]) == [""]


def test_folders_a_thousand_deep(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(300):
            os.mkdir("d")
            os.chdir("d")
        Path("p.jsonl").write_bytes(GOOD)
    finally:
        os.chdir(before)
    assert [document.id for document in outcome(tmp_path)[0]] == ["good"]


def test_csv_traps(tmp_path: Path) -> None:
    header = b"id,title,abstract\n"
    rows = [
        b"1,A\x00,B.",
        b"2,only two",
        b'3,"=HYPERLINK(""http://x"")",C.',
        b"4,D,E.,F",
        b"5,G,H.",
    ]
    found, skipped = outcome(saved(tmp_path / "t.csv", header + b"\n".join(rows)))
    assert [document.id for document in found] == ["1", "3", "5"]
    assert lost(skipped) == ["line 3", "line 5"]


def test_quotation_marks_that_run_on_are_given_up(tmp_path: Path) -> None:
    """A row that runs on is read up to its limit, but only the first few are."""
    rows = [b'a"b,"c'] * 20_000 + [b"last,They hoot."]
    path = saved(tmp_path / "t.csv", b"title,abstract\n" + b"\n".join(rows))
    found, skipped = outcome(path)
    assert (found[-1].title, found[-1].text) == ("last", "last\nThey hoot.")
    assert len(lost(skipped)) == 20
    assert [item.place for item in skipped if not item.lost] == ["line 21"]


def test_page_of_addresses_and_noise(tmp_path: Path) -> None:
    noise = "\n\n".join(["https://huggingface.co/papers/2504.1"] * 5000 + ["[" * 2000, "]" * 2000])
    found, _ = outcome(saved(tmp_path / "p.txt", noise.encode()), reader="page")
    assert found == []


@pytest.mark.parametrize("line", ["and owls hoot on\n\n", "owls at https://a.b/owl\n\n", "owl-\n"])
def test_paragraphs_that_go_on_take_linear_time(tmp_path: Path, line: str) -> None:
    title = "Owls That Hoot\n\n" + "They hoot at night and nobody knows why. " * 10 + "So they\n\n"
    path = saved(tmp_path / "p.txt", (title + line * 24_000).encode())
    (found,), _ = outcome(path, reader="page")
    assert found.text.count("owl") >= 24_000


@pytest.mark.parametrize("text", ["[" * 50_000, "[a](" * 20_000, "![" * 50_000, "[a][" * 20_000])
def test_markdown_brackets_do_not_explode(tmp_path: Path, text: str) -> None:
    content = f"# [Title][1]\n\n{text}\n\n[1]: https://arxiv.org/abs/2504.13837\n"
    for reader in ("page", "card", "text"):
        outcome(saved(tmp_path / "p.md", content.encode()), reader=reader)


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 40_000,
        "<pre>" * 40_000,
        "<style" * 40_000,
        "a." * 80_000 + " @",
        "![" * 80_000,
        "`" * 160_000,
        "```\n" + "\n" * 19_000 + "```",
        "```\n-" + "\n" * 19_000 + "```",
        "```\nmerge_method: x\n" + "- \n" * 6_000 + "```",
        "general.dataset.0.repo_url" + " " * 160_000,
        "model name or path" + " " * 160_000 + ".",
        "fine-tuned version of [" * 8_000,
        "Original model: " + "[" * 160_000,
        "Original model: " + "[a](" * 40_000,
        "# a" + " " * 160_000 + "b",
        "\n# a" + " \t#" * 50_000 + "b",
        "http://" * 20_000 + " x",
    ],
    ids=lambda text: text[:24],
)
def test_no_pattern_takes_quadratic_time_in_a_card(text: str) -> None:
    document = card(f"---\nlicense: mit\n---\n# Owl\n\n{text}\n", repository="me/Owl")
    assert len(prose(document)) == len(document.text)
    link_card(document, ())
    assert card(text, named="owl").id == "card-owl"


def many(key: str, item: str, count: int) -> str:
    return f"{key}:\n" + "".join(item.format(n=n) for n in range(count))


RESULT = "  - dataset: {{name: owl, type: o/d{n}}}\n    metrics: [{{name: m{n}, value: {n}}}]\n"


@pytest.mark.parametrize(
    ("front", "body"),
    [
        (many("base_model", "- org{n}/Owl-{n}-7B\n", 10_000), ""),
        (many("datasets", "- org{n}/owls{n}\n", 10_000), ""),
        ("model-index:\n" + many("- results", RESULT, 4_000), ""),
        ("", many("# Owl", "Original model: org{n}/Owl-{n}-7B\n", 6_000)),
        ("", many("# Owl", "general.dataset.0.repo_url = https://hf.co/a/b{n}\n", 4_000)),
        ("", many("# Owl", "A fine-tuned version of me/Bird-7B.\n", 5_000)),
        ("", many("# Owl", "```\nmerge_method: a\nmodels: [{{model: a/b{n}}}]\n```\n", 4_000)),
    ],
    ids=lambda text: text[:24],
)
def test_a_card_that_declares_thousands_of_things_is_read_in_time(front: str, body: str) -> None:
    document = card(f"---\nlicense: mit\n{front}---\n{body}\n", repository="me/Owl-7B")
    _, edges, _ = link_card(document, ())
    assert 1 <= len(edges) <= 4_000


NAMES = [f"Owl{n}-{n}B" for n in range(400)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"We compare {', '.join(NAMES)} with each other.", NAMES),
        (f"We compare {' and also '.join(NAMES)} with us: {'owl ' * 20_000}", NAMES),
        (f"Owl {' '.join(f'{n}.5' for n in range(20_000))} on Bird.", ["Owl", "Bird"]),
        (f"Owl, {' '.join(f'{n}.5' for n in range(900))} on Bird. " * 20, ["Owl", "Bird"]),
    ],
    ids=lambda item: str(item)[:24],
)
def test_a_sentence_of_hundreds_of_names_or_numbers_is_linked_in_time(
    text: str, names: list[str]
) -> None:
    entities = []
    for name in names:
        at = text.index(name)
        mention = Mention(Span(at, at + len(name)), "Model", 0.9, "lexicon")
        entities.append(LocalEntity(name, "Model", False, (mention,)))
    edges, _ = linker.link(Document("owl", "text", "Owl", text), entities)
    assert len(edges) < 150 * 150


@pytest.mark.parametrize("blanks", [" " * 100_000, "\t " * 50_000, "\n" * 100_000])
def test_blanks_in_titles_and_values_take_linear_time(tmp_path: Path, blanks: str) -> None:
    found, _ = outcome(saved(tmp_path / "t.txt", f"# Owls{blanks}hoot".encode()), reader="text")
    record = json.dumps({"title": f"Owls{blanks}hoot", "abstract": "They hoot."})
    papers, _ = outcome(saved(tmp_path / "p.jsonl", record.encode()))
    assert len(found) == len(papers) == 1
    index = f"model-index:\n- results:\n  - metrics: [{{value: 1}}]\n# value: 1{blanks}2"
    link_card(card(f"---\n{index}\n---\n# Owl\n", repository="me/Owl"), ())


def test_lines_of_windows_below_a_rule_take_linear_time(tmp_path: Path) -> None:
    """A rule that no second one follows opens no front matter, however its lines end."""
    text = "---\r\n" + "Owls hoot.\r\n" * 5_000
    assert len(outcome(saved(tmp_path / "owl.txt", text.encode()))[0]) == 1


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.one_of(
        st.binary(max_size=400),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet='---\n{}[]":,abcdef \t&*!|>#%\\', max_size=200).map(str.encode),
        st.text(alphabet="abc: -\n[]{}&*!'\"|>#", max_size=200).map(
            lambda block: f"---\n{block}\n---\nprose".encode()
        ),
    ),
    reader=st.sampled_from([None, *READERS]),
)
def test_any_bytes_through_any_reader(tmp_path: Path, content: bytes, reader: str | None) -> None:
    """Either a sentence of an error, or documents that every output can hold."""
    try:
        found, _ = outcome(saved(tmp_path / "any.md", content), reader=reader)
    except KGError:
        return
    for document in found:
        assert document.id
        assert 0 <= document.body <= len(document.text)
        assert "\x00" not in document.text
        json.dumps([document.text, document.title, document.id, dict(document.metadata)]).encode()
        document.text.encode("utf-8")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
FIELDS = """
id title abstract text content year url versions externalIds abstract_inverted_index paper
data type path primary_location forum doi categories cdate
"""
fields = st.sampled_from(FIELDS.split())


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(record=st.dictionaries(fields, json_values))
def test_any_record_of_known_fields(tmp_path: Path, record: dict[str, object]) -> None:
    path = saved(tmp_path / "p.jsonl", json.dumps(record).encode() + b"\n" + GOOD)
    found, skipped = outcome(path)
    assert found[-1].title == "Owls"
    assert len(found) + len(skipped) >= 1
    for document in found:
        assert document.url == "" or document.url.startswith("http")
        assert document.year is None or 1900 <= document.year <= 2099


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:_- \t'\"[]{}\n", max_size=200))
def test_offsets_stay_in_the_text(block: str) -> None:
    text = f"---\nbase_model: ab\n{block}\n---\nprose"
    assert len(unflattened(text.replace("\n", " "))) == len(text)
    for span in (key_span(text, "base_model", "ab"), value_span(text, "base_model", "ab")):
        assert span is not None
        assert "ab" in span.of(text)
    assert isinstance(is_flat(text), bool)
