"""What measures the tagger alone and packs weights, outside of the package."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from training import pack
from training.alone import everywhere, one_label

from kg.ner import files
from kg.ner.tags import TAGS, WordSpan, best_tags, decode
from kg.ner.words import split


def certain(tags: list[str]) -> np.ndarray:
    scores = np.full((len(tags), len(TAGS)), -8.0, dtype=np.float32)
    for i, tag in enumerate(tags):
        scores[i, TAGS.index(tag)] = -0.01
    return scores


def test_a_name_gets_one_label_in_a_document() -> None:
    words = split("BERT and BERT and BERT")
    scores = certain(["S-Model", "O", "S-Model", "O", "S-Method"])
    spans = decode(best_tags([scores])[0])
    assert {span.label for span in one_label(words, scores, spans)} == {"Model"}


def test_a_marked_name_is_marked_everywhere_unless_the_tagger_is_sure() -> None:
    words = split("BERT and BERT and BERT")
    scores = certain(["S-Model", "O", "O", "O", "O"])
    scores[2, TAGS.index("S-Model")] = -3
    scores[4, TAGS.index("S-Model")] = -40
    spans = everywhere(words, scores, [WordSpan(0, 0, "Model")])
    assert spans == [WordSpan(0, 0, "Model"), WordSpan(2, 2, "Model")]


def test_the_manifest_that_is_shipped_is_the_one_that_training_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks that no gear names are removed; the gears stay but for those given anew."""
    shipped = (files.WEIGHTS / "manifest.json").read_text(encoding="utf-8")
    monkeypatch.setattr(files, "WEIGHTS", shutil.copytree(files.WEIGHTS, tmp_path / "weights"))
    (files.WEIGHTS / "older.onnx").write_bytes(b"")
    pack.manifest()
    assert (files.WEIGHTS / "manifest.json").read_text(encoding="utf-8") == shipped
    pack.manifest(accurate=["fast3.onnx"])
    assert files.manifest()["gears"] == {"accurate": ["fast3.onnx"], "fast": ["fast3.onnx"]}
    assert [path.name for path in files.WEIGHTS.glob("*.onnx")] == ["fast3.onnx"]
    files.manifest.cache_clear()
