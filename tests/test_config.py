"""Configuration: precedence, origins, and errors that name the remedy."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from kg import config
from kg.cli import configured_parser, main
from kg.commands.output import GEARS
from kg.errors import UsageError
from kg.ner import Gear
from kg.ner.learned import Tagger


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("inputs", nargs="*")
    made.add_argument("--gear", choices=("fast", "accurate"), default="fast")
    made.add_argument("--timeout", type=float, default=30.0)
    made.add_argument("--strict", action="store_true")
    made.add_argument("--formats", nargs="+")
    made.add_argument("--accurate", dest="gear", action="store_const", const="accurate")
    made.add_argument("--graph", action="append", default=[])
    return made


def values(files: list[tuple[str, Mapping[str, Any]]], **environment: str) -> dict[str, Any]:
    found = config.settings(
        "build", parser(), ("build", "query"), files=files, environment=environment
    )
    return {setting.key: (setting.value, setting.origin) for setting in found}


def test_environment_wins_over_kg_toml_and_kg_toml_over_pyproject() -> None:
    files = [
        ("pyproject.toml", {"build": {"gear": "accurate", "timeout": 1, "strict": True}}),
        ("kg.toml", {"build": {"gear": "fast", "timeout": 2}}),
    ]
    assert values(files, KG_BUILD_TIMEOUT="3") == {
        "gear": ("fast", "kg.toml"),
        "timeout": (3.0, "KG_BUILD_TIMEOUT"),
        "strict": (True, "pyproject.toml"),
        "formats": (None, "default"),
        "accurate": (False, "default"),
        "graph": ([], "default"),
    }


def test_a_flag_wins_over_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kg.toml").write_text('[build]\ngear = "accurate"\n')
    monkeypatch.chdir(tmp_path)
    made = parser()
    config.apply("build", made, ("build",))
    assert made.parse_args([]).gear == "accurate"
    assert made.parse_args(["--gear", "fast"]).gear == "fast"


@pytest.mark.parametrize(
    ("toml", "environment", "arguments", "gear", "graph", "strict"),
    [
        ("accurate = true\ngraph = ['a', 'b']", {}, [], "accurate", ["a", "b"], False),
        ("accurate = false\ngraph = 'a'", {}, [], "fast", ["a"], False),
        ("", {"ACCURATE": "1", "GRAPH": "http://a"}, [], "accurate", ["http://a"], False),
        ("accurate = true\nstrict = true", {"GEAR": "fast", "STRICT": "0"}, [], "fast", [], False),
        ("accurate = true\nstrict = true", {"ACCURATE": "0"}, [], "fast", [], True),
        ("accurate = true", {}, ["--gear", "fast"], "fast", [], False),
        ("graph = ['a']", {}, ["--graph", "b"], "fast", ["a", "b"], False),
    ],
)
def test_an_option_is_set_as_its_flag_would_set_it(
    toml: str,
    environment: dict[str, str],
    arguments: list[str],
    gear: str,
    graph: list[str],
    strict: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "kg.toml").write_text(f"[build]\n{toml}\n")
    monkeypatch.chdir(tmp_path)
    for key, value in environment.items():
        monkeypatch.setenv(f"KG_BUILD_{key}", value)
    made = parser()
    config.apply("build", made, ("build",))
    found = made.parse_args(arguments)
    assert (found.gear, found.graph, found.strict) == (gear, graph, strict)


@pytest.mark.parametrize(
    ("variable", "value", "command", "dest", "wanted"),
    [
        ("KG_EXTRACT_ACCURATE", "1", ["extract", "p.jsonl"], "gear", "accurate"),
        ("KG_LINEAGE_UP", "1", ["lineage", "out", "X"], "direction", "up"),
        ("KG_QUERY_PARAM", "model=X", ["query", "out", "Q"], "param", ["model=X"]),
        ("KG_SERVE_CORS", "http://x", ["serve", "out"], "cors", ["http://x"]),
    ],
)
def test_a_switch_or_a_list_of_a_command_is_set_by_the_environment(
    variable: str,
    value: str,
    command: list[str],
    dest: str,
    wanted: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    found = configured_parser(command[0]).parse_intermixed_args(command[1:])
    assert getattr(found, dest) == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"biuld": {}}, "kg.toml: no command is called 'biuld'; did you mean 'build'?"),
        (
            {"build": {"geer": "fast"}},
            "kg.toml, [build]: there is no option 'geer'; did you mean 'gear'?",
        ),
        (
            {"build": {"gear": "acurate"}},
            "kg.toml, [build] gear: 'acurate' is no choice; did you mean 'accurate'?",
        ),
        (
            {"build": {"strict": "yes"}},
            "kg.toml, [build] strict: should be true or false, not 'yes'",
        ),
        (
            {"build": {"timeout": "soon"}},
            "kg.toml, [build] timeout: 'soon' cannot be used "
            "(could not convert string to float: 'soon')",
        ),
    ],
)
def test_a_mistake_is_an_error_that_names_place_and_remedy(
    content: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        values([("kg.toml", content)])
    assert str(caught.value) == message


def test_an_unknown_variable_of_a_command_is_an_error_and_those_of_others_are_not_judged() -> None:
    assert values([], KG_QUERY_TIMEOUT="5", KG_THREADS="1", KG_BUILD="x")["gear"][1] == "default"
    with pytest.raises(UsageError) as caught:
        values([], KG_BUILD_GEER="accurate")
    assert str(caught.value) == (
        "the environment sets KG_BUILD_GEER, which is no option; did you mean 'KG_BUILD_GEAR'?"
    )


@pytest.mark.parametrize("threads", ["two", "0", ""])
def test_a_number_of_threads_that_is_none_is_said(
    threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KG_THREADS", threads)
    with pytest.raises(UsageError) as caught:
        Tagger.load("fast")
    said = f"KG_THREADS: should be a whole number from 1 up, not {threads!r}"
    assert str(caught.value) == said


def test_the_gears_of_the_command_line_are_those_that_read() -> None:
    assert get_args(Gear) == GEARS


def test_config_show_prints_what_is_set_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kg.toml").write_text("[query]\ntimeout = 60\n")
    monkeypatch.chdir(tmp_path)
    assert main(["config", "show", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["data"]
    assert rows == [{"command": "query", "key": "timeout", "value": 60.0, "origin": "kg.toml"}]


def test_a_broken_kg_toml_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kg.toml").write_text("[query\n")
    monkeypatch.chdir(tmp_path)
    assert main(["docs"]) == 2
    assert "kg.toml: is not TOML" in capsys.readouterr().err
