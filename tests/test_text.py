"""Keys, slugs and sentences."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.text import counted, name_key, nearest, printed, sentences, slug


def quoted(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A title\nOne. Two.", ["A title", "One.", "Two."]),
        ("We train Qwen2.5-7B. It wins.", ["We train Qwen2.5-7B.", "It wins."]),
        ("Models, e.g. BERT, win.", ["Models, e.g. BERT, win."]),
        ("Smith et al. Show it. Next.", ["Smith et al. Show it.", "Next."]),
        ('He said "done." Then left.', ['He said "done."', "Then left."]),
        ("Scores rise to 80.3. GLUE agrees.", ["Scores rise to 80.3.", "GLUE agrees."]),
        ("What? Nothing!", ["What?", "Nothing!"]),
        ("   ", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert quoted(text) == expected


@given(st.text(alphabet="ab A.?!\n e.g()", max_size=60))
def test_sentences_hold_every_character_but_outer_white_space(text: str) -> None:
    spans = sentences(text)
    covered = {i for span in spans for i in range(span.start, span.end)}
    assert all(text[i].isspace() for i in set(range(len(text))) - covered)
    assert all(a.end <= b.start for a, b in pairwise(spans))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Qwen 2.5", "qwen2.5"), ("GPT-4", "GPT 4"), ("AIME_24", "aime24"), ("Q\u200bwen", "Qwen")],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("C", "C#"), ("Qwen2.5", "Qwen25")])
def test_different_names_have_different_keys_and_slugs(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)
    assert slug(one) != slug(other)


@given(st.text(max_size=300))
def test_a_slug_is_always_a_safe_path_segment(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", slug(name))
    assert len(slug(name)) <= 80
    assert not slug(name).startswith(".")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"$\textbf{D}$irection-Guid$\textbf{e}$d", "Direction-Guided"),
        (r"Fe}ature engineering by \textbf{R}eason", "Feature engineering by Reason"),
        ("AntDataset}$", "AntDataset"),
        (r"Ant-$\Sigma$", "Ant-Σ"),
        (r"$\mu^2$Ant", "μ^2Ant"),
        (r"$\lambda$-\unknown{Ant}", "λ-Ant"),
        ('M\\"obius', "Möbius"),
        (r"Ant \& Bee", "Ant & Bee"),
        ("Ant~4.5", "Ant 4.5"),
        ("Ant$^{+}$", "Ant+"),
        ("**Ant** 7B", "Ant 7B"),
        ("Ant [large-v2", "Ant large-v2"),
        ("[`Ant`](https://ant.org/x", "Ant"),
        ('Ant</th> <th class="x">7B', "Ant 7B"),
        ("$-Ant", "Ant"),
        ("A*", "A*"),
        ("C++", "C++"),
        ("Ant (small)", "Ant (small)"),
        ("ANT_7_0 - BR", "ANT_7_0 - BR"),
        ("$", "$"),
        ("a\\", "a"),
    ],
)
def test_names_are_shown_without_the_marks_of_their_source(source: str, shown: str) -> None:
    assert printed(source) == shown


@given(st.text(max_size=40))
def test_what_is_shown_of_a_name_is_shown_so_again(name: str) -> None:
    """Nothing that is left of a name is a mark, and something of it is always left."""
    shown = printed(name)
    assert bool(shown) == bool(name.split())
    assert printed(shown) in (shown, shown.strip("^-–— "))


def test_one_is_singular() -> None:
    said = [counted(n, noun) for n in (0, 1, 2_000) for noun in ("edge", "entity")]
    assert said == ["0 edges", "0 entities", "1 edge", "1 entity", "2,000 edges", "2,000 entities"]


NAMES = ["SuperGLUE", "Claude", "GEE", "SigLU", "glue", "GLUE-X", "BLUE", "LLaMA-2", "Ollama-2"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("GLUE", ["glue", "GLUE-X", "SuperGLUE", "BLUE"]),
        ("lama2", ["LLaMA-2", "Ollama-2"]),
        ("Sig-LUE", ["SigLU", "glue"]),
        ("LLaMA-2-chat", ["LLaMA-2"]),
        ("Cluade", ["Claude"]),
        ("super", ["SuperGLUE"]),
        ("R1", []),
        ("", []),
    ],
)
def test_the_nearest_names_have_the_same_letters_or_part_or_few_others(
    written: str, meant: list[str]
) -> None:
    assert nearest(written, NAMES) == meant


def test_names_a_letter_off_stand_beside_the_many_that_hold_the_word() -> None:
    longer = [f"Llam-{number}x" for number in range(9)]
    assert nearest("Llam", [*longer, "Llbm"], 4) == [
        "Llam-0x",
        "Llam-1x",
        "Llam-2x",
        "Llbm",
    ]
