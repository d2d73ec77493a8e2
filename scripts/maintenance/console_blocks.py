"""Run the commands that the documentation shows, and put in what they print.

In a fenced block marked ``console`` a line that begins with ``$`` is a command; what follows is
its output, up to the next command.  A last line ``...`` stands for the rest of a long output.
Blocks marked ``python`` are run too, one after another within a page; they print nothing here.
Commands run in a scratch folder that sees the repository's ``kg`` and ``ontology``, with the
sample's graph as ``out`` and as ``outputs``, where ``scripts/demo`` makes it.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "kg" / "docs").glob("*.md")))
_CONSOLE = re.compile(r"(?<=```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_PYTHON = re.compile(r"(?<=```python\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
CUT = "..."


def scratch() -> Path:
    """Return a new folder in which the documentation's commands can write."""
    folder = Path(tempfile.mkdtemp(prefix="kg-docs-"))
    for name in ("kg", "ontology", "README.md", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    run("kg build kg/docs/sample -o out", folder)
    (folder / "outputs").symlink_to("out")
    return folder


def environment() -> dict[str, str]:
    """Return an environment in which the output does not depend on the terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


def run(command: str, folder: Path) -> str:
    """Return what a shell command prints on standard output, without trailing blanks."""
    done = subprocess.run(  # noqa: S603 (the commands are our own documentation's)
        ["/bin/bash", "-c", command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode not in (0, 3, 4, 5):
        raise RuntimeError(f"$ {command}\n{done.stdout}{done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def refreshed(page: str, folder: Path) -> str:
    """Return ``page`` with the output of each command as it is today."""

    def block(match: re.Match[str]) -> str:
        parts = re.split(r"^\$ ", match.group(), flags=re.MULTILINE)[1:]
        return "\n".join(_session(part.rstrip("\n").split("\n"), folder) for part in parts) + "\n"

    return _CONSOLE.sub(block, page)


def _session(lines: list[str], folder: Path) -> str:
    command, shown = lines[0], list(lines[1:])
    while command.endswith("\\"):
        command += "\n" + shown.pop(0)
    output = run(command, folder).split("\n")
    while shown and not shown[-1]:
        shown.pop()
    if shown and shown[-1].strip() == CUT:
        kept = output[: len(shown) - 1]
        output = [*kept, CUT] if len(kept) < len(output) else output
    return "\n".join([f"$ {command}", *(line for line in output)]).rstrip("\n")


def python_blocks(page: str) -> str:
    """Return the Python of a page as one program."""
    return "\n".join(_PYTHON.findall(page))


if __name__ == "__main__":
    where = scratch()
    for path in PAGES:
        path.write_text(refreshed(path.read_text(encoding="utf-8"), where), encoding="utf-8")
