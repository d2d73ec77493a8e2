"""The learned tagger: its files, its offsets, and that no text changes what is said of another."""

import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from kg.errors import UsageError
from kg.ner import deciding, files, kinds, learned
from kg.ner.features import Gazetteer, normal
from kg.ner.learned import Reading, Tagger
from kg.ner.tags import TAGS, WordSpan, allowed, best_tags, decode, encode
from kg.ner.words import SHAPES, WordPieces, shape, split

TEXTS = [
    "TinyFox: Small Models from Large Ones\nWe present TinyFox, a student of BERT-large "
    "distilled with knowledge distillation. "
    "TinyFox scores 81.2 accuracy on SQuAD and beats DistilBERT on GLUE.",
    "Quantising Qwen2.5-7B\nWe quantise Qwen2.5-7B to 4 bits with GPTQ and test it on GSM8K.",
    "",
    "A short title\n",
]


@pytest.fixture(scope="module", params=["fast", "accurate"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    return Tagger.load(request.param)


def marked(tagger: Tagger, text: str) -> set[tuple[str, str]]:
    """What the best tags of a text mark, with its labels."""
    (reading,) = tagger.read([text])
    words = reading.words
    spans = decode(best_tags([reading.log_probabilities])[0])
    return {(text[words[s.first].start : words[s.last].end], s.label) for s in spans}


def same(one: Reading, other: Reading) -> bool:
    """Whether two readings hold the same words and the same numbers."""
    return one.words == other.words and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("log_probabilities", "plural", "introduced")
    )


def test_a_reading_holds_probabilities_for_each_word(tagger: Tagger) -> None:
    for text, reading in zip(TEXTS, tagger.read(TEXTS), strict=True):
        assert reading.words == tuple(split(text))
        assert reading.log_probabilities.shape == (len(reading.words), len(TAGS))
        assert np.allclose(np.exp(reading.log_probabilities).sum(axis=1), 1, atol=1e-4)
        for chances in (reading.plural, reading.introduced):
            assert chances.shape == (len(reading.words),)
            assert ((chances >= 0) & (chances <= 1)).all()


def test_plain_names_are_marked(tagger: Tagger) -> None:
    expected = {("Qwen2.5-7B", "Model"), ("GPTQ", "Method"), ("GSM8K", "Benchmark")}
    assert expected <= marked(tagger, TEXTS[1])


def test_what_is_said_of_a_text_does_not_depend_on_the_others(tagger: Tagger) -> None:
    together = tagger.read(TEXTS)
    assert all(map(same, together, [tagger.read([text])[0] for text in TEXTS]))
    assert all(map(same, together[::-1], tagger.read(TEXTS[::-1])))


def test_a_text_without_words_is_read_as_empty(tagger: Tagger) -> None:
    assert [reading.words for reading in tagger.read(["", " \n "])] == [(), ()]
    assert tagger.read([]) == []


def test_a_very_long_text_is_read_to_its_end(tagger: Tagger) -> None:
    """Text past the encoder's window is read in further windows, not cut off."""
    filler = "The weather was mild and the road was long and nothing else happened there. " * 120
    text = TEXTS[0] + " " + filler + "We quantise Qwen2.5-7B with GPTQ and test it on GSM8K."
    assert {("Qwen2.5-7B", "Model"), ("GSM8K", "Benchmark")} <= marked(tagger, text)


def test_signs_outside_the_alphabet_do_not_shift_offsets(tagger: Tagger) -> None:
    text = "𝔘nicode 🦊 names\nWe évaluer Qwen2.5-7B 🦊 on GSM8K."
    assert "Qwen2.5-7B" in {name for name, _ in marked(tagger, text)}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the weights, from which all is read anew."""
    kept = (files.manifest, deciding.fitted, kinds.fitted)
    monkeypatch.setattr(files, "WEIGHTS", shutil.copytree(files.WEIGHTS, tmp_path / "weights"))
    for function in kept:
        function.cache_clear()
    yield files.WEIGHTS
    for function in kept:
        function.cache_clear()


@pytest.mark.parametrize(
    ("name", "load"),
    [
        *((name, partial(Tagger.load, "fast")) for name in ("fast3.onnx", "knowledge.json.gz")),
        ("pieces.npy", partial(Tagger.load, "accurate")),
        ("decisions.json", deciding.fitted),
        ("kinds.json", kinds.fitted),
        ("mentions.onnx.gz", partial(deciding.chances, np.zeros((1, 1), np.float32))),
    ],
)
def test_a_file_of_weights_that_was_changed_is_never_read(
    copied: Path, name: str, load: Callable[[], object]
) -> None:
    path = copied / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UsageError, match=rf"{name} is damaged .*; reinstall mlkg"):
        load()
    path.unlink()
    with pytest.raises(UsageError, match=rf"{name} is missing; reinstall mlkg"):
        load()


def test_weights_without_a_manifest_are_not_read(copied: Path) -> None:
    (copied / "manifest.json").unlink()
    with pytest.raises(UsageError, match=r"manifest\.json is missing; reinstall mlkg"):
        Tagger.load("fast")


def test_every_weight_file_is_in_the_manifest_with_its_hash() -> None:
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files.WEIGHTS.iterdir()
        if path.name != "manifest.json"
    }
    assert files.manifest()["files"] == hashes
    assert len(set(hashes.values())) == len(hashes), "one file is shipped twice"
    assert {name for name in hashes if name.endswith(".onnx")} == {
        name for networks in files.manifest()["gears"].values() for name in networks
    }
    assert sum(path.stat().st_size for path in files.WEIGHTS.iterdir()) <= 30_000_000


def test_an_unknown_gear_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match="accurate, fast"):
        Tagger.load("turbo")  # type: ignore[arg-type]


def test_windows_overlap_and_cover_every_word() -> None:
    ranges = learned.windows([3] * 700)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == 700
    assert all(3 * (last - first) <= learned.MOST_PIECES for first, last in ranges)
    assert all(b[0] < a[1] for a, b in itertools.pairwise(ranges))


def test_a_word_is_read_in_the_window_in_which_it_is_farthest_from_a_cut() -> None:
    ranges = [(0, 6), (3, 8), (4, 11)]
    parts = [
        (first, tuple(np.full(last - first, number, np.float32) for _ in range(3)))
        for number, (first, last) in enumerate(ranges)
    ]
    for column in learned._merged(11, parts):
        assert column.tolist() == [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2]


def test_words_are_runs_of_letters_and_digits_and_single_signs() -> None:
    text = "Qwen2.5-7B's (ViTs)"
    assert [word.text for word in split(text)] == [
        "Qwen2",
        ".",
        "5",
        "-",
        "7B",
        "'",
        "s",
        "(",
        "ViTs",
        ")",
    ]
    assert all(text[word.start : word.end] == word.text for word in split(text))
    assert [SHAPES[shape(word)] for word in ("LLMs", "bert", "Qwen2", "GPT", "(", "7")] == [
        "plural acronym", "lower", "title with digits", "upper", "(", "number",
    ]  # fmt: skip


def test_word_pieces_are_the_longest_from_the_left() -> None:
    pieces = WordPieces({"[UNK]": 0, "dist": 1, "##il": 2, "##ill": 3, "e": 4, "##bert": 5})
    assert pieces("Distillbert") == (1, 3, 5)
    assert pieces("É") == (4,)
    assert pieces("zzz") == (0,)


def test_tags_are_read_back_as_the_spans_they_were_made_of() -> None:
    spans = [
        WordSpan(0, 0, "Model"),
        WordSpan(1, 3, "Task"),
        WordSpan(4, 5, "Task"),
        WordSpan(7, 7, "Metric"),
    ]
    assert decode(encode(9, spans)) == spans


def test_the_best_tags_are_always_a_legal_sequence() -> None:
    scores = np.random.default_rng(0).normal(size=(40, len(TAGS))).astype(np.float32)
    (tags,) = best_tags([scores])
    assert encode(40, decode(tags)) == tags
    assert best_tags([scores[:5], scores])[1] == tags


def test_no_legal_sequence_is_likelier_than_the_best_tags() -> None:
    table = np.where(np.array(allowed()), 0.0, -np.inf)
    starts = np.array([0.0 if tag[0] in "OBS" else -np.inf for tag in TAGS])
    ends = np.array([0.0 if tag[0] in "OES" else -np.inf for tag in TAGS])
    for seed in range(20):
        scores = np.random.default_rng(seed).normal(size=(3, len(TAGS))).astype(np.float32)
        first, middle, last = scores[0] + starts, scores[1], scores[2] + ends
        ways = first[:, None, None] + table[:, :, None] + middle[:, None] + table[None] + last
        assert best_tags([scores]) == [
            [int(tag) for tag in np.unravel_index(ways.argmax(), ways.shape)]
        ]


def test_the_longest_phrase_of_a_gazetteer_wins_whatever_its_hyphens() -> None:
    gazetteer = Gazetteer(
        {normal(["knowledge"]): (0.1,), normal(["knowledge", "distillation"]): (1.0,)}, 1
    )
    words = ["Knowledge", "-", "distillation", "of", "knowledge"]
    assert gazetteer.matches(words) == [(0, 3, (1.0,)), (4, 5, (0.1,))]
