"""The commands of ``kg``: a module each, imported only when it is called.

A command's module has three names: ``DESCRIPTION`` (what ``kg COMMAND --help`` teaches, with an
example), ``add_arguments(parser)`` and ``run(arguments) -> int``, the exit status.
"""

from __future__ import annotations

from typing import Final

#: Each command, in the order of ``kg --help``, and what it answers in a line.
COMMANDS: Final = {
    "build": "read papers and cards, write the graph in every format",
    "extract": "write what was found in each document, a JSON line a document",
    "evaluate": "score extracted documents against annotated ones",
    "explore": "make the interactive page, or a picture, of the graph or a part of it",
    "query": "ask the graph in SPARQL, or one of the canned questions",
    "lineage": "show where a model comes from and what came of it, with the evidence",
    "stats": "count what is in a graph",
    "export": "write a graph in another format",
    "validate": "check a graph against the SHACL shapes",
    "serve": "answer SPARQL on a local port, with a query page in the browser",
    "schema": "describe the ontology, as text or as one HTML page",
    "explain": "say where a node, an alias, an edge or a merge comes from",
    "review": "go through what is worth a person's minute, and keep the decisions",
    "remove": "take documents out of a graph, and all that rested on them alone",
    "diff": "say what appeared, vanished or changed between two graphs",
    "config": "show the configuration and where each value comes from",
    "doctor": "check this installation",
    "docs": "open the documentation that ships with kg",
    "completion": "print shell completion for bash, zsh or fish",
}


def module_of(command: str) -> str:
    """Return the name of the module that runs ``command``."""
    return f"kg.commands.{command}"
