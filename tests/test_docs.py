"""The documentation is what the code does: help, output, examples and links."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kg.commands import COMMANDS
from kg.schema import relations

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "maintenance"))

import commands_page  # noqa: E402 (found through the path above)
import console_blocks  # noqa: E402

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
