"""The files of learned weights that name finding rests on, each checked before it is read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from kg import weights
from kg.errors import UsageError

WEIGHTS: Final = Path(__file__).parent / "weights"


@cache
def manifest() -> dict[str, Any]:
    """Return the SHA-256 of each of the ``files``, and the networks of each of the ``gears``."""
    path = WEIGHTS / "manifest.json"
    if not path.is_file():
        raise UsageError(f"{path} is missing; reinstall mlkg")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def content(name: str) -> bytes:
    """Return the content of a file."""
    return weights.verified(WEIGHTS / name, manifest()["files"][name])


def session(name: str, *, threads: int = 1) -> Any:
    """Return an onnxruntime session of a graph."""
    return weights.session(WEIGHTS / name, manifest()["files"][name], threads=threads)
