"""Which documents are one, and what each is called: decided by content, never by order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

import msgspec

from kg.values import Document, Evidence, Reading

_encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def digest(document: Document) -> bytes:
    """Return a hash of everything that is known of ``document``."""
    return hashlib.sha256(_encode_sorted(document)).digest()


def distinct(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Yield ``readings``, sorted by id and digest, without repetition, each under its own id.

    The first document of an id keeps it; the id of another ends in a part of its digest.
    """
    for id_, group in groupby(readings, key=lambda reading: reading.document.id):
        last = b""
        for reading in group:
            own = digest(reading.document)
            if own != last:
                yield renamed(reading, f"{id_}~{own.hex()[:16]}") if last else reading
            last = own


def renamed(reading: Reading, id_: str) -> Reading:
    """Return ``reading`` as that of a document called ``id_``."""

    def moved(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        return tuple(replace(item, document=id_) for item in evidence)

    return replace(
        reading,
        document=replace(reading.document, id=id_),
        edges=tuple(replace(edge, evidence=moved(edge.evidence)) for edge in reading.edges),
        results=tuple(replace(r, evidence=moved(r.evidence)) for r in reading.results),
    )
