"""Choose a reader or exporter by name, including those that other packages provide.

A package adds one by an entry point in the group ``kg.readers`` or ``kg.exporters``; what is
built in wins over an entry point of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast

from kg.errors import UsageError

T = TypeVar("T")


def _points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"kg.{kind}s")}


def names(kind: str, builtin: Mapping[str, Any]) -> list[str]:
    """Return the names of every ``kind`` there is, built in or installed, sorted."""
    return sorted({*builtin, *_points(kind)})


def choose(kind: str, name: str, builtin: Mapping[str, T]) -> T:
    """Return the ``kind`` called ``name``, from ``builtin`` or from an installed package."""
    if name in builtin:
        return builtin[name]
    points = _points(kind)
    if name not in points:
        known = ", ".join(names(kind, builtin))
        raise UsageError(f"no {kind} is called {name!r}; there are: {known}")
    point = points[name]
    try:
        return cast("T", point.load())
    except Exception as error:  # whatever a foreign package raises when it is imported
        package = point.dist.name if point.dist else point.value
        raise UsageError(
            f"the {kind} {name!r} of {package} cannot be loaded: {error}; update or remove it"
        ) from error


def installed(kind: str, builtin: Mapping[str, T]) -> dict[str, T]:
    """Return every ``kind`` that other packages provide, by name, in the order of the names."""
    others = [name for name in names(kind, builtin) if name not in builtin]
    return {name: choose(kind, name, builtin) for name in others}
