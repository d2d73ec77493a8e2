"""Terms of RDF: IRIs and literals that are well-formed whatever the input says.

IRIs of assertions, evidence and scores are hashes of their content, so that the same statement
has the same name in every run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import pyoxigraph as ox

from kg import schema
from kg.errors import UsageError
from kg.exporters import BASE
from kg.text import xml_characters
from kg.values import Evidence, GraphView, Result

MLKG: Final = schema.NAMESPACE
PREFIXES: Final = schema.PREFIXES
_UNRESERVED: Final = "-._~"
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.\-]*(?:/[A-Za-z0-9][\w.\-]*)?", re.ASCII)
_DECIMAL: Final = re.compile(r"([+-]?)0*(\d+)(?:\.(\d*?)0*)?", re.ASCII)


class Iri(str):
    """An absolute, well-formed IRI."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal: its characters, and the local name of its XML Schema datatype."""

    value: str
    datatype: str = "string"


Term = Iri | Literal


def text_literal(text: str) -> Literal:
    """Return ``text`` as a plain literal that every RDF syntax can carry."""
    return Literal(xml_characters(text))


def decimal_literal(number: float) -> Literal:
    """Return ``number`` as an ``xsd:decimal`` of at most six places."""
    return Literal(canonical_decimal(f"{number:.6f}") or "0.0", "decimal")


def canonical_decimal(numeral: str) -> str:
    """Return a decimal numeral with one digit or more on either side of the point, else ``""``."""
    match = _DECIMAL.fullmatch(numeral.strip())
    if not match:
        return ""
    sign, whole, fraction = match.groups()
    digits = f"{whole}.{fraction or '0'}"
    return f"-{digits}" if sign == "-" and digits.strip("0.") else digits


def integer_literal(number: int) -> Literal:
    """Return ``number`` as an ``xsd:integer``."""
    return Literal(str(number), "integer")


TRUE: Final = Literal("true", "boolean")


@lru_cache(maxsize=4096)
def term(name: str) -> Iri:
    """Return the IRI of the term of our ontology called ``name``."""
    return Iri(MLKG + encoded(name))


def encoded(part: str, safe: str = "") -> str:
    """Return ``part`` percent-encoded as one segment of an IRI; ``safe`` stays as it is."""
    quoted = quote(part, safe=_UNRESERVED + safe, errors="surrogatepass")
    # A segment of dots alone would be resolved away by whoever follows the IRI.
    return quoted.replace(".", "%2E") if quoted.strip(".") == "" else quoted


def content_hash(*parts: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of ``parts``."""
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:16]


def entity_iri(identifier: str, base: str = BASE) -> Iri:
    """Return the IRI of the entity with that id."""
    return Iri(base + "/".join(encoded(part) for part in identifier.split("/")))


def document_iri(identifier: str, base: str = BASE) -> Iri:
    """Return the IRI of the document with that id."""
    return Iri(f"{base}doc/{encoded(identifier, ':')}")


def assertion_iri(subject: str, relation: str, object: str, base: str = BASE) -> Iri:
    """Return the IRI of the assertion of that statement, which is a hash of it."""
    return Iri(f"{base}assertion/{content_hash(subject, relation, object)}")


def result_iri(result: Result, base: str = BASE) -> Iri:
    """Return the IRI of a score, which is a hash of its content."""
    key = content_hash(result.subject, result.on or "", result.metric or "", result.value)
    return Iri(f"{base}result/{key}")


def evidence_iri(of: str, evidence: Evidence, base: str = BASE) -> Iri:
    """Return the IRI of one reading of the statement ``of``, which is a hash of its content.

    How sure the reading is does not count: calibrated anew, it is the same reading.
    """
    # Texts and numbers alone: how Python prints a value is no part of what an IRI promises.
    places = [
        place
        for span in (evidence.span, evidence.subject, evidence.object)
        for place in ((str(span.start), str(span.end)) if span else ("", ""))
    ]
    key = content_hash(
        of,
        evidence.document,
        evidence.field,
        evidence.sentence,
        evidence.kind,
        evidence.extractor,
        evidence.rule,
        "denied" if evidence.negated else "",
        *places,
        *evidence.premises,
    )
    return Iri(f"{base}evidence/{key}")


def run_iri(graph: GraphView, base: str) -> Iri:
    """Return the IRI of the build that made ``graph``."""
    return Iri(f"{base}run/{encoded(str(graph.manifest.get('run', 'unnamed')))}")


def extractor_iri(name: str, base: str) -> Iri:
    """Return the IRI of what read the evidence."""
    return Iri(f"{base}extractor/{encoded(name)}")


def hub_iri(repository: str, kind: str) -> Iri | None:
    """Return the page of a Hub repository, or ``None`` where ``repository`` is no such name."""
    plain = repository.removeprefix("datasets/")
    if not _REPOSITORY.fullmatch(plain):
        return None
    folder = "datasets/" if kind in ("Dataset", "Benchmark") else ""
    return Iri(f"{PREFIXES['hf']}{folder}{plain}")


def well_formed(iri: str) -> bool:
    """Whether ``iri`` is an absolute IRI by RFC 3987."""
    try:
        ox.NamedNode(iri)
    except ValueError:
        return False
    return True


def checked_base(base: str) -> str:
    """Return ``base`` ready to be prolonged; raise :class:`UsageError` where it is no IRI."""
    closed = base if base.endswith(("/", "#")) else base + "/"
    if not well_formed(closed):
        raise UsageError(f"--base-iri {base!r} is no absolute IRI; give one like {BASE}")
    return closed


def without_triples(base: str, also: Iterable[str]) -> str:
    """Return ``base`` for a format that holds no triples; raise :class:`UsageError` on ``also``."""
    if list(also):
        raise UsageError("--also adds triples, and this format holds none; --to turtle does")
    return checked_base(base)


RDF_TYPE: Final = Iri(PREFIXES["rdf"] + "type")
RDFS_LABEL: Final = Iri(PREFIXES["rdfs"] + "label")
ALT_LABEL: Final = Iri(PREFIXES["skos"] + "altLabel")
SAME_AS: Final = Iri(PREFIXES["owl"] + "sameAs")
CLOSE_MATCH: Final = Iri(PREFIXES["skos"] + "closeMatch")
TITLE: Final = Iri(PREFIXES["dcterms"] + "title")
IDENTIFIER: Final = Iri(PREFIXES["dcterms"] + "identifier")
DATE: Final = Iri(PREFIXES["dcterms"] + "date")
PAGE: Final = Iri(PREFIXES["foaf"] + "page")
IS_STRING: Final = Iri(PREFIXES["nif"] + "isString")
SUBJECT: Final = Iri(PREFIXES["rdf"] + "subject")
PREDICATE: Final = Iri(PREFIXES["rdf"] + "predicate")
OBJECT: Final = Iri(PREFIXES["rdf"] + "object")
GENERATED: Final = Iri(PREFIXES["prov"] + "wasGeneratedBy")
