"""An example of what a package can add to kg: two functions and two entry points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kg.errors import UsageError
from kg.exporters import BASE
from kg.readers.documents import paper
from kg.readers.source import Source
from kg.values import Document, GraphView

_ENTRY = re.compile(r"@\w+\{(?P<id>[^,\s]+),(?P<fields>.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"(?P<name>\w+)\s*=\s*[{\"](?P<value>.*?)[}\"]\s*(?:,|\Z)", re.DOTALL)


def read_bibtex(source: Source) -> Iterator[Document]:
    """Yield a paper for each BibTeX entry with a title and an abstract."""
    for entry in _ENTRY.finditer(source.text()):
        fields = {m["name"].casefold(): m["value"] for m in _FIELD.finditer(entry["fields"])}
        if "title" not in fields or "abstract" not in fields:
            source.skip(f"entry {entry['id']}", "it has no title or no abstract")
            continue
        yield paper(fields["title"], fields["abstract"], given_id=entry["id"])


def accepts(head: str, name: str) -> bool:
    """Whether an input is BibTeX, by its beginning or its name."""
    return name.endswith(".bib") or head.lstrip().startswith("@article{")


read_bibtex.accepts = accepts  # type: ignore[attr-defined]


def write_names(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write the name of every entity, a line each."""
    if list(also):
        raise UsageError("--also adds triples, and names are none")
    path.write_text("".join(f"{entity.name}\n" for entity in graph.entities), encoding="utf-8")
