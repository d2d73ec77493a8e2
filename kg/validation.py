"""Check a graph against SHACL shapes, at the speed of the SPARQL engine.

Each constraint of ``ontology/shapes.ttl`` becomes a SPARQL query that finds what violates it.
The part of SHACL that is known here is the part those shapes use; a shape with anything else is
refused rather than half checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import pyoxigraph as ox

from kg import schema
from kg.errors import NoInput, ReadError, UsageError
from kg.resources import ontology

_SH: Final = schema.PREFIXES["sh"]
#: A property of our shapes: see :attr:`Constraint.needs`.
_NEEDS: Final = "https://w3id.org/mlkg/shapes#needs"
_RDF: Final = schema.PREFIXES["rdf"]
_RDFS: Final = schema.PREFIXES["rdfs"]
_Node: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple

#: What describes a shape or a constraint without constraining anything.
_DESCRIPTIVE: Final = frozenset(
    {"path", "message", "severity", "name", "description", "targetClass", "targetSubjectsOf"}
    | {"targetObjectsOf", "property", "sparql", "prefixes", "select", "order", "group"}
)


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One thing that a shape forbids."""

    #: The shape's label, ``S6 offsets select the sentence``.
    shape: str
    #: ``violation`` or ``warning``.
    severity: str
    message: str
    #: The IRI of what is wrong.
    focus: str
    #: The value that is wrong, where there is one.
    value: str = ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A query whose every row is a violation."""

    shape: str
    severity: str
    message: str
    #: Selects ``?this`` and, where a value is at fault, ``?value``.
    query: str
    #: A class; where nothing is of it, the shape cannot be checked.
    needs: str = ""


# --- reading shapes ----------------------------------------------------------------------------


class _Shapes:
    """The shapes graph, asked by local names of SHACL."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = ox.Store()
        try:
            self.store.load(path=str(path), format=ox.RdfFormat.TURTLE)
        except FileNotFoundError as error:
            raise NoInput(f"there is no file {path}; check the path") from error
        except (SyntaxError, OSError) as error:
            raise ReadError(f"{path}: {error}") from error

    def objects(self, subject: _Node, iri: str) -> list[_Node]:
        """Return the objects of a property, sorted."""
        if not isinstance(subject, (ox.NamedNode, ox.BlankNode)):
            return []
        quads = self.store.quads_for_pattern(subject, ox.NamedNode(iri), None)
        return sorted((quad.object for quad in quads), key=str)

    def text(self, subject: _Node, iri: str, otherwise: str = "") -> str:
        """Return the first literal or IRI of a property as text."""
        for term in self.objects(subject, iri):
            if isinstance(term, (ox.Literal, ox.NamedNode)):
                return term.value
        return otherwise

    def members(self, head: _Node) -> list[_Node]:
        """Return the members of an RDF list."""
        found: list[_Node] = []
        while isinstance(head, ox.BlankNode):
            found += self.objects(head, _RDF + "first")
            rest = self.objects(head, _RDF + "rest")
            head = rest[0] if rest else ox.NamedNode(_RDF + "nil")
        return found

    def parts(self, subject: _Node) -> list[str]:
        """Return the local names of the SHACL properties that ``subject`` has, sorted."""
        if not isinstance(subject, (ox.NamedNode, ox.BlankNode)):
            return []
        names = {q.predicate.value for q in self.store.quads_for_pattern(subject, None, None)}
        return sorted(name.removeprefix(_SH) for name in names if name.startswith(_SH))


def _target(shapes: _Shapes, shape: _Node) -> str:
    """Return the graph pattern that binds ``?this`` to what the shape is about."""
    patterns = {
        "targetClass": "{{ ?this a {0} }}",
        "targetSubjectsOf": "{{ ?this {0} ?_any }}",
        "targetObjectsOf": "{{ ?_any {0} ?this }}",
    }
    found = [
        pattern.format(term)
        for name, pattern in patterns.items()
        for term in shapes.objects(shape, _SH + name)
    ]
    if not found:
        raise UsageError(f"{shapes.path}: the shape {shape} has no target that kg validate knows")
    return f"{{ SELECT DISTINCT ?this WHERE {{ {' UNION '.join(found)} }} }}"


def _value_test(expression: str) -> Callable[[_Shapes, _Node], str]:
    """Return a test that a value passes where ``expression`` is true; an error is no pass."""

    def test(_: _Shapes, argument: _Node) -> str:
        return f"FILTER(!COALESCE({expression.format(argument)}, false))"

    return test


def _node_kind(shapes: _Shapes, argument: _Node) -> str:
    kinds = {"IRI": "isIRI(?value)", "Literal": "isLITERAL(?value)", "BlankNode": "isBLANK(?value)"}
    name = argument.value.removeprefix(_SH) if isinstance(argument, ox.NamedNode) else ""
    if name not in kinds:
        raise UsageError(f"{shapes.path}: kg validate does not know sh:nodeKind {argument}")
    return f"FILTER(!{kinds[name]})"


def _is_in(shapes: _Shapes, argument: _Node) -> str:
    return f"FILTER(?value NOT IN ({', '.join(map(str, shapes.members(argument)))}))"


def _is_any(shapes: _Shapes, argument: _Node) -> str:
    """Return the test of ``sh:or`` over ``sh:class``."""
    classes: list[_Node] = []
    for member in shapes.members(argument):
        if shapes.parts(member) != ["class"]:
            raise UsageError(f"{shapes.path}: kg validate knows sh:or only of sh:class")
        classes += shapes.objects(member, _SH + "class")
    options = " UNION ".join(f"{{ ?value a {term} }}" for term in classes)
    return f"FILTER NOT EXISTS {{ {options} }}"


#: The tests of single values: which filter keeps those that fail.
_VALUE_TESTS: Final[Mapping[str, Callable[[_Shapes, _Node], str]]] = MappingProxyType(
    {
        "nodeKind": _node_kind,
        "datatype": _value_test("DATATYPE(?value) = {0}"),
        "class": lambda _, argument: f"FILTER NOT EXISTS {{ ?value a {argument} }}",
        "in": _is_in,
        "pattern": _value_test("REGEX(STR(?value), {0})"),
        "minInclusive": _value_test("?value >= {0}"),
        "maxInclusive": _value_test("?value <= {0}"),
        "minLength": _value_test("STRLEN(STR(?value)) >= {0}"),
        "or": _is_any,
    }
)


def _integer(term: _Node) -> int:
    return int(term.value) if isinstance(term, ox.Literal) else 0


def _property_queries(shapes: _Shapes, constraint: _Node, target: str) -> Iterator[str]:
    paths = shapes.objects(constraint, _SH + "path")
    if len(paths) != 1 or not isinstance(paths[0], ox.NamedNode):
        raise UsageError(f"{shapes.path}: kg validate knows only sh:path with one property")
    path = paths[0]
    for name in shapes.parts(constraint):
        for argument in shapes.objects(constraint, _SH + name):
            if name in _DESCRIPTIVE:
                continue
            if name in ("minCount", "maxCount"):
                sign = "<" if name == "minCount" else ">"
                yield (
                    f"SELECT ?this WHERE {{ {target} OPTIONAL {{ ?this {path} ?_value }} }} "
                    f"GROUP BY ?this HAVING (COUNT(DISTINCT ?_value) {sign} {_integer(argument)})"
                )
            elif name == "lessThan":
                yield (
                    f"SELECT DISTINCT ?this ?value WHERE {{ {target} ?this {path} ?value ; "
                    f"{argument} ?_other FILTER(!COALESCE(?value < ?_other, false)) }}"
                )
            elif name in _VALUE_TESTS:
                test = _VALUE_TESTS[name](shapes, argument)
                value = f"{target} ?this {path} ?value {test}"
                yield f"SELECT DISTINCT ?this ?value WHERE {{ {value} }}"
            else:
                raise UsageError(f"{shapes.path}: kg validate does not know sh:{name}")


def _sparql_query(shapes: _Shapes, constraint: _Node, target: str) -> str:
    """Return a SHACL-SPARQL query, joined with the shape's target at its outermost level."""
    select = shapes.text(constraint, _SH + "select").replace("$this", "?this")
    head, brace, rest = select.partition("{")
    return f"{head}{brace} {target} {rest}"


def constraints(path: Path | None = None) -> list[Constraint]:
    """Return the constraints of a shapes file, ours unless told otherwise, in its order of names.

    Raises :class:`UsageError` on a kind of constraint that is not known here.
    """
    shapes = _Shapes(path or ontology("shapes.ttl"))
    kind = ox.NamedNode(_SH + "NodeShape")
    nodes = {q.subject for q in shapes.store.quads_for_pattern(None, None, kind)}
    found: list[Constraint] = []
    for shape in sorted(nodes, key=str):
        label = shapes.text(shape, _RDFS + "label", str(shape))
        target = _target(shapes, shape)
        for name in shapes.parts(shape):
            if name in _VALUE_TESTS:
                for argument in shapes.objects(shape, _SH + name):
                    test = _VALUE_TESTS[name](shapes, argument)
                    query = f"SELECT ?this ?value WHERE {{ {target} BIND(?this AS ?value) {test} }}"
                    found.append(_constraint(shapes, shape, label, query))
            elif name not in _DESCRIPTIVE:
                raise UsageError(f"{shapes.path}: kg validate does not know sh:{name}")
        for part in shapes.objects(shape, _SH + "property"):
            for query in _property_queries(shapes, part, target):
                found.append(_constraint(shapes, part, label, query))
        for part in shapes.objects(shape, _SH + "sparql"):
            query = _sparql_query(shapes, part, target)
            needs = shapes.text(shape, _NEEDS)
            found.append(replace(_constraint(shapes, part, label, query), needs=needs))
    return sorted(found, key=lambda c: (c.shape, c.message, c.query))


def _constraint(shapes: _Shapes, part: _Node, label: str, query: str) -> Constraint:
    severity = shapes.text(part, _SH + "severity", _SH + "Violation").removeprefix(_SH)
    message = shapes.text(part, _SH + "message", label)
    return Constraint(label, severity.lower(), message, query)


# --- checking ----------------------------------------------------------------------------------


def unchecked(store: ox.Store, shapes: Path | None = None) -> list[str]:
    """Return the labels of the shapes that need what ``store`` does not hold."""
    return sorted({c.shape for c in constraints(shapes) if not _checkable(store, c)})


def _checkable(store: ox.Store, constraint: Constraint) -> bool:
    if not constraint.needs:
        return True
    kind = ox.NamedNode(constraint.needs)
    return next(store.quads_for_pattern(None, ox.NamedNode(_RDF + "type"), kind), None) is not None


def validate(store: ox.Store, shapes: Path | None = None) -> list[Violation]:
    """Return what in ``store`` violates the shapes, sorted; the union of its graphs is checked.

    What :func:`unchecked` returns is left out.
    """
    found: set[Violation] = set()
    for constraint in constraints(shapes):
        if not _checkable(store, constraint):
            continue
        try:
            rows = store.query(
                constraint.query, prefixes=dict(schema.PREFIXES), use_default_graph_as_union=True
            )
        except SyntaxError as error:
            raise UsageError(f"the shape {constraint.shape!r} does not parse: {error}") from error
        if not isinstance(rows, ox.QuerySolutions):
            raise UsageError(f"the shape {constraint.shape!r} is no SELECT")
        has_value = "value" in {variable.value for variable in rows.variables}
        for row in rows:
            value = row["value"] if has_value else None
            found.add(
                Violation(
                    constraint.shape,
                    constraint.severity,
                    constraint.message,
                    _text(row["this"]),
                    "" if value is None else _text(value),
                )
            )
    return sorted(found)


def _text(term: _Node | None) -> str:
    return term.value if isinstance(term, (ox.NamedNode, ox.BlankNode, ox.Literal)) else str(term)
