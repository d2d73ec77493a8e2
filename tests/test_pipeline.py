"""A build writes a folder whole or not at all, and says in one sentence why it could not."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from multiprocessing import active_children
from pathlib import Path

import pytest

from kg import api
from kg.cli import main
from kg.errors import KGError, ReadError, UsageError
from kg.ner import Gear
from kg.pipeline import folder as folders
from kg.pipeline import workers
from kg.pipeline.build import build, remove, save
from kg.pipeline.changes import changes
from kg.pipeline.workers import Outcome
from kg.store import StoredGraph
from tests import building
from tests.building import QUICK, corpus, outputs, papers

RUNNER = [sys.executable, str(Path(building.__file__))]


@pytest.fixture(autouse=True)
def _simple_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    from kg.pipeline import reading

    monkeypatch.setattr(reading, "read", building.read)
    monkeypatch.setattr(reading, "version", lambda gear="fast": f"test {gear}")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return papers(tmp_path / "papers.jsonl", corpus(30))


def kg(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*RUNNER, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_a_graph_built_in_memory_is_saved_with_the_manifest_of_a_build(
    source: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "overrides.yaml"
    rules.write_text("version: 1\nrules:\n  - drop: [Base1]\n")
    source.write_text(source.read_text() + "no record\n")
    options = ("--formats", "nodes", "--min-confidence", "0.5", "--overrides", rules)
    assert kg("build", source, "-o", tmp_path / "out", *options) == 3
    graph = api.build(source, overrides=rules, min_confidence=0.5)
    saved = StoredGraph(graph.save(tmp_path / "saved", formats=["nodes"]))
    built = StoredGraph(tmp_path / "out").manifest
    assert {**saved.manifest, "files": [*saved.manifest["files"], folders.REPORT]} == built
    assert {**graph.manifest, "files": built["files"]} == built


def test_a_build_writes_every_output_and_a_manifest_that_lists_them(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kg("build", source, "-o", tmp_path / "out") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "30 documents (30 read now)" in told.out
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    found = set(outputs(tmp_path / "out"))
    assert {*manifest["files"], "manifest.json"} == {n for n in found if not n.startswith("store/")}
    for name in ("graph.ttl", "provenance.ttl", "graph.nq", "graph.jsonld", "graph.graphml"):
        assert name in found
    for name in ("graph.gexf", "nodes.csv", "edges.csv", "results.csv", "graph.html", "report.md"):
        assert name in found


def test_no_output_holds_a_clock_or_a_path(source: Path, tmp_path: Path) -> None:
    kg("build", source, "-o", tmp_path / "one", *QUICK)
    time.sleep(1.1)
    kg("build", source, "-o", tmp_path / "elsewhere" / "two", *QUICK)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "elsewhere" / "two")


def test_shuffled_documents_give_the_same_bytes(tmp_path: Path) -> None:
    texts = corpus(30)
    one = papers(tmp_path / "one.jsonl", texts)
    other = papers(tmp_path / "other.jsonl", dict(reversed(texts.items())))
    kg("build", one, "-o", tmp_path / "a")
    kg("build", other, "-o", tmp_path / "b")
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")


def test_a_second_build_reads_nothing_again(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kg("build", source, "-o", tmp_path / "out", *QUICK)
    before = outputs(tmp_path / "out")
    capsys.readouterr()
    kg("build", source, "-o", tmp_path / "out", *QUICK)
    assert "(0 read now)" in capsys.readouterr().out
    assert outputs(tmp_path / "out") == before


def test_processes_give_the_same_bytes_as_one(source: Path, tmp_path: Path) -> None:
    """With the real reader, since workers do not know the simple one."""
    script = (
        "import sys; from kg.pipeline import workers; workers.WORTHWHILE = 1;"
        "from kg.cli import main\n"
        "if __name__ == '__main__': sys.exit(main(sys.argv[1:]))"
    )
    runner = tmp_path / "runner.py"
    runner.write_text(script)
    for jobs in ("1", "2"):
        done = subprocess.run(
            [
                *(sys.executable, str(runner), "build", str(source)),
                *("-o", str(tmp_path / jobs), "--jobs", jobs, *QUICK),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")


def answer(work: workers.Work, gear: str) -> list[Outcome]:
    """Read nothing: worker processes know no simple reader."""
    return [Outcome(own) for own, _ in work]


def test_documents_of_a_worker_that_dies_while_others_are_kept_are_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "read_chunk", answer)
    work = [(number.to_bytes(2, "big"), b"") for number in range(12 * workers.CHUNK)]
    outcomes = workers.read_in_processes(work, "fast", 2)
    found = next(outcomes)
    for worker in active_children():
        worker.kill()
        worker.join(10)
    time.sleep(1)  # the pool finds out, and takes nothing more
    found += [outcome for chunk in outcomes for outcome in chunk]
    assert [outcome.digest for outcome in found] == [own for own, _ in work]


def test_a_build_that_misses_an_answer_says_so_and_the_next_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(work: Iterable[tuple[bytes, bytes]], gear: Gear) -> Iterator[list[Outcome]]:
        yield workers.read_chunk(list(work)[1:], gear)

    with monkeypatch.context() as patch:
        patch.setattr(workers, "read_here", forgetful)
        with pytest.raises(KGError, match="1 of 30 documents were not read; run the same command"):
            build([source], tmp_path / "out", formats=["turtle"], jobs=1)
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert build([source], tmp_path / "out", formats=["turtle"], jobs=1).read == 1


def test_a_document_that_breaks_the_reader_is_skipped_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = papers(tmp_path / "p.jsonl", {**corpus(5), "bad-one": "explode"})
    assert kg("build", source, "-o", tmp_path / "out", *QUICK) == 3
    told = capsys.readouterr()
    assert "bad-one: ValueError: this text explodes" in told.err
    assert "5 documents (5 read now)" in told.out
    assert "bad-one" in (tmp_path / "out" / "report.md").read_text()
    assert kg("build", source, "-o", tmp_path / "strict", "--strict", *QUICK) == 3
    assert not (tmp_path / "strict" / "manifest.json").exists()


def test_a_bad_record_is_skipped_counted_and_named(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with source.open("a", encoding="utf-8") as lines:
        lines.write("{no json\n")
    assert kg("build", source, "-o", tmp_path / "out", *QUICK) == 3
    told = capsys.readouterr()
    assert "line 31" in told.err
    assert "line 31" in (tmp_path / "out" / "report.md").read_text()
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["skipped"] == 1


def test_a_file_that_is_no_utf_8_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "p.csv"
    source.write_bytes("id,title,abstract\na,Étude,On Owl1.\n".encode("cp1252"))
    assert kg("build", source, "-o", tmp_path / "out", *QUICK) == 0
    said = (
        f"{source}, line 2: no UTF-8, so it was read as Windows-1252; save the file as UTF-8 if "
        "names suffered"
    )
    assert capsys.readouterr().err == f"warning: {said}\n"
    report = (tmp_path / "out" / "report.md").read_text().replace("\\", "")
    assert f"Nothing was skipped.\n\nRead, but perhaps not as it was meant:\n\n- {said}" in report


def test_outputs_of_a_build_are_no_inputs(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in a folder within the inputs, nor beside them, nor as the only input."""
    formats = ("--formats", "turtle,nodes,edges,jsonld")
    for out in (tmp_path / "out", tmp_path):
        assert kg("build", tmp_path, "-o", out, *formats) == 0
        capsys.readouterr()
        before = outputs(out / "store")
        assert kg("build", tmp_path, "-o", out, *formats) == 0
        warning = f"warning: {out}: kg has written a graph here; its files were passed over\n"
        assert warning in capsys.readouterr().err
        assert outputs(out / "store") == before
    assert kg("build", tmp_path / "out", "-o", tmp_path / "again", *formats) == 1
    assert capsys.readouterr().err == (
        f"kg: no document was found in {tmp_path / 'out'}; {tmp_path / 'out'}: kg has written a "
        "graph here; its files were passed over\n"
    )


def test_one_of_a_kind_is_counted_in_the_singular(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = papers(tmp_path / "p.jsonl", {"a": "Owl1 < Owl2."})
    assert kg("build", source, "-o", tmp_path / "out", *QUICK) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path / 'out'}: 1 document (1 read now), 2 entities, 1 edge, 0 scores\n"
    )


def test_a_vanished_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kg("build", tmp_path / "gone.jsonl", "-o", tmp_path / "out") == 4
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "gone.jsonl" in told.err
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("content", [None, b"", b"\x00\x01\x02"])
def test_inputs_without_a_document_leave_the_graph_that_is_there(
    source: Path, tmp_path: Path, content: bytes | None
) -> None:
    build([source], tmp_path / "out", formats=["turtle"])
    before = outputs(tmp_path / "out")
    (tmp_path / "in").mkdir()
    if content is not None:
        (tmp_path / "in" / "a.txt").write_bytes(content)
    with pytest.raises(ReadError, match="no document was found"):
        build([tmp_path / "in"], tmp_path / "out", formats=["turtle"])
    assert outputs(tmp_path / "out") == before


def test_an_unknown_format_is_said_before_any_work(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kg("build", source, "-o", tmp_path / "out", "--formats", "turtel") == 4
    assert "turtle" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_files_of_others_are_not_written_over(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nodes.csv").write_text("mine")
    assert kg("build", source, "-o", tmp_path, *QUICK) == 2
    assert "nodes.csv" in capsys.readouterr().err
    assert (tmp_path / "nodes.csv").read_text() == "mine"


@pytest.mark.parametrize(
    "files",
    [
        {"store/index.js": "theirs", "manifest.json": '{"files": ["app.js"]}', "app.js": "theirs"},
        {"store/a.txt": "theirs", "report.md": "theirs"},
        {"report.md": "theirs"},
        {".kg/readings.db": "", "graph.ttl": "theirs"},
    ],
    ids=["of a web application", "without a manifest", "a report", "beside a stopped build"],
)
def test_a_folder_with_files_of_others_stays_as_it_is(
    source: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    out = tmp_path / "out"
    for name, text in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    before = outputs(out)
    with pytest.raises(UsageError, match=r"which kg has not written; move that away, or choose"):
        build([source], out, formats=["turtle"])
    assert outputs(out) == before
    assert (out / ".kg").exists() == (".kg/readings.db" in files)


def test_a_saved_graph_spares_a_store_of_others(source: Path, tmp_path: Path) -> None:
    build([source], tmp_path / "out", formats=["nodes"])
    graph = StoredGraph(tmp_path / "out")
    (tmp_path / "theirs" / "store").mkdir(parents=True)
    (tmp_path / "theirs" / "store" / "a.txt").write_text("theirs")
    with pytest.raises(UsageError, match="holds store, which kg has not written"):
        save(graph, tmp_path / "theirs", formats=["nodes"])
    assert outputs(tmp_path / "theirs") == {"store/a.txt": b"theirs"}


def test_a_file_made_beside_a_graph_is_not_written_over(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([source], out, formats=["turtle"])
    (out / "graph.html").write_text("mine")
    before = outputs(out)
    with pytest.raises(UsageError, match=r"holds graph\.html, which kg has not written"):
        build([source], out)
    assert outputs(out) == before
    build([source], out, formats=["turtle"])
    assert outputs(out) == before


def test_a_file_made_while_a_build_runs_is_not_written_over(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def make(stage: str, done: int, total: int | None) -> None:
        (out / "report.md").write_text("mine")

    with pytest.raises(UsageError, match=r"holds report\.md"):
        build([source], out, formats=["turtle"], progress=make)
    assert outputs(out) == {"report.md": b"mine"}


def test_an_output_that_is_a_folder_goes_and_comes_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([source], out, formats=["nodes", "neo4j"])
    both = outputs(out)
    build([source], out, formats=["nodes"])
    assert not (out / "neo4j").exists()
    build([source], out, formats=["nodes", "neo4j"])
    assert outputs(out) == both


def test_outputs_that_are_no_longer_asked_for_go(source: Path, tmp_path: Path) -> None:
    kg("build", source, "-o", tmp_path / "out", "--formats", "nodes,edges")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    kg("build", source, "-o", tmp_path / "out", "--formats", "nodes")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {".kg", "store", "manifest.json", "nodes.csv", "report.md", "notes.txt"}


def test_two_builds_in_one_folder_the_second_stops(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    environment = {**os.environ, "KG_TEST_DELAY": "0.2"}
    first = subprocess.Popen(
        [*RUNNER, "build", str(source), "-o", str(out), *QUICK], env=environment
    )
    try:
        deadline = time.monotonic() + 30
        while not (out / ".kg" / "readings.db").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        second = run("build", source, "-o", out, *QUICK)
        assert (second.returncode, second.stdout) == (1, "")
        assert "another kg is building there" in second.stderr
    finally:
        first.wait(60)
    assert first.returncode == 0


def test_a_lock_dies_with_its_holder(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    environment = {**os.environ, "KG_TEST_DELAY": "0.5"}
    first = subprocess.Popen(
        [*RUNNER, "build", str(source), "-o", str(out), *QUICK], env=environment
    )
    deadline = time.monotonic() + 30
    while not (out / ".kg" / "readings.db").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    first.kill()
    first.wait(10)
    assert run("build", source, "-o", out, *QUICK).returncode == 0


def test_a_folder_that_cannot_be_written_is_one_sentence(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody, not even root, can make a folder there."""
    assert kg("build", source, "-o", "/proc/kg-test", *QUICK) == 1
    told = capsys.readouterr().err
    assert told.startswith("kg: /proc/kg-test: cannot be written to")
    assert told.count("\n") == 1


def test_a_full_disk_is_one_sentence_and_the_next_build_goes_on(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a disk that fills up."""
    source = papers(tmp_path / "papers.jsonl", corpus(400))
    out = tmp_path / "out"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    full = run("build", source, "-o", out, *QUICK, preexec_fn=limit)
    assert full.returncode == 1
    assert "no space left on the disk" in full.stderr
    assert full.stderr.count("\n") == 1
    assert not (out / "manifest.json").exists()
    assert run("build", source, "-o", out, *QUICK).returncode == 0
    run("build", source, "-o", tmp_path / "undisturbed", *QUICK)
    assert outputs(out) == outputs(tmp_path / "undisturbed")


def test_interrupted_is_said_and_the_next_build_goes_on(tmp_path: Path) -> None:
    source = papers(tmp_path / "papers.jsonl", corpus(500))
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*RUNNER, "build", str(source), "-o", str(out), *QUICK],
        env={**os.environ, "KG_TEST_DELAY": "0.02"},
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would this child if the tests are one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 30
    while not (out / ".kg" / "readings.db").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (
        130,
        "kg: interrupted; the same command goes on where it was\n",
    )
    done = run("build", source, "-o", out, *QUICK)
    assert done.returncode == 0
    assert "(300 read now)" not in done.stdout


def test_a_closed_pipe_is_no_error(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("build", source, "-o", out, *QUICK).returncode == 0
    command = f"'{sys.executable}' '{building.__file__}' diff '{out}' '{out}' --json | head -c 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_json_tells_what_was_done(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kg("build", source, "-o", tmp_path / "out", "--json", *QUICK) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 1
    assert told["data"]["counts"]["documents"] == 30
    assert told["data"]["read"] == 30


def test_the_report_shows_no_markup_of_others(tmp_path: Path) -> None:
    source = papers(tmp_path / "p.jsonl", {"<b>|x": "explode", **corpus(3)})
    assert kg("build", source, "-o", tmp_path / "out", *QUICK) == 3
    page = (tmp_path / "out" / "report.md").read_text()
    assert "<b>" not in page.replace("\\<b\\>", "")


def test_saved_graphs_are_read_back(source: Path, tmp_path: Path) -> None:
    build([source], tmp_path / "out", formats=["nodes"])
    graph = StoredGraph(tmp_path / "out")
    save(graph, tmp_path / "copy", formats=["nodes", "turtle"])
    again = StoredGraph(tmp_path / "copy")
    for name in ("documents", "entities", "edges", "results", "merges"):
        assert list(getattr(again, name)) == list(getattr(graph, name))
    assert (tmp_path / "copy" / "graph.ttl").exists()


def test_complete_outputs_of_a_stopped_build_are_moved_into_place(
    source: Path, tmp_path: Path
) -> None:
    kg("build", source, "-o", tmp_path / "out", *QUICK)
    whole = outputs(tmp_path / "out")
    ready = tmp_path / "out" / ".kg" / "ready"
    ready.mkdir()
    for name in ("manifest.json", "store", "nodes.csv"):
        (tmp_path / "out" / name).rename(ready / name)
    with folders.locked(tmp_path / "out", ["nodes.csv", "graph.ttl"]):
        pass
    assert outputs(tmp_path / "out") == whole


def test_a_manifest_cannot_make_kg_delete_elsewhere(source: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    kg("build", source, "-o", tmp_path / "out", *QUICK)
    manifest = tmp_path / "out" / "manifest.json"
    content = json.loads(manifest.read_text())
    (tmp_path / "out" / "notes.txt").write_text("mine")
    names = ["../victim.txt", "/etc/passwd", "", ".", "..", ".kg", "notes.txt"]
    content["files"] += names
    manifest.write_text(json.dumps(content))
    assert kg("build", source, "-o", tmp_path / "out", *QUICK) == 0
    assert victim.read_text() == "mine"
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("moved", range(9))
def test_stopped_at_any_move_the_new_outputs_come_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    out = tmp_path / "out"
    build([papers(tmp_path / "old.jsonl", corpus(3))], out, formats=["turtle", "edges", "neo4j"])
    source = papers(tmp_path / "new.jsonl", corpus(5))
    build([source], tmp_path / "expected", formats=["turtle", "nodes"])
    moves = count()
    replace = Path.replace

    def stopping(path: Path, target: Path) -> Path:
        if next(moves) == moved:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopping)
        with pytest.raises(KeyboardInterrupt):
            build([source], out, formats=["turtle", "nodes"])
    assert not (out / "manifest.json").exists() or moved == 0
    with folders.locked(out, ["graph.ttl", "nodes.csv", "report.md", "edges.csv"]):
        assert outputs(out) == outputs(tmp_path / "expected")
    assert not any((out / ".kg" / name).exists() for name in ("ready", "old"))


def test_stopped_after_the_last_move_the_outputs_stay(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([source], out, formats=["turtle"])
    before = outputs(out)
    (out / ".kg" / "ready").mkdir()
    with folders.locked(out, ["graph.ttl"]):
        assert outputs(out) == before


def test_diff_tells_what_appeared_vanished_and_changed(tmp_path: Path) -> None:
    texts = {"a": "Foo1 < Bar1.", "b": "Foo1 < Bar1. Baz1 > Foo1."}
    build([papers(tmp_path / "ab", texts)], tmp_path / "ab.kg", formats=["nodes"])
    build([papers(tmp_path / "a", {"a": texts["a"]})], tmp_path / "a.kg", formats=["nodes"])
    found = [
        str(c) for c in changes(StoredGraph(tmp_path / "ab.kg"), StoredGraph(tmp_path / "a.kg"))
    ]
    assert found == [
        "- document b",
        "~ entity model/bar1 (documents 2 -> 1; confidence 0.99 -> 0.9)",
        "- entity model/baz1",
        "~ entity model/foo1 (documents 2 -> 1; confidence 0.99 -> 0.9)",
        "- edge model/baz1 outperforms model/foo1",
        "~ edge model/foo1 fineTunedFrom model/bar1 (evidence 2 -> 1)",
    ]


def test_stats_and_diff_print_tables_and_json(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build([source], tmp_path / "out", formats=["nodes"])
    assert kg("stats", tmp_path / "out") == 0
    assert "fineTunedFrom" in capsys.readouterr().out
    assert kg("stats", tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out)["data"]["documents"] == {"paper": 30}
    assert kg("diff", tmp_path / "out", tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out)["data"] == {"counts": {}, "changes": []}


def test_an_unknown_document_cannot_be_removed(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build([source], tmp_path / "out", formats=["nodes"])
    before = outputs(tmp_path / "out")
    assert kg("remove", tmp_path / "out", "doc-001") == 4
    assert "the nearest are: doc-0" in capsys.readouterr().err
    assert outputs(tmp_path / "out") == before
    remove(tmp_path / "out", ["doc-0011"])
    assert len(StoredGraph(tmp_path / "out").documents) == 29


def test_a_least_confidence_keeps_the_same_edges_and_accepts_fewer(
    source: Path, tmp_path: Path
) -> None:
    """The edges of the simple grammar are sure to 0.7; ``remove`` keeps to what was asked for."""
    kg("build", source, "-o", tmp_path / "plain", *QUICK)
    plain = StoredGraph(tmp_path / "plain")
    assert {edge.confidence for edge in plain.edges} == {0.7}
    for least in ("0.7", "0.71"):
        home = tmp_path / least
        assert kg("build", source, "-o", home, *QUICK, "--min-confidence", least) == 0
        found = StoredGraph(home)
        status = {} if least == "0.7" else {"status": "candidate"}
        assert tuple(found.edges) == tuple(replace(edge, **status) for edge in plain.edges)
        assert found.manifest["run"] != plain.manifest["run"]
    (removed, *_) = (document.id for document in plain.documents)
    kg("remove", tmp_path / "0.71", removed)
    assert {edge.status for edge in StoredGraph(tmp_path / "0.71").edges} == {"candidate"}


@pytest.mark.parametrize("least", ["1.1", "-0.1", "much", "nan"])
def test_what_is_no_probability_is_refused(
    source: Path, tmp_path: Path, least: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kg("build", source, "-o", tmp_path / "out", "--min-confidence", least) == 2
    assert "a number from 0 to 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_build_of_other_documents_says_what_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a first build, nor one of the same documents, nor an addition takes any away."""
    texts = corpus(5)
    first, rest = (
        papers(tmp_path / name, dict(part))
        for name, part in (("a.jsonl", [*texts.items()][:2]), ("b.jsonl", [*texts.items()][2:]))
    )
    home = tmp_path / "out"
    for inputs in ([first], [first], [rest, "--add"]):
        assert kg("build", *inputs, "-o", home, *QUICK) == 0
        assert capsys.readouterr().err == ""
    assert kg("build", rest, "-o", home, *QUICK) == 0
    assert capsys.readouterr().err == (
        f"2 documents went that the graph in {home} held before; --add keeps them\n"
    )
    (last, *_) = (document.id for document in StoredGraph(home).documents)
    assert kg("remove", home, last) == 0
    assert capsys.readouterr().err == ""
