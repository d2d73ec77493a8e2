"""``kg review``: decide what the graph is unsure of."""

from __future__ import annotations

import argparse
import csv
import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kg.commands.output import add_json, at_least, console, print_json
from kg.errors import ReadError, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from kg.review import ReviewQuestion
    from kg.values import Evidence

DESCRIPTION: Final = """\
Go through what is worth a person's minute: weak edges, conflicts, names that may be one thing.
Decisions go to overrides.yaml and hold at every later build.

  kg review out                          one question after another, one key an answer
  kg review out --relation derivedFrom   only descent of any kind; --kind merge: only names
  kg review out --csv queue.csv          the queue as a table, to decide in a spreadsheet
  kg review out --apply queue.csv        read the table's column 'decision': accept, reject, unsure
  kg review out --sssom merges.sssom.tsv the merges as an SSSOM mapping table
  kg build papers.jsonl -o out --overrides overrides.yaml
"""

_KEYS: Final = {
    "a": "accept",
    "y": "accept",
    "m": "accept",
    "r": "reject",
    "n": "reject",
    "u": "unsure",
    "s": "next",
    " ": "next",
    "b": "undo",
    "q": "quit",
    "\x1b": "quit",
    "\x03": "quit",
    "\x04": "quit",
}
#: How the two names look, in the question and in its sentences.
_STYLES: Final = ("bold cyan", "bold magenta")
_HELP: Final = (
    "[b]a[/]ccept  [b]r[/]eject  [b]u[/]nsure  [b]s[/]kip  [b]b[/]ack  [b]q[/]uit and save"
)
_HELP_MERGE: Final = (
    "[b]m[/]erge  [b]r[/]: keep apart  [b]u[/]nsure  [b]s[/]kip  [b]b[/]ack  [b]q[/]uit and save"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kg review``."""
    parser.add_argument("folder", metavar="DIR", help="the folder that kg build wrote")
    parser.add_argument(
        "--overrides", metavar="FILE", default="overrides.yaml", help="where decisions go"
    )
    parser.add_argument("--author", default="", help="who decides, recorded with each rule")
    parser.add_argument(
        "--limit", type=at_least(0), default=0, metavar="N", help="at most N questions"
    )
    parser.add_argument(
        "--relation",
        action="append",
        metavar="R",
        help="ask about edges of this relation and those under it only; may be repeated, or a,b",
    )
    parser.add_argument("--kind", choices=("edge", "merge"), help="ask about edges, or names, only")
    parser.add_argument("--csv", metavar="FILE", help="write the queue as a table; - is stdout")
    parser.add_argument("--apply", metavar="FILE", help="read decisions from such a table")
    parser.add_argument("--sssom", metavar="FILE", help="write the merges as SSSOM; - is stdout")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask, or read and write tables; return the exit status."""
    from kg import overrides, review
    from kg.store import StoredGraph

    graph = StoredGraph(arguments.folder)
    if arguments.sssom:
        _write(arguments.sssom, "\n".join(review.sssom(graph)) + "\n")
        return 0
    path = Path(arguments.overrides)
    known = overrides.load(path) if path.exists() else overrides.Overrides()
    questions = review.queue(graph, known)
    # A table that is read back may come from a longer queue.
    if not arguments.apply:
        questions = _chosen(questions, arguments)
    today = datetime.date.today().isoformat()
    if arguments.json and not (arguments.csv or arguments.apply):
        print_json([_row(question) for question in questions])
        return 0
    if arguments.csv:
        if arguments.csv == "-":
            review.write_csv(questions, sys.stdout)
        else:
            with open(arguments.csv, "w", encoding="utf-8", newline="") as lines:
                count = review.write_csv(questions, lines)
            _say(f"{count} questions in {arguments.csv}; fill the column 'decision', then --apply")
        return 0
    if arguments.apply:
        try:
            # Spreadsheets begin UTF-8 with a mark, which is no part of the first column's name.
            with open(arguments.apply, encoding="utf-8-sig", newline="") as lines:
                rules = review.read_csv(lines, questions, author=arguments.author, date=today)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ReadError(
                f"{arguments.apply}: is no table in UTF-8 ({error}); save it as CSV in UTF-8"
            ) from error
    elif not questions:
        _say("nothing to review")
        return 0
    elif not sys.stdin.isatty():
        raise UsageError("questions are asked in a terminal; use --csv FILE or --json elsewhere")
    else:
        rules = review.interview(questions, _asker(), author=arguments.author, date=today)
    written = overrides.append(path, rules) if rules else 0
    if arguments.json:
        print_json({"written": written, "overrides": str(path)})
    _say(f"{written} decisions written to {path}; kg build --overrides {path} applies them")
    return 0


def _chosen(questions: list[ReviewQuestion], arguments: argparse.Namespace) -> list[ReviewQuestion]:
    """Return the questions that the options ask for."""
    from kg.lineage.tree import checked_relations

    if arguments.relation:
        names = (name for given in arguments.relation for name in given.split(",") if name)
        relations = checked_relations(names) or frozenset()
        questions = [question for question in questions if question.relation in relations]
    if arguments.kind:
        questions = [question for question in questions if question.kind == arguments.kind]
    return questions[: arguments.limit or None]


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _write(where: str, content: str) -> None:
    if where == "-":
        sys.stdout.write(content)
    else:
        Path(where).write_text(content, encoding="utf-8")


def _row(question: ReviewQuestion) -> dict[str, object]:
    evidence = question.evidence
    return {
        **{key: getattr(question, key) for key in ("id", "kind", "subject", "relation", "object")},
        "score": question.score,
        "why": question.why,
        "sentence": evidence.sentence if evidence else None,
        "document": evidence.document if evidence else None,
        "examples": [
            {"name": name, "document": document, "sentence": sentence}
            for name, document, sentence in question.examples
        ],
    }


class _asker:
    """Show a question in the terminal and read one key."""

    def __init__(self) -> None:
        self.screen: Console = console()

    def __call__(self, question: ReviewQuestion, index: int, total: int) -> str:
        import readchar
        from rich.panel import Panel

        self.screen.print()
        title = f"{index + 1} of {total}: {question.why}, {question.score:.2f}"
        self.screen.print(Panel(_body(question), title=title, title_align="left", padding=(1, 2)))
        self.screen.print(_HELP if question.kind == "edge" else _HELP_MERGE, markup=True)
        while True:
            answer = _KEYS.get(readchar.readkey().lower())
            if answer:
                self.screen.print(answer, style="dim")
                return answer


def _body(question: ReviewQuestion) -> Text:
    from rich.text import Text

    body = Text()
    body.append(question.subject, _STYLES[0])
    body.append(f"  {question.relation or 'the same thing as'}  ", "bold")
    body.append(question.object, _STYLES[1])
    if question.evidence:
        body.append("\n\n")
        body.append_text(_marked(question.evidence))
        place = f"\n{question.evidence.document} · {question.evidence.field}"
        body.append(f"{place} · {question.evidence.extractor}", "dim")
    for (name, document, sentence), style in zip(question.examples, _STYLES, strict=False):
        shown = Text(f"\n\n{sentence or name}")
        shown.highlight_words([name], style, case_sensitive=False)
        body.append_text(shown)
        if document:
            body.append(f"\n{document}", "dim")
    return body


def _marked(evidence: Evidence) -> Text:
    """Return the sentence with the two names marked."""
    from rich.text import Text

    sentence = Text(evidence.sentence)
    for span, style in zip((evidence.subject, evidence.object), _STYLES, strict=True):
        if span is not None:
            start = span.start - evidence.span.start
            sentence.stylize(style, max(start, 0), max(span.end - evidence.span.start, 0))
    return sentence
