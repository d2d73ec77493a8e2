"""Mentions as entities, in the gold's format: a simple grouping, for scoring the tagger alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kg.ner.features import normal
from kg.ner.words import split

OWN = 0.5


def entities(text: str, mentions: Sequence[tuple[int, int, str, float]]) -> list[dict[str, Any]]:
    """One entity a name (case, hyphens, plural aside); a bracketed short form joins its long form.

    Mentions are ``(start, end, label, probability of being introduced)``.
    """
    ordered = sorted(mentions)
    keys = [
        (normal([word.text for word in split(text[start:end])]), label)
        for start, end, label, _ in ordered
    ]
    parent: dict[tuple[str, str], tuple[str, str]] = {key: key for key in keys}

    def root(key: tuple[str, str]) -> tuple[str, str]:
        while parent[key] != key:
            key = parent[key]
        return key

    for i in range(len(ordered) - 1):
        (_, end, label, _), (start, stop, other, _) = ordered[i], ordered[i + 1]
        between = text[end:start].strip()
        if (
            between in ("(", "s (")
            and text[stop : stop + 2].lstrip("s")[:1] == ")"
            and label == other
        ):
            parent[root(keys[i])] = root(keys[i + 1])
    groups: dict[tuple[str, str], list[tuple[int, int, str, float]]] = {}
    for key, mention in zip(keys, ordered, strict=True):
        groups.setdefault(root(key), []).append(mention)
    found: list[dict[str, Any]] = []
    used: set[str] = set()
    for (name, label), group in groups.items():
        forms = Counter(text[start:end] for start, end, _, _ in group)
        canonical = max(
            forms,
            key=lambda form: (
                forms[form],
                normal([w.text for w in split(form)]) == name,
                -len(form),
                form,
            ),
        )
        while canonical in used:
            canonical += f" ({label})"
        used.add(canonical)
        own = (
            max(mention[3] for mention in group) / 2
            + sum(mention[3] for mention in group) / len(group) / 2
        )
        found.append(
            {
                "canonical": canonical,
                "label": label,
                "introduced": own > OWN,
                "mentions": [[start, end] for start, end, _, _ in group],
            }
        )
    return found


def document(
    source: dict[str, Any], mentions: Sequence[tuple[int, int, str, float]]
) -> dict[str, Any]:
    """A document of predicted entities, with no edges and no results."""
    return {
        "id": source["id"],
        "entities": entities(source["text"], mentions),
        "edges": [],
        "results": [],
    }
