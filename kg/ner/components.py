"""The names as a spaCy component.

::

    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("kg_names")
    doc = nlp("We distil DeepSeek-R1 into Qwen2.5-7B.")
    [(span.text, span.label_) for span in doc.spans["kg"]]

Names are found on characters and laid on spaCy's tokens afterwards, since its tokenizer splits
names such as GSM8K.  Where a name ends inside a token, the span covers the whole token; the exact
characters are in ``doc._.kg_entities``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from spacy.language import Language
from spacy.tokens import Doc, Span

from kg.ner.recogniser import Recogniser
from kg.values import Document, LocalEntity

#: The key of ``doc.spans`` where the names go.
SPANS: Final = "kg"

if not Doc.has_extension("kg_entities"):
    Doc.set_extension("kg_entities", default=())
    Span.set_extension("kg_canonical", default="")
    Span.set_extension("kg_confidence", default=0.0)
    Span.set_extension("kg_introduced", default=False)


class Names:
    """Set ``doc.spans["kg"]``, labelled, and ``doc._.kg_entities``."""

    def __init__(self, gear: str) -> None:
        self.recogniser = Recogniser.load(gear)

    def __call__(self, doc: Doc) -> Doc:
        """Return the doc with what was found in it."""
        (entities,) = self.recogniser.entities([as_document(doc)])
        return with_names(doc, entities)

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 32) -> Iterator[Doc]:
        """Yield each doc with its names."""
        waiting = iter(stream)
        while batch := list(islice(waiting, batch_size)):
            found = self.recogniser.entities([as_document(doc) for doc in batch])
            for doc, entities in zip(batch, found, strict=True):
                yield with_names(doc, entities)


def as_document(doc: Doc) -> Document:
    """Return a spaCy doc as a plain text; its first line is taken for the title."""
    title = doc.text.partition("\n")[0] if "\n" in doc.text else ""
    return Document("doc", "text", title, doc.text)


def with_names(doc: Doc, entities: tuple[LocalEntity, ...]) -> Doc:
    """Return the doc with the entities laid on its tokens."""
    doc._.kg_entities = entities
    spans = []
    for entity in entities:
        for mention in entity.mentions:
            span = doc.char_span(
                mention.span.start,
                mention.span.end,
                label=mention.label,
                alignment_mode="expand",
            )
            if span is not None:
                span._.kg_canonical = entity.canonical
                span._.kg_confidence = mention.confidence
                span._.kg_introduced = entity.introduced
                spans.append(span)
    spans.sort(key=lambda span: (span.start_char, span.end_char))
    doc.spans[SPANS] = spans
    return doc


@Language.factory(
    "kg_names", assigns=["doc.spans", "doc._.kg_entities"], default_config={"gear": "fast"}
)
def make_names(nlp: Language, name: str, gear: str) -> Names:
    """Return the component ``kg_names``."""
    return Names(gear)
