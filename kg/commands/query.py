"""``kg query``: ask the graph in SPARQL, or one of the canned questions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kg.commands.output import add_json, at_least, console, note_part, print_json, seconds
from kg.errors import ReadError, UsageError

if TYPE_CHECKING:
    from kg.query import Answer, CannedQuestion, Job

DESCRIPTION: Final = """\
Ask the graph in SPARQL, or one of the canned questions.

  kg query out 'SELECT ?name WHERE { ?m a mlkg:Model ; rdfs:label ?name } LIMIT 5'
  kg query out ancestors --param model=DeepSeek-R1-Distill-Qwen-32B
  kg query --list                          the canned questions and their parameters
  kg query out --file question.rq --format csv > answer.csv
  kg query --endpoint https://example.org/sparql bases

Prefixes are preset (kg query --prefixes). All named graphs are asked at once: graph/statements
holds what is believed, graph/provenance why. DIR may also be any RDF file.
"""

_ROWS: Final = ("table", "csv", "tsv", "json", "jsonl", "md", "html")
_TRIPLES: Final = ("turtle", "nt", "jsonld", "rdfxml")
#: A table longer than this is for no reader's eyes.
_TABLE_ROWS: Final = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg query``."""
    parser.add_argument("where", nargs="?", metavar="DIR", help="a graph's folder, or any RDF file")
    parser.add_argument(
        "query", nargs="?", metavar="QUERY", help="SPARQL, a canned question's name, or - for stdin"
    )
    parser.add_argument("-f", "--file", metavar="FILE", help="read the query from a file")
    parser.add_argument("--list", action="store_true", help="list the canned questions")
    parser.add_argument("--show", metavar="NAME", help="print the SPARQL of a canned question")
    parser.add_argument("--prefixes", action="store_true", help="print the preset prefixes")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a variable of the query to a value; names of things are found in any spelling",
    )
    parser.add_argument(
        "--format",
        choices=(*_ROWS, *_TRIPLES),
        help="table (default), csv, tsv, json (SPARQL results), jsonl, md, html; "
        "for CONSTRUCT and DESCRIBE turtle (default), nt, jsonld, rdfxml",
    )
    parser.add_argument(
        "--limit",
        type=at_least(0),
        metavar="N",
        help="at most N rows; 0 for all (a table stops at 1000)",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="stop the query after this time and exit with 5 (default 30; 0 for no limit)",
    )
    parser.add_argument(
        "--graph", action="append", default=[], metavar="IRI", help="ask this named graph only"
    )
    parser.add_argument("--endpoint", metavar="URL", help="ask a SPARQL endpoint instead of DIR")
    parser.add_argument(
        "--allow-service",
        action="append",
        default=[],
        metavar="URL",
        help="let SERVICE call this endpoint (refused otherwise)",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer the query; return the exit status."""
    if arguments.prefixes:
        return _show_prefixes(as_json=arguments.json)
    if arguments.list:
        return _list(as_json=arguments.json)
    if arguments.show is not None:
        return _show(arguments.show, as_json=arguments.json)
    if arguments.endpoint and arguments.query is None:
        arguments.where, arguments.query = None, arguments.where
    elif arguments.endpoint and arguments.where is not None:
        raise UsageError("give either DIR or --endpoint URL, not both")
    if not arguments.endpoint and arguments.where is None:
        raise UsageError("which graph? kg query DIR QUERY; kg query --list shows what can be asked")
    answer = _answered(arguments, _job(arguments))
    for note in answer.notes:
        print(f"kg: {note}", file=sys.stderr)
    _print(answer, arguments)
    for hint in _hints(answer, arguments):
        print(f"kg: {hint}", file=sys.stderr)
    return 0


def _job(arguments: argparse.Namespace) -> Job:
    """Return what is asked, from the call."""
    from kg.query import Job, question, questions

    name = "this query"
    if arguments.file is not None:
        if arguments.query is not None:
            raise UsageError("give either QUERY or --file, not both")
        try:
            text = Path(arguments.file).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ReadError(f"{arguments.file}: is not UTF-8; save it as UTF-8") from error
        name = arguments.file
    elif arguments.query is None:
        raise UsageError("which query? kg query --list shows the canned questions")
    elif arguments.query == "-":
        text = sys.stdin.read()
    elif not arguments.query.strip():
        raise UsageError("the query is empty; kg query --list shows the canned questions")
    elif arguments.query in questions() or not {"{", " ", "\n"} & set(arguments.query):
        name = arguments.query
        text = question(name).sparql
    else:
        text = arguments.query
    parameters: dict[str, str] = {}
    for item in arguments.param:
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--param {item}: write NAME=VALUE")
        parameters[key.lstrip("?$")] = value
    limit = arguments.limit
    if limit is None:
        limit = 0 if arguments.json or arguments.format not in (None, "table") else _TABLE_ROWS
    return Job(
        text,
        name,
        parameters,
        default_graphs=tuple(arguments.graph),
        named_graphs=tuple(arguments.graph) or None,
        limit=limit,
        services=tuple(arguments.allow_service),
    )


def _answered(arguments: argparse.Namespace, job: Job) -> Answer:
    timeout = arguments.timeout or None
    if arguments.endpoint:
        from kg.query import remote

        return remote.ask(arguments.endpoint, job, timeout=timeout)
    from kg.query import ask, language
    from kg.query.sources import opening

    # Refused before anything is loaded; the child checks again, parameters included.
    language.check_allowed(job.query, services=job.services)
    with opening(Path(arguments.where)) as source:
        note_part(Path(arguments.where), Path(source.path))
        return ask(source, job, timeout=timeout)


def _print(answer: Answer, arguments: argparse.Namespace) -> None:
    from kg.query import answers

    if arguments.json:
        warnings = ["there is more; raise --limit"] if answer.cut else []
        data: object = {"columns": answer.columns, "rows": answers.python_rows(answer)}
        if answer.kind == "boolean":
            data = {"boolean": answer.boolean}
        print_json(data, warnings)
        return
    name = arguments.format or ("turtle" if answer.kind == "triples" else "table")
    if name == "table" and answer.kind == "rows":
        from kg.query.table import table

        screen = console()
        screen.print(table(answer, screen.width))
        return
    if name == "table" and answer.kind == "boolean":
        name = "csv"
    # CSV has line ends of its own.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(newline="")
    for part in answers.write(answer, name):
        sys.stdout.write(part)


def _hints(answer: Answer, arguments: argparse.Namespace) -> list[str]:
    """Return what to say beside an answer that is empty or cut."""
    if answer.cut:
        return [f"stopped at {len(answer.rows)} rows; --limit 0 gives all"]
    if answer.kind == "boolean" or answer.rows:
        return []
    from kg.query import questions
    from kg.query.hints import TOGETHER, unmatched

    hints = unmatched(answer)
    if arguments.graph:
        hints.append("only the graphs given by --graph were asked")
    if arguments.endpoint:
        return hints or ["no rows"]
    if arguments.query in questions():
        given = ", ".join(item.partition("=")[2] for item in arguments.param)
        return hints or [f"no rows: the graph states none{f' for {given}' if given else ''}"]
    return hints or [TOGETHER]


def _list(*, as_json: bool) -> int:
    from rich.text import Text

    from kg.query import questions

    if as_json:
        print_json([_described(question) for question in questions().values()])
        return 0
    screen = console()
    for question in questions().values():
        line = Text(question.name, "bold")
        line.append(f"  {question.title}", "")
        screen.print(line)
        for parameter in question.parameters:
            need = f" (default {parameter.default})" if parameter.default else ""
            need = " (may be left out)" if parameter.optional else need
            screen.print(
                Text(f"    --param {parameter.name}=...  {parameter.about}{need}", "dim"),
                soft_wrap=True,
            )
    return 0


def _described(question: CannedQuestion) -> dict[str, object]:
    return {
        "name": question.name,
        "title": question.title,
        "parameters": [
            {
                "name": p.name,
                "kind": p.kind,
                "about": p.about,
                "optional": p.optional,
                "default": p.default,
            }
            for p in question.parameters
        ],
        "sparql": question.sparql,
    }


def _show(name: str, *, as_json: bool) -> int:
    from kg.query import question

    found = question(name)
    if as_json:
        print_json(_described(found))
    else:
        sys.stdout.write(found.sparql)
    return 0


def _show_prefixes(*, as_json: bool) -> int:
    from kg import schema

    if as_json:
        print_json(dict(schema.PREFIXES))
    else:
        for name, namespace in schema.PREFIXES.items():
            sys.stdout.write(f"PREFIX {name}: <{namespace}>\n")
    return 0
