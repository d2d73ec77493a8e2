"""Write an annotated text the way a person would: ``[[BERT|Model]] beats [[GPT-2|Model|tail]].``"""

from __future__ import annotations

import re

from kg.values import Document, LocalEntity, Mention, Span

MARK = re.compile(
    r"\[\[(?P<text>[^\]|]+)\|(?P<label>[A-Z][a-z]+)(?P<own>!?)(?:\|(?P<role>\w+))?\]\]"
)


def marked(source: str, kind: str = "text") -> tuple[Document, list[LocalEntity], dict[str, str]]:
    """Return the plain text, its entities (one for each spelling), and the role of each name."""
    text, cursor = "", 0
    spans: dict[str, list[Mention]] = {}
    own: dict[str, bool] = {}
    roles: dict[str, str] = {}
    for match in MARK.finditer(source):
        text += source[cursor : match.start()]
        name = match["text"]
        span = Span(len(text), len(text) + len(name))
        spans.setdefault(name, []).append(Mention(span, match["label"], 1.0, "gold"))
        own[name] = own.get(name, False) or bool(match["own"])
        if match["role"]:
            roles[name] = match["role"]
        text += name
        cursor = match.end()
    text += source[cursor:]
    entities = [
        LocalEntity(name, mentions[0].label, own[name], tuple(mentions))
        for name, mentions in spans.items()
    ]
    return Document("doc", kind, "", text), entities, roles
