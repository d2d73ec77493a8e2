"""Ask any SPARQL 1.1 endpoint, with the same prefixes, questions and parameters."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from kg import __version__, schema
from kg.errors import KGError, TimedOut, UsageError
from kg.query import canned, language
from kg.query.answers import Answer, Value
from kg.query.worker import Job, values

#: Many public endpoints refuse clients that do not say who they are.
USER_AGENT: Final = f"mlkg/{__version__} (https://w3id.org/mlkg; kg query)"
_RESULTS: Final = "application/sparql-results+json"
_TRIPLES: Final = "application/n-triples, text/turtle;q=0.9"
#: Seconds that a server may ask us to wait when it is busy, and how often we come back.
_PATIENCE: Final = 10.0
_ATTEMPTS: Final = 3


def ask(endpoint: str, job: Job, *, timeout: float | None = 30.0) -> Answer:
    """Return the answer of the endpoint at that address.

    Raises :class:`kg.errors.KGError` with the server's own words where it refuses.
    """
    if urllib.parse.urlsplit(endpoint).scheme not in ("http", "https"):
        raise UsageError(f"--endpoint {endpoint}: give an http or https address")
    asked = canned.parse_question(job.query, job.name, job.name)
    query = job.query
    notes: tuple[str, ...] = ()
    if asked.parameters or job.parameters:
        query, notes = canned.bind(
            asked, job.parameters, lambda text: _asked(endpoint, text, job, timeout)
        )
    language.check_allowed(query, services=job.services)
    answer = _asked(endpoint, query, job, timeout)
    rows = answer.rows[: job.limit] if job.limit else answer.rows
    return Answer(
        answer.kind,
        answer.columns,
        rows,
        answer.boolean,
        cut=len(rows) < len(answer.rows),
        notes=notes,
    )


def with_prefixes(query: str, prefixes: Mapping[str, str]) -> str:
    """Return ``query`` with those of ``prefixes`` declared that it uses and does not declare."""
    significant = [t for t in language.tokens(query) if t.kind not in ("space", "comment")]
    declared = {
        after.text.partition(":")[0]
        for before, after in pairwise(significant)
        if before.text.upper() == "PREFIX"
    }
    used = {t.text.partition(":")[0] for t in significant if t.kind == "name"}
    wanted = sorted((used - declared) & set(prefixes))
    return "".join(f"PREFIX {name}: <{prefixes[name]}>\n" for name in wanted) + query


def _asked(endpoint: str, query: str, job: Job, timeout: float | None) -> Answer:
    triples = language.form(query) in ("CONSTRUCT", "DESCRIBE")
    form = [("query", with_prefixes(query, job.prefixes))]
    form += [("default-graph-uri", iri) for iri in job.default_graphs]
    form += [("named-graph-uri", iri) for iri in job.named_graphs or ()]
    request = urllib.request.Request(  # noqa: S310 - http or https, checked above
        endpoint,
        data=urllib.parse.urlencode(form).encode(),
        headers={
            "Accept": _TRIPLES if triples else _RESULTS,
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": USER_AGENT,
        },
    )
    kind, body = _fetched(request, timeout)
    if triples:
        return _triples(endpoint, kind, body)
    try:
        return _rows(json.loads(body), query)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KGError(
            f"{endpoint}: answered {kind or 'something'} that is no SPARQL result: {_excerpt(body)}"
        ) from error


def _fetched(request: urllib.request.Request, timeout: float | None) -> tuple[str, bytes]:
    for attempt in range(_ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
                return response.headers.get_content_type(), response.read()
        except urllib.error.HTTPError as error:
            body = error.read()
            wait = error.headers.get("Retry-After", "")
            polite = error.code == 429 and wait.isdigit() and float(wait) <= _PATIENCE
            if polite and attempt + 1 < _ATTEMPTS:
                time.sleep(float(wait))
                continue
            raise KGError(
                f"{request.full_url}: {error.code} {error.reason}: {_excerpt(body)}"
            ) from error
        except TimeoutError as error:
            raise TimedOut(
                f"{request.full_url}: timed out after {timeout:g} s, without a result"
            ) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise TimedOut(
                    f"{request.full_url}: timed out after {timeout:g} s, without a result"
                ) from error
            raise KGError(f"{request.full_url}: {error.reason}; is the server running?") from error
    raise KGError(f"{request.full_url}: is too busy to answer; try later")


def _excerpt(body: bytes, most: int = 400) -> str:
    text = body.decode("utf-8", "replace")
    if "<html" in text[:500].lower():
        text = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", text)
    plain = " ".join(text.split())
    return plain[:most] + ("…" if len(plain) > most else "") or "(empty)"


def _rows(data: Any, query: str) -> Answer:
    if "boolean" in data:
        return Answer("boolean", boolean=bool(data["boolean"]))
    if "results" not in data:
        raise ValueError("no results")
    names = language.columns(query, data["head"]["vars"])
    rows = []
    for binding in data["results"]["bindings"]:
        rows.append(tuple(_value(binding[n]) if n in binding else None for n in names))
    if "ASK" in language.words(query)[:1] and len(rows) == 1:
        # Virtuoso answers ASK with a row that holds 1 or 0 in some of its formats.
        (value,) = rows[0]
        return Answer("boolean", boolean=value is not None and value.value in ("1", "true"))
    return Answer("rows", tuple(names), tuple(rows))


def _value(term: Mapping[str, Any]) -> Value:
    if term["type"] in ("literal", "typed-literal"):
        datatype = term.get("datatype", "")
        plain = schema.PREFIXES["xsd"] + "string"
        datatype = "" if datatype == plain else datatype
        return Value("literal", term["value"], datatype, term.get("xml:lang", ""))
    if term["type"] == "triple":
        return Value("triple", json.dumps(term["value"]))
    return Value(term["type"], term["value"])


def _triples(endpoint: str, kind: str, body: bytes) -> Answer:
    import pyoxigraph as ox

    format_ = ox.RdfFormat.from_media_type(kind) or ox.RdfFormat.TURTLE
    try:
        quads = list(ox.parse(body, format=format_))
    except SyntaxError as error:
        raise KGError(
            f"{endpoint}: answered {kind} that does not parse ({error}): {_excerpt(body)}"
        ) from error
    rows = tuple(values((quad.subject, quad.predicate, quad.object)) for quad in quads)
    return Answer("triples", ("subject", "predicate", "object"), rows)
