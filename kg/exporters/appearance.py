"""Colours, shapes, line styles and words of ``ontology/view.toml``, as values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from kg.errors import UsageError
from kg.resources import ontology


@dataclass(frozen=True, slots=True)
class NodeStyle:
    """How entities of one type are drawn, and what many of them are called."""

    plural: str
    shape: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class GroupStyle:
    """The title and colour that a group of relations shares."""

    title: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class RelationStyle:
    """A relation in words, read from its subject and from its object."""

    group: str
    words: str
    inverse: str
    #: ``parent``, ``family``, ``data``, or empty where the relation is no lineage.
    lineage: str = ""


@dataclass(frozen=True, slots=True)
class LineStyle:
    """The line of an edge by the strongest kind of its evidence."""

    title: str
    words: str
    #: Lengths of dash and gap in pixels; empty for a solid line.
    dash: tuple[float, ...]
    width: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """All of ``ontology/view.toml``, in its order, which is the order of legends."""

    types: Mapping[str, NodeStyle]
    groups: Mapping[str, GroupStyle]
    relations: Mapping[str, RelationStyle]
    kinds: Mapping[str, LineStyle]
    statuses: Mapping[str, str]


@cache
def appearance() -> Appearance:
    """Return how graphs look and speak."""
    path = ontology("view.toml")
    with path.open("rb") as source:
        table: dict[str, Any] = tomllib.load(source)
    try:
        kinds = {
            name: LineStyle(**{**style, "dash": tuple(style["dash"])})
            for name, style in table["kinds"].items()
        }
        return Appearance(
            {name: NodeStyle(**style) for name, style in table["types"].items()},
            {name: GroupStyle(**style) for name, style in table["groups"].items()},
            {name: RelationStyle(**style) for name, style in table["relations"].items()},
            kinds,
            table["statuses"],
        )
    except (KeyError, TypeError) as error:
        raise UsageError(f"{path}: {error}; every entry names the same fields") from error
