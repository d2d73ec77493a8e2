"""The lexicon is a set of sorted tables; what is counted says how sure a name is."""

from pathlib import Path

import pytest

from kg.errors import UsageError
from kg.ner.lexicon import Entry, build, load, read
from kg.ner.spelling import key, singular
from kg.resources import ontology
from kg.values import LABELS


def entry(text: str, label: str = "Method", scope: str = "label", share: float = 0.9) -> Entry:
    return Entry(text, text, label, scope, share, 3)


@pytest.mark.parametrize("table", ["core", "curated", "mined"])
def test_the_shipped_tables_are_sorted_and_well_formed(table: str) -> None:
    """A diff of a table is a review: one order, no blank names, known labels."""
    entries = list(read(ontology(f"lexicon/{table}.tsv")))
    order = [(e.label, e.text.casefold(), e.text) for e in entries]
    assert order == sorted(order)
    assert all(e.text.strip() == e.text != "" and e.label in LABELS for e in entries)


def test_well_known_names_have_their_labels() -> None:
    """The lexicon knows the field's names, whatever their case, blanks and hyphens."""
    known = load()
    found = {
        name: getattr(known.get(name), "label", None)
        for name in ("gsm8k", "Imagenet 1k", "knowledge-distillation", "GRPO", "perplexity")
    }
    assert found == {
        "gsm8k": "Benchmark",
        "Imagenet 1k": "Dataset",
        "knowledge-distillation": "Method",
        "GRPO": "Method",
        "perplexity": "Metric",
    }


def test_the_longest_name_wins_and_a_plural_s_stays_outside() -> None:
    """``vision transformers`` is ``vision transformer``, not ``transformer``."""
    lexicon = build([], [entry("transformer"), entry("vision transformer")])
    text = "All vision transformers and one Transformer."
    assert [text[m.start : m.end] for m in lexicon.matches(text)] == [
        "vision transformer",
        "Transformer",
    ]


def test_an_ambiguous_name_matches_as_it_is_written_alone() -> None:
    """``DROP`` is a resource, ``drop`` a verb."""
    lexicon = build([], [entry("DROP", "Dataset", "ambiguous")])
    text = "We drop layers and test DROP."
    assert [m.start for m in lexicon.matches(text)] == [text.index("DROP")]


def test_a_name_inside_a_word_does_not_match() -> None:
    """Names match at the bounds of words."""
    assert build([], [entry("art")]).matches("state-of-the-artful start") == []


def test_a_malformed_row_names_its_line(tmp_path: Path) -> None:
    """The error says which table, which line and what would be right."""
    table = tmp_path / "core.tsv"
    table.write_text("text\tname\ttype\tscope\nFoo\tFoo\tThing\tlabel\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"core\.tsv, line 2: type must be one of Model"):
        list(read(table))


def test_spellings_share_a_key() -> None:
    """Blanks and hyphens do not matter; a plural is its singular."""
    assert key("F1-score") == key("f1 Score") == "f1score"
    assert [singular(w) for w in ("networks", "loss", "studies", "GAN")] == [
        "network",
        "loss",
        "study",
        "GAN",
    ]
