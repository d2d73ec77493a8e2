"""SPARQL text as tokens: enough to bind parameters, refuse what is not allowed, and order columns.

The grammar itself is the engine's.  Here a query is cut into tokens as SPARQL 1.1 cuts it, so
that a word inside a string, an IRI or a comment is never taken for a keyword.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kg.errors import UsageError
from kg.text import nearest

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>\#[^\r\n]*)
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
  | (?P<string>'{3}(?:(?:'|'')?(?:[^'\\]|\\.))*'{3} | "{3}(?:(?:"|"")?(?:[^"\\]|\\.))*"{3}
      | '(?:[^'\\\r\n]|\\.)*' | "(?:[^"\\\r\n]|\\.)*")
  | (?P<variable>[?$]\w+)
  | (?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<name>(?:[^\W\d_][\w.\-]*)?:(?:[\w:]|%[0-9A-Fa-f]{2}|\\.)?(?:[\w.:\-]|%[0-9A-Fa-f]{2}|\\.)*
      | _:[\w.\-]+)
  | (?P<word>[A-Za-z][A-Za-z0-9_]*)
  | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_UPDATES: Final = frozenset(
    {"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"}
)
_FORMS: Final = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
#: Every bare word of SPARQL and of its updates; nothing else may stand bare in a query.
_KEYWORDS: Final = """
    A ABS ADD ADJUST ALL AS ASC ASK AVG BASE BIND BNODE BOUND BY CEIL CLEAR COALESCE CONCAT
    CONSTRUCT CONTAINS COPY COUNT CREATE DATA DATATYPE DAY DEFAULT DELETE DESC DESCRIBE DISTINCT
    DROP ENCODE_FOR_URI EXISTS FALSE FILTER FLOOR FROM GRAPH GROUP GROUP_CONCAT HAVING HOURS IF IN
    INSERT INTO IRI ISBLANK ISIRI ISLITERAL ISNUMERIC ISTRIPLE ISURI LANG LANGMATCHES LATERAL LCASE
    LIMIT LOAD MAX MD5 MIN MINUS MINUTES MONTH MOVE NAMED NOT NOW OBJECT OFFSET OPTIONAL ORDER
    PREDICATE PREFIX RAND REDUCED REGEX REPLACE ROUND SAMETERM SAMPLE SECONDS SELECT SEPARATOR
    SERVICE SHA1 SHA256 SHA384 SHA512 SILENT STR STRAFTER STRBEFORE STRDT STRENDS STRLANG STRLEN
    STRSTARTS STRUUID SUBJECT SUBSTR SUM TIMEZONE TO TRIPLE TRUE TZ UCASE UNDEF UNION URI USING UUID
    VALUES WHERE WITH YEAR
    """


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: what it is, and its characters."""

    #: ``space``, ``comment``, ``iri``, ``string``, ``variable``, ``tag``, ``name`` (with prefix),
    #: ``word``, ``number`` or ``other``.
    kind: str
    text: str


def tokens(query: str) -> Iterator[Token]:
    """Yield the tokens of ``query``; joined, their texts are ``query``."""
    for match in _TOKEN.finditer(query):
        yield Token(str(match.lastgroup), match.group())


def decoded(query: str) -> str:
    r"""Return ``query`` with ``\u0053`` and the like decoded, which SPARQL does before parsing."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2], 16)
        return chr(code) if code < 0x110000 else match.group()

    return _ESCAPED.sub(character, query)


def words(query: str) -> list[str]:
    """Return the bare words of ``query`` in upper case, in order: keywords, functions, ``A``."""
    return [token.text.upper() for token in tokens(query) if token.kind == "word"]


def misspelt(query: str) -> tuple[str, str, int] | None:
    """Return the first bare word that SPARQL has not, the nearest that it has, and its offset."""
    keywords = _KEYWORDS.split()
    at = 0
    for token in tokens(query):
        if token.kind == "word" and token.text.upper() not in keywords:
            near = nearest(token.text.upper(), keywords, 1)
            return token.text, near[0] if near else "", at
        at += len(token.text)
    return None


def undeclared(query: str, prefixes: Collection[str]) -> tuple[str, int] | None:
    """Return the first prefix that is neither in ``prefixes`` nor declared, and its offset."""
    known = set(prefixes)
    at = 0
    before = ""
    for token in tokens(query):
        if token.kind == "name" and not token.text.startswith("_:"):
            prefix = token.text.partition(":")[0]
            if before == "PREFIX":
                known.add(prefix)
            elif prefix not in known:
                return prefix, at
        if token.kind not in ("space", "comment"):
            before = token.text.upper()
        at += len(token.text)
    return None


def whole_texts(query: str) -> list[tuple[str, str]]:
    """Return the strings that a query matches whole, each with its language, in order.

    Those in brackets are left out, since functions look for parts, unless ``=`` stands beside
    them; and so are those with a datatype.
    """
    significant = [t for t in tokens(query) if t.kind not in ("space", "comment")]
    found: dict[tuple[str, str], None] = {}
    depth = 0
    for index, token in enumerate(significant):
        depth += (token.text == "(") - (token.text == ")")
        if token.kind != "string":
            continue
        around = [t.text.upper() for t in significant[max(index - 2, 0) : index]]
        following = significant[index + 1] if index + 1 < len(significant) else Token("space", "")
        compared = around[-1:] == ["="] or following.text == "="
        if following.text == "^" or (depth and not compared) or "SEPARATOR" in around:
            continue
        found[_characters(token.text), following.text[1:] if following.kind == "tag" else ""] = None
    return list(found)


def _characters(string: str) -> str:
    quotes = 3 if string[:3] in ('"""', "'''") and len(string) > 5 else 1
    escapes = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}
    return re.sub(
        r"\\(.)",
        lambda match: escapes.get(match[1], match[1]),
        decoded(string[quotes:-quotes]),
        flags=re.DOTALL,
    )


def form(query: str) -> str:
    """Return ``SELECT``, ``ASK``, ``CONSTRUCT``, ``DESCRIBE``, ``UPDATE`` or ``""``."""
    for word in words(query):
        if word in _FORMS:
            return word
        if word in _UPDATES:
            return "UPDATE"
    return ""


def check_allowed(query: str, *, services: Collection[str] = ()) -> None:
    """Raise :class:`UsageError` where ``query`` would change the graph or call another server.

    ``services`` are the endpoints that a ``SERVICE`` may name, in full.
    """
    plain = decoded(query)
    if form(plain) == "UPDATE":
        raise UsageError(
            "this is an update; kg query only reads. To change the graph, correct it "
            "(kg review, overrides.yaml) and build again"
        )
    significant = [t for t in tokens(plain) if t.kind not in ("space", "comment")]
    for index, token in enumerate(significant):
        following = significant[index + 1 : index + 3]
        if token.kind == "word" and "SERVICE" in token.text.upper():
            # Engines do not ask for a blank after a keyword: `trueSERVICE<...>` calls as well.
            silent = bool(following) and following[0].text.upper() == "SILENT"
            target = (
                following[-1] if silent and following[1:] else following[0] if following else token
            )
            named = target.kind == "iri" and target.text[1:-1] in services
            if not (named and token.text.upper() == "SERVICE"):
                raise _refused(target)
        elif token.kind == "name" and "SERVICE" in token.text.upper().partition(":")[0]:
            # `SERVICE:x { ... }` is a call to `:x`, unless it is the name of a graph.
            of_graph = index > 0 and significant[index - 1].text.upper() == "GRAPH"
            if following and following[0].text == "{" and not of_graph:
                raise _refused(token)


def _refused(target: Token) -> UsageError:
    return UsageError(
        f"SERVICE {target.text} is refused: a query may call another server only when it is "
        "allowed by name, with --allow-service URL"
    )


def has_dataset(query: str) -> bool:
    """Whether the query itself says which graphs it asks, with ``FROM``."""
    return "FROM" in words(query)


def bind(query: str, values: Mapping[str, str]) -> str:
    """Return ``query`` with variables replaced by terms, given as SPARQL writes them.

    Only whole variable tokens are replaced, so a value cannot become syntax.  A variable that is
    selected stays a column: ``SELECT ?x`` becomes ``SELECT (<term> AS ?x)``.  One that rows are
    grouped or ordered by is put in brackets, which the grammar wants there.
    """
    parts: list[str] = []
    selecting, ordering, depth = False, False, 0
    for token in tokens(query):
        word = token.text.upper() if token.kind == "word" else ""
        if word == "SELECT":
            selecting, ordering, depth = True, False, 0
        elif word == "BY":
            selecting, ordering, depth = False, True, 0
        elif word in ("WHERE", "FROM", "HAVING", "LIMIT", "OFFSET") or token.text in "{}":
            selecting = ordering = False
        elif token.text in "()" and token.kind == "other":
            depth += 1 if token.text == "(" else -1
        name = token.text[1:] if token.kind == "variable" else ""
        if name not in values:
            parts.append(token.text)
        elif selecting and depth == 0:
            parts.append(f"({values[name]} AS ?{name})")
        elif ordering and depth == 0:
            parts.append(f"({values[name]})")
        else:
            parts.append(values[name])
    return "".join(parts)


def columns(query: str, found: Collection[str]) -> list[str]:
    """Return the variables ``found`` in the order in which the query names them.

    An engine keeps the order of ``SELECT ?b ?a``, but is free in that of ``SELECT *``.
    """
    significant = [t for t in tokens(query) if t.kind not in ("space", "comment")]
    for index, token in enumerate(significant):
        if token.kind == "word" and token.text.upper() == "SELECT":
            rest = significant[index + 1 : index + 3]
            if rest and rest[0].text.upper() in ("DISTINCT", "REDUCED"):
                rest = rest[1:]
            if not rest or rest[0].text != "*":
                return list(found)
            break
    named = dict.fromkeys(t.text[1:] for t in significant if t.kind == "variable")
    return [name for name in named if name in found] + [name for name in found if name not in named]
