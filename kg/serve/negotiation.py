"""Which media type an asker gets, by the ``Accept`` header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: What results are written as, the server's favourite first.
ROWS: Final = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
)
TRIPLES: Final = (
    "text/turtle",
    "application/n-triples",
    "application/ld+json",
    "application/rdf+xml",
)
#: Names that clients use for one of ours.
_ALIASES: Final = {
    "application/json": "application/sparql-results+json",
    "application/xml": "application/sparql-results+xml",
    "text/xml": "application/sparql-results+xml",
    "text/plain": "application/n-triples",
    "application/x-turtle": "text/turtle",
}


def ranges(accept: str) -> list[tuple[str, float]]:
    """Return the media ranges of an ``Accept`` header with their quality; malformed ones are 0."""
    found = []
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    quality = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    quality = 0.0
        if name:
            found.append((name.lower(), quality))
    return found


def _quality(media_type: str, accepted: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that fits ``media_type``."""
    major = media_type.partition("/")[0]
    for fitting in (media_type, f"{major}/*", "*/*"):
        for name, quality in accepted:
            if name == fitting:
                return quality
    for name, quality in accepted:
        if _ALIASES.get(name) == media_type:
            return quality
    return 0.0


def chosen(accept: str | None, offered: Sequence[str]) -> list[str]:
    """Return those of ``offered`` that the asker takes, best first, the server's order at ties."""
    if not accept or not accept.strip():
        return list(offered)
    accepted = ranges(accept)
    exact = {name for name, _ in accepted} | {_ALIASES.get(name, "") for name, _ in accepted}
    scored = [
        # A type that the asker names goes before one that only a wildcard admits.
        (-_quality(name, accepted), name not in exact, index, name)
        for index, name in enumerate(offered)
    ]
    return [name for score, _, _, name in sorted(scored) if score < 0]
