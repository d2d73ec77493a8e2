"""Say in the manifest what the files of weights are, without which the package reads none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from kg.ner import files


def manifest(**gears: Sequence[str]) -> None:
    """Write the SHA-256 of every file of weights, and the networks of gears, these anew.

    Networks that no gear names any more are removed.
    """
    path = files.WEIGHTS / "manifest.json"
    known = json.loads(path.read_text(encoding="utf-8"))["gears"] if path.exists() else {}
    named = known | {gear: list(networks) for gear, networks in gears.items()}
    for network in files.WEIGHTS.glob("*.onnx"):
        if not any(network.name in networks for networks in named.values()):
            network.unlink()
    hashes = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files.WEIGHTS.iterdir()
        if file != path
    }
    text = json.dumps({"files": hashes, "gears": named}, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    files.manifest.cache_clear()
