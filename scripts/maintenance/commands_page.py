"""Write kg/docs/commands.md: every command with its help, as it stands in the code."""

import os
from pathlib import Path

from kg.cli import command_parser
from kg.commands import COMMANDS

PAGE = Path(__file__).parents[2] / "kg" / "docs" / "commands.md"


def page() -> str:
    """Return the page; the width of the help does not depend on the terminal."""
    os.environ["COLUMNS"] = "100"
    parts = [
        "# Commands\n",
        "Every command, as `kg COMMAND --help` prints it. This page is made by "
        "`scripts/refresh_docs`; a test holds it fresh.\n",
    ]
    for name, line in COMMANDS.items():
        help_text = command_parser(name).format_help().rstrip()
        parts.append(f"## kg {name}\n\n{line[0].upper()}{line[1:]}.\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
