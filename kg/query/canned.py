"""The canned questions: SPARQL files with a title and parameters, in ``ontology/queries/``.

::

    # title: Where a model comes from
    # param: model entity - the model
    # param: least decimal = 0.5 - the least confidence
    SELECT ...

A parameter is a variable of the query.  Its kind says what a user may write: ``entity`` (a name
in any spelling, an id, or an IRI), ``relation``, ``text``, ``integer`` or ``decimal``.  One that
ends in ``?`` may be left out: the variable stays free.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kg import schema
from kg.errors import NotFound, UsageError
from kg.query import language
from kg.query.answers import Answer, quote
from kg.resources import ontology
from kg.text import GAP, name_key, nearest, preference
from kg.values import LABELS

_HEADER: Final = re.compile(r"#\s*(title|param):\s*(.*)")
_PARAMETER: Final = re.compile(
    r"(?P<name>\w+)\s+(?P<kind>\w+)(?P<optional>\?)?(?:\s*=\s*(?P<default>\S+))?\s+-\s+(?P<about>.+)"
)
KINDS: Final = ("entity", "relation", "text", "integer", "decimal")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable of a question that the asker sets."""

    name: str
    #: One of :data:`KINDS`.
    kind: str
    about: str
    #: Whether the question can be asked without it.
    optional: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class CannedQuestion:
    """A query worth a name."""

    name: str
    title: str
    sparql: str
    parameters: tuple[Parameter, ...] = ()


def read_question(path: Path) -> CannedQuestion:
    """Return the question in a ``.rq`` file; raise :class:`UsageError` on a malformed header."""
    return parse_question(path.read_text(encoding="utf-8"), path.stem, str(path))


def parse_question(text: str, name: str, where: str) -> CannedQuestion:
    """Return the question that ``text`` holds; ``where`` names the text in errors."""
    title = ""
    parameters: list[Parameter] = []
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is None:
            continue
        if header[1] == "title":
            title = header[2].strip()
            continue
        match = _PARAMETER.fullmatch(header[2].strip())
        if match is None or match["kind"] not in KINDS:
            raise UsageError(
                f"{where}, line {number}: a parameter is written `# param: name kind - what it "
                f"is`, and its kind is one of {', '.join(KINDS)}"
            )
        parameters.append(
            Parameter(
                match["name"],
                match["kind"],
                match["about"],
                optional=bool(match["optional"]),
                default=match["default"],
            )
        )
    return CannedQuestion(name, title or name, text, tuple(parameters))


@lru_cache(maxsize=1)
def questions() -> Mapping[str, CannedQuestion]:
    """Return the canned questions by name, in alphabetical order."""
    folder = ontology("queries")
    return MappingProxyType({p.stem: read_question(p) for p in sorted(folder.glob("*.rq"))})


def question(name: str) -> CannedQuestion:
    """Return the canned question called ``name``; raise :class:`NotFound` with the nearest."""
    if name in questions():
        return questions()[name]
    near = nearest(name, questions())
    remedy = "" if near else "; kg query --list shows them"
    raise NotFound(f"no question is called {name!r}{remedy}", nearest=near)


def is_canned(name: str, sparql: str) -> bool:
    """Whether ``sparql`` is the canned question called ``name``, and not a query of the asker's."""
    return name in questions() and questions()[name].sparql == sparql


Ask = Callable[[str], Answer]


def bind(asked: CannedQuestion, given: Mapping[str, str], ask: Ask) -> tuple[str, tuple[str, ...]]:
    """Return the query with its parameters bound, and notes on how they were read.

    ``ask`` runs a SELECT on the graph in question: names are looked up there.  Raises
    :class:`UsageError` on a parameter that is missing, unknown or malformed, and
    :class:`NotFound` on a name that nothing has.
    """
    known = {parameter.name: parameter for parameter in asked.parameters}
    variables = {t.text[1:] for t in language.tokens(asked.sparql) if t.kind == "variable"}
    values: dict[str, str] = {}
    notes: list[str] = []
    for name in given:
        if name not in known and name not in variables:
            there = ", ".join(sorted(known or variables)) or "none"
            raise UsageError(f"{asked.name} has no parameter {name!r}; there are: {there}")
    for name, text in given.items():
        parameter = known.get(name, Parameter(name, "text", ""))
        values[name] = _term(parameter, text, ask, notes)
    for parameter in asked.parameters:
        if parameter.name in values:
            continue
        if parameter.default is not None:
            values[parameter.name] = _term(parameter, parameter.default, ask, notes)
        elif not parameter.optional:
            raise UsageError(f"{asked.name} needs --param {parameter.name}=... ({parameter.about})")
    # The parameters are set: their descriptions would ask for them again.
    lines = asked.sparql.splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("# param:"))
    return language.bind(text, values), tuple(notes)


def _term(parameter: Parameter, text: str, ask: Ask, notes: list[str]) -> str:
    if parameter.kind == "entity":
        return f"<{resolve(text, ask, notes)}>"
    if parameter.kind == "relation":
        return f"<{_relation(text)}>"
    if parameter.kind in ("integer", "decimal"):
        pattern = r"[+-]?\d+" if parameter.kind == "integer" else r"[+-]?\d+(\.\d+)?"
        if not re.fullmatch(pattern, text, re.ASCII):
            raise UsageError(f"--param {parameter.name}={text}: write {parameter.kind} digits")
        return f'"{text}"^^<{schema.PREFIXES["xsd"]}{parameter.kind}>'
    return quote(text)


def _relation(text: str) -> str:
    name = text.removeprefix("mlkg:").removeprefix(schema.NAMESPACE)
    by_key = {name_key(term.name): term for term in schema.terms().values()}
    found = by_key.get(name_key(name))
    if found is None or "property" not in found.kind:
        near = nearest(name, schema.relations())
        raise NotFound(f"no relation is called {text!r}", nearest=near)
    return found.iri


_IRI: Final = re.compile(r"<?([a-z][a-z0-9+.\-]*://[^\s<>\"{}|^`\\]+)>?", re.IGNORECASE)


def resolve(text: str, ask: Ask, notes: list[str] | None = None) -> str:
    """Return the IRI of the entity that ``text`` names: a name, an id, a prefixed name or an IRI.

    Names match whatever their case, blanks and hyphens; of several things the one that
    :func:`kg.text.preference` puts first is meant.  ``notes`` gets a line where others were
    passed over.
    """
    iri = _IRI.fullmatch(text)
    if iri:
        return iri[1]
    prefix, colon, local = text.partition(":")
    if colon and prefix in schema.PREFIXES and schema.LOCAL.fullmatch(local):
        return schema.PREFIXES[prefix] + local
    kind, slash, slug = text.partition("/")
    if slash and kind in {label.lower() for label in LABELS} and re.fullmatch(r"[\w.\-]+", slug):
        # The base of the graph is not known here, but its entities' paths are.
        found = ask(
            "SELECT DISTINCT ?e WHERE { ?e rdfs:label ?n "
            f"FILTER(STRENDS(STR(?e), {quote('/' + text)})) }} LIMIT 1"
        )
        if found.rows and found.rows[0][0] is not None:
            return found.rows[0][0].value
    matches = ask(
        "SELECT DISTINCT ?e ?type ?n ?label ?count WHERE { "
        "{ ?e rdfs:label ?n } UNION { ?e skos:altLabel ?n } UNION { ?e mlkg:hubId ?n } "
        f'FILTER(REPLACE(LCASE(STR(?n)), {quote(GAP)}, "") = {quote(name_key(text))}) '
        "?e a ?type ; rdfs:label ?label . "
        f"FILTER(STRSTARTS(STR(?type), {quote(schema.NAMESPACE)})) "
        "OPTIONAL { ?e mlkg:mentionCount ?count } }"
    )
    ranked: list[tuple[tuple[object, ...], str]] = []
    for entity, kind_of, name, label, count in matches.rows:
        if entity is None or kind_of is None or name is None or label is None:
            continue
        type_name = kind_of.value.removeprefix(schema.NAMESPACE)
        if type_name in LABELS:
            rank = preference(
                text,
                name.value,
                name=label.value,
                type=type_name,
                mentions=int(count.value) if count is not None else 0,
                id=entity.value,
            )
            ranked.append((rank, entity.value))
    if not ranked:
        raise NotFound(f"no entity is called {text!r}", nearest=_nearest(text, ask))
    ranked.sort()
    chosen = ranked[0][1]
    others = sorted({iri for _, iri in ranked} - {chosen})
    if others and notes is not None:
        passed = ", ".join(map(schema.curie, others[:5]))
        notes.append(f"{text} is read as {schema.curie(chosen)}; there is also {passed}")
    return chosen


def _nearest(text: str, ask: Ask) -> list[str]:
    names = ask("SELECT DISTINCT ?n WHERE { ?e rdfs:label ?n ; a ?type } LIMIT 100000")
    return nearest(text, (row[0].value for row in names.rows if row[0] is not None))
