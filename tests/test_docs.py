"""The documentation is what the code does: help, output, examples and links."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from maintenance import commands_page, console_blocks

import kg
from kg.commands import COMMANDS
from kg.schema import relations

ROOT = Path(__file__).parent.parent

PAGES = [path for path in console_blocks.PAGES if path.name != "commands.md"]


def test_the_page_of_commands_is_their_help() -> None:
    assert commands_page.PAGE.read_text(encoding="utf-8") == commands_page.page()


@pytest.fixture(scope="module")
def scratch() -> Path:
    return console_blocks.scratch()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_print_what_the_page_shows(path: Path, scratch: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert console_blocks.refreshed(page, scratch) == page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_examples_run(path: Path, scratch: Path) -> None:
    program = console_blocks.python_blocks(path.read_text(encoding="utf-8"))
    if not program:
        return
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=scratch,
        env=console_blocks.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@dataclass
class LangChainDocument:
    """What kg needs of ``langchain_core.documents.Document``."""

    page_content: str
    metadata: dict[str, object]


@dataclass
class LlamaIndexDocument:
    """What kg needs of ``llama_index.core.Document``."""

    id_: str
    text: str
    metadata: dict[str, object]


#: Two documents, the second a chunk of the same source, and without a title.
TEXTS = (
    ("notes.md", {"title": "TinyNet"}, "TinyNet is a language model distilled from BERT-Large."),
    ("notes.md", {}, "We fine-tune MiniNet-7B from LLaMA-7B."),
)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        (
            "langchain_documents",
            [LangChainDocument(text, {"source": id_, **more}) for id_, more, text in TEXTS],
        ),
        (
            "llama_index_documents",
            [LlamaIndexDocument(id_, text, dict(more)) for id_, more, text in TEXTS],
        ),
    ],
)
def test_documents_of_other_libraries_become_triples_as_the_page_says(
    name: str, given: list[object]
) -> None:
    page = (ROOT / "kg" / "docs" / "python.md").read_text(encoding="utf-8")
    (program,) = (block for block in re.findall(r"```py\n(.*?)```", page, re.S) if name in block)
    names: dict[str, object] = {name: given}
    exec(program, names)  # noqa: S102 (the program is our own page's)
    assert names["triples"] == [
        ("model/mininet-7b", "fineTunedFrom", "model/llama-7b"),
        ("model/tinynet", "distilledFrom", "model/bert-large"),
    ]


def test_every_python_block_of_a_page_is_run_by_a_test() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in console_blocks.PAGES)
    fences = re.findall(r"^```(py\S*)$", pages, re.MULTILINE)
    assert {fence: fences.count(fence) for fence in {"py", *fences} - {"python"}} == {"py": 2}


@pytest.mark.parametrize("path", console_blocks.PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target and "mailto:" not in target]
    missing = [target for target in local if not (path.parent / target).exists()]
    assert missing == []


def test_every_command_and_relation_is_described() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in console_blocks.PAGES)
    assert [name for name in COMMANDS if f"## kg {name}" not in pages] == []
    assert [name for name in relations() if f"`{name}`" not in pages] == []


def sparql_examples() -> list[str]:
    """The queries of the table on where things stand, and the path below it."""
    page = (ROOT / "kg" / "docs" / "sparql.md").read_text(encoding="utf-8")
    section = page.split("## Where things stand")[1].split("\n## ")[0]
    table = re.findall(r"^\|.*`(SELECT .*)` \|$", section, re.MULTILINE)
    return [*table, *re.findall(r"```sparql\n(.*?)```", section, re.S)]


def test_every_row_of_the_table_has_a_query() -> None:
    assert len(sparql_examples()) == 12


@pytest.mark.parametrize("query", sparql_examples())
def test_queries_of_the_table_are_answered_from_the_sample(query: str, scratch: Path) -> None:
    assert kg.load(scratch / "outputs").query(query)
