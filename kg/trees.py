"""Boosted trees at run time: compressed ONNX graphs, checked by hash before they are loaded."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import onnxruntime

from kg.errors import UsageError


@lru_cache(maxsize=8)
def session(path: Path, sha256: str) -> Any:
    """Return an onnxruntime session of the gzipped graph at ``path``, loaded once a process.

    A file whose SHA-256 is another than ``sha256`` is not loaded: ``UsageError``.
    """
    packed = path.read_bytes()
    if hashlib.sha256(packed).hexdigest() != sha256:
        raise UsageError(f"{path} is damaged; reinstall mlkg")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        gzip.decompress(packed), options, providers=["CPUExecutionProvider"]
    )
