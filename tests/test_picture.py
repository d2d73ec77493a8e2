"""Still pictures, and the command that writes them."""

import json
from pathlib import Path
from xml.dom.minidom import Document as Xml
from xml.dom.minidom import parseString

import pytest
from test_page import HOSTILE, chain, small_graph

from kg import cli, store
from kg.exporters.picture import MOST_NODES, png, short_name, svg
from kg.values import Graph


def parsed(text: str) -> Xml:
    return parseString(text)  # noqa: S318 - our own file


def words(picture: Xml) -> list[str]:
    return [node.firstChild.data for node in picture.getElementsByTagName("text")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph folder as kg build leaves it."""
    home = tmp_path_factory.mktemp("graph")
    store.write(small_graph(), home)
    return home


def test_picture_names_nodes_and_explains_colours() -> None:
    texts = words(parsed(svg(small_graph())))
    assert {"Tiny-7B", "ExamBench", "Models", "Datasets", "Lineage", "Evaluation"} <= set(texts)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_of_hostile_names_is_well_formed_and_inert(theme: str) -> None:
    """Markup stays text, and what XML cannot hold is replaced."""
    picture = parsed(svg(small_graph(), theme=theme))
    assert not picture.getElementsByTagName("script")
    assert not picture.getElementsByTagName("img")
    assert short_name("a\x00b\ud800c") == "a\ufffdb\ufffdc"
    assert len(short_name(HOSTILE["long"])) < 40


def test_picture_is_the_same_each_time() -> None:
    assert svg(small_graph()) == svg(small_graph())


def test_large_graph_shows_its_best_connected_and_says_so() -> None:
    assert f"{MOST_NODES} best connected of 600 entities" in words(parsed(svg(chain(600))))


def test_empty_graph_has_a_picture() -> None:
    parsed(svg(Graph()))


def test_png_has_twice_the_size() -> None:
    """Width and height stand in the file's header."""
    content = png(small_graph(), width=640, height=400)
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (1280, 800)


def test_explore_writes_the_page_into_the_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["explore", str(folder), "--title", "Mine"]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "graph.html")
    assert "<title>Mine</title>" in (folder / "graph.html").read_text("utf-8")


def test_explore_writes_a_part_in_the_format_of_the_ending(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "part.svg"
    arguments = ["explore", str(folder), "--focus", "grandchild 1B", "--hops", "1"]
    assert cli.main([*arguments, "-o", str(target), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["data"]
    assert (told["entities"], told["edges"], told["format"]) == (2, 1, "svg")
    assert {"Grandchild-1B", "Tiny-7B"} <= set(words(parsed(target.read_text("utf-8"))))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--focus", "tiny7c"], 4, "the nearest are: Tiny-7B"),
        (["-o", "page.pdf"], 2, "none of html, svg, png"),
        (["--hops", "9"], 2, "from 0 to 6"),
    ],
)
def test_explore_says_what_is_wrong(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    assert cli.main(["explore", str(folder), *arguments]) == status
    assert said in capsys.readouterr().err
