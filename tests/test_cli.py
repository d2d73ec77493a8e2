"""The command line as a whole: start-up, exit statuses, streams."""

import argparse
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kg import __version__, store
from kg.assemble import assemble
from kg.cli import command_parser, main
from kg.commands import COMMANDS, module_of
from tests.readings import reading

KG = [sys.executable, "-m", "kg"]


def kg(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*KG, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def graph_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a graph with one edge, TinyNet distilledFrom BigNet."""
    folder = tmp_path_factory.mktemp("graph")
    said = reading("d", "[[TinyNet|Model]] [[BigNet|Model]].", "TinyNet distilledFrom BigNet")
    store.write(assemble([said]), folder)
    return str(folder)


def test_help_lists_every_command() -> None:
    done = kg("--help")
    assert done.returncode == 0
    assert all(
        f"  {name} " in done.stdout and line in done.stdout for name, line in COMMANDS.items()
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_teaches_itself(command: str) -> None:
    module = importlib.import_module(module_of(command))
    assert len(module.DESCRIPTION.strip()) > 40
    parser = command_parser(command)
    assert all(action.help for action in parser._actions if action.option_strings)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"doctor"}))
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    program = (
        "import sys, kg.cli\n"
        f"kg.cli.command_parser({command!r}).format_help()\n"
        "heavy = {'spacy', 'rdflib', 'pyvis', 'networkx', 'onnxruntime', 'duckdb', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_version_is_printed() -> None:
    assert kg("--version").stdout == f"kg {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["biuld"], 2, "kg: there is no command 'biuld'; did you mean 'build'?"),
        (["xyzzy"], 2, "kg: there is no command 'xyzzy'; kg --help lists them"),
        (
            ["build", "p.jsonl", "--gaer", "fast"],
            2,
            "kg build has no option --gaer; did you mean '--gear'?",
        ),
        (
            ["build", "p.jsonl"],
            2,
            "kg build: the following arguments are required: -o/--out; "
            "kg build --help shows how it is called",
        ),
        (
            ["stats", "nowhere"],
            4,
            "kg: nowhere is no folder with a graph (no manifest.json); "
            "kg build INPUT -o nowhere makes one",
        ),
        (
            ["explain", "OUTPUTS", "TinyNet", "distilledFrom"],
            2,
            "kg: an edge has two ends: kg explain OUTPUTS 'TinyNet' distilledFrom OBJECT; "
            "for the node alone leave distilledFrom out",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_a_remedy(
    arguments: list[str],
    status: int,
    says: str,
    graph_folder: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([a.replace("OUTPUTS", graph_folder) for a in arguments]) == status
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", says.replace("OUTPUTS", graph_folder) + "\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_count_or_a_time_below_nothing_is_refused(command: str) -> None:
    numbers = [a for a in command_parser(command)._actions if a.type not in (None, Path)]
    for action in numbers:
        with pytest.raises(argparse.ArgumentTypeError, match="wanted"):
            action.type("-1")  # type: ignore[misc, operator]  # a callable, not a registered name


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("--limit", "-1", "argument --limit: a whole number from 0 up is wanted"),
        ("--limit", "ten", "argument --limit: a whole number from 0 up is wanted"),
        ("--timeout", "nan", "argument --timeout: a number of seconds is wanted, from 0 up"),
    ],
)
def test_what_an_option_wants_is_said(
    option: str, value: str, wanted: str, graph_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", graph_folder, "SELECT * { ?s ?p ?o }", option, value]) == 2
    assert f"kg query: {wanted}; kg query --help" in capsys.readouterr().err


def test_an_edge_that_nobody_states_is_answered_with_those_between_its_ends(
    graph_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", graph_folder, "TinyNet", "fineTunedFrom", "BigNet"]) == 4
    assert capsys.readouterr().err == (
        "kg: no document says: model/tinynet fineTunedFrom model/bignet. Between the two the "
        "graph knows: model/tinynet distilledFrom model/bignet\n"
    )


def test_kg_alone_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    alone = capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--help"])
    assert alone == capsys.readouterr().out


def test_a_folder_without_a_graph_is_not_found(tmp_path: Path) -> None:
    done = kg("stats", str(tmp_path))
    assert done.returncode == 4
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("files", "arguments", "status", "says"),
    [
        (
            {"g/manifest.json": b"{}"},
            "stats g",
            1,
            "g/manifest.json: is no manifest of kg (Expected `object`, got `null`); "
            "build the graph again",
        ),
        (
            {"g/manifest.json": b"x"},
            "stats g",
            1,
            "g/manifest.json: is no manifest of kg "
            "(JSON is malformed: invalid character (byte 0)); build the graph again",
        ),
        (
            {"g/manifest.json": b'{"counts": {"documents": "many"}}'},
            "stats g",
            1,
            "g/manifest.json: is no manifest of kg (Expected `int`, got `str` - at `$.documents`); "
            "build the graph again",
        ),
        (
            {"g/manifest.json": b"[]"},
            "stats g",
            1,
            "g/manifest.json: is no manifest of kg (Expected `object`, got `array`); "
            "build the graph again",
        ),
        (
            {"kg.toml": b"build = 3"},
            "docs",
            2,
            "kg.toml: 'build' should be a section: write [build], and a line for each option "
            "below it",
        ),
        (
            {"kg.toml": b"[build]\nformats = 3"},
            "build p.jsonl -o g",
            2,
            "kg.toml, [build] formats: should be text in quotes, not 3",
        ),
        (
            {"pyproject.toml": b"[tool]\nkg = 5"},
            "docs",
            2,
            "FOLDER/pyproject.toml: tool.kg should be a table: write [tool.kg.build]",
        ),
        (
            {"latin.rq": b"SELECT * { ?s ?p '\xe9' }"},
            "query g --file latin.rq",
            1,
            "latin.rq: is not UTF-8; save it as UTF-8",
        ),
    ],
)
def test_a_malformed_file_is_one_sentence_with_a_remedy(
    files: dict[str, bytes],
    arguments: str,
    status: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content)
    assert main(arguments.split()) == status
    assert capsys.readouterr().err == f"kg: {says.replace('FOLDER', str(tmp_path))}\n"


def test_a_pyproject_toml_of_others_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = 5")
    monkeypatch.chdir(tmp_path)
    assert main(["config"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RecursionError(), "an input is nested too deeply to be read; make it flatter"),
        (MemoryError(), "not enough memory; ask for less (kg build: --jobs 1, --formats)"),
        (
            UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "unexpected end of data"),
            "an input is not utf-8 ('utf-8' codec can't decode byte 0xe9 in position 0: "
            "unexpected end of data); save it as UTF-8",
        ),
    ],
)
def test_what_python_runs_out_of_is_one_sentence(
    error: Exception,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(arguments: object) -> int:
        raise error

    monkeypatch.setattr("kg.commands.docs.run", fail)
    assert main(["docs"]) == 1
    assert capsys.readouterr().err == f"kg: {says}\n"


@pytest.mark.parametrize("command", ["stats", "lineage", "query", "validate", "explain", "explore"])
def test_finished_pages_without_a_store_are_said_to_be_no_more(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = dict.fromkeys(("documents", "edges", "entities", "merges", "results"), 1)
    (tmp_path / "manifest.json").write_text(json.dumps({"counts": counts}))
    subject = {"lineage": ["X"], "query": ["ancestors"], "explain": ["X"]}.get(command, [])
    assert main([command, str(tmp_path), *subject]) == 4
    assert capsys.readouterr().err == (
        f"kg: {tmp_path} holds the finished pages of a graph, but no store/ that could be asked; "
        f"kg build INPUT -o {tmp_path}, with the inputs that manifest.json counts, or scripts/demo "
        "makes it\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "PAPERS", "-o", "OUT", "--overrides", "gone"],
        ["evaluate", "gone", "PAPERS"],
        ["validate", "GRAPH", "--shapes", "gone"],
    ],
)
def test_a_named_file_that_is_not_there_is_not_found(
    arguments: list[str], graph_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = tmp_path / "p.jsonl"
    papers.write_text('{"id": "a", "title": "Owls", "abstract": "They hoot."}\n')
    places = {"PAPERS": str(papers), "OUT": str(tmp_path / "out"), "GRAPH": graph_folder}
    assert main([places.get(word, word) for word in arguments]) == 4
    assert capsys.readouterr().err == "kg: there is no file gone; check the path\n"


def test_a_closed_pipe_ends_quietly() -> None:
    done = subprocess.run(
        [
            "/bin/bash",
            "-c",
            f"{sys.executable} -m kg docs commands | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell: str) -> None:
    script = kg("completion", shell).stdout
    assert "lineage" in script
    assert "overrides" in script


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_answer_in_json(command: str) -> None:
    assert "--json" in command_parser(command)._option_string_actions


def test_completion_in_json_is_the_same_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert main(["completion", "zsh", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data == {"shell": "zsh", "script": script.removesuffix("\n")}


def test_doctor_finds_this_installation_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["data"]["checks"]
    assert [check["check"] for check in checks if not check["ok"]] == []
