"""Put the files of the taggers where the package finds them, with their hashes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def manifest(weights: Path) -> None:
    """Write ``manifest.json``: file name -> SHA-256 of every file under the folder."""
    files = sorted(
        path for path in weights.rglob("*") if path.is_file() and path.name != "manifest.json"
    )
    table = {
        path.relative_to(weights).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
    (weights / "manifest.json").write_text(
        json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
