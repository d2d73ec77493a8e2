"""Names and edges as one spaCy component.

::

    nlp = spacy.blank("en")
    nlp.add_pipe("kg")
    doc = nlp("AlphaLM-7B is fine-tuned from Qwen2.5-7B.")
    doc.spans["kg"], doc._.kg_edges, doc._.kg_results
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc

from kg.ner.components import Names, as_document
from kg.pipeline.reading import relate

if not Doc.has_extension("kg_edges"):
    Doc.set_extension("kg_edges", default=())
    Doc.set_extension("kg_results", default=())


class NamesAndEdges:
    """Set what ``kg_names`` sets, and ``doc._.kg_edges`` and ``doc._.kg_results``."""

    def __init__(self, gear: str) -> None:
        self.names = Names(gear)

    def __call__(self, doc: Doc) -> Doc:
        """Return the doc with what was found in it."""
        return _related(self.names(doc))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 32) -> Iterator[Doc]:
        """Yield each doc with its names and edges."""
        for doc in self.names.pipe(stream, batch_size=batch_size):
            yield _related(doc)


def _related(doc: Doc) -> Doc:
    reading = relate(as_document(doc), doc._.kg_entities)
    doc._.kg_edges, doc._.kg_results = reading.edges, reading.results
    return doc


@Language.factory(
    "kg",
    assigns=["doc.spans", "doc._.kg_entities", "doc._.kg_edges", "doc._.kg_results"],
    default_config={"gear": "fast"},
)
def make_names_and_edges(nlp: Language, name: str, gear: str) -> NamesAndEdges:
    """Return the component ``kg``."""
    return NamesAndEdges(gear)
