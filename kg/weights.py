"""Files of learned weights: checked by hash before anything of them is read, run by onnxruntime."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import onnxruntime

from kg.errors import UsageError


def verified(path: Path, sha256: str) -> bytes:
    """Return the content of a file that must be what was shipped, else ``UsageError``."""
    if not path.is_file():
        raise UsageError(f"{path} is missing; reinstall mlkg")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UsageError(f"{path} is damaged (its SHA-256 is another); reinstall mlkg")
    return content


@lru_cache(maxsize=8)
def session(path: Path, sha256: str, *, threads: int = 1) -> Any:
    """Return an onnxruntime session of the graph at ``path``, loaded once a process."""
    graph = verified(path, sha256)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        gzip.decompress(graph) if path.suffix == ".gz" else graph,
        options,
        providers=["CPUExecutionProvider"],
    )
