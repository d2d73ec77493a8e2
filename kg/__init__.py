"""A knowledge graph of machine learning, with the sentence behind every edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg.api import KnowledgeGraph, build, load
    from kg.values import Document, Edge, Entity, Evidence, Mention, Merge, Result, Span

__version__ = "0.1.0"

__all__ = [
    "Document",
    "Edge",
    "Entity",
    "Evidence",
    "KnowledgeGraph",
    "Mention",
    "Merge",
    "Result",
    "Span",
    "__version__",
    "build",
    "load",
]


def __getattr__(name: str) -> Any:
    """Load the public names when they are first asked for, so that ``kg --help`` is instant."""
    import importlib

    if name in ("KnowledgeGraph", "build", "load"):
        return getattr(importlib.import_module("kg.api"), name)
    if name in __all__:
        return getattr(importlib.import_module("kg.values"), name)
    raise AttributeError(f"module 'kg' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name what is loaded later, too."""
    return sorted({*globals(), *__all__})
