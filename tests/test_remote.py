"""An input from elsewhere is read as its like on this machine, and what fails there is told."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kg.errors import KGError, ReadError
from kg.pipeline import reading, remote
from kg.pipeline.build import build
from kg.readers import read
from tests import building
from tests.building import outputs

CARD = b"---\nlicense: mit\n---\nRocket-7B is a model.\n"


class RefusedError(Exception):
    """As the backends of fsspec have it: no ``OSError``."""


def refuse(*_: object, **__: object) -> Any:
    raise RefusedError("403\nForbidden")


def backend(monkeypatch: pytest.MonkeyPatch, **functions: Callable[..., Any]) -> None:
    monkeypatch.setattr(remote, "_fsspec", lambda: SimpleNamespace(**functions))


@pytest.mark.parametrize(
    ("address", "repository", "kind"),
    [
        ("file:///data/acme@Rocket-7B.md", "acme/Rocket-7B", "model-card"),
        ("s3://bucket/cards/acme/Rocket-7B/README.md", "acme/Rocket-7B", "model-card"),
        ("s3://bucket/datasets/acme/Fuel/README.md", "acme/Fuel", "dataset-card"),
        ("hf://acme/Rocket-7B/README.md", "acme/Rocket-7B", "model-card"),
        ("zip://acme/Rocket-7B/README.md::s3://bucket/a.zip", "acme/Rocket-7B", "model-card"),
        ("simplecache::s3://b/acme/Rocket-7B/README.md", "acme/Rocket-7B", "model-card"),
        (
            "https://huggingface.co/acme/Rocket-7B/resolve/main/README.md?download=true",
            "acme/Rocket-7B",
            "model-card",
        ),
        (
            "https://huggingface.co/datasets/acme/Fuel/raw/main/README.md",
            "acme/Fuel",
            "dataset-card",
        ),
        ("https://huggingface.co/rocket/raw/main/README.md", "", "model-card"),
        ("https://example.org/Rocket-7B/README.md", "", "model-card"),
        ("memory://Rocket-7B/README.md", "", "model-card"),
        ("memory://README.md", "", "model-card"),
    ],
)
def test_a_card_from_elsewhere_has_the_repository_that_its_address_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, repository: str, kind: str
) -> None:
    backend(monkeypatch, open=lambda *_: io.BytesIO(CARD))
    (document,) = read([remote.local_copy(address, tmp_path / "inputs")])
    assert (document.repository, document.kind) == (repository, kind)


def test_no_address_leads_out_of_the_folder_of_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend(monkeypatch, open=lambda *_: io.BytesIO(CARD))
    inputs = tmp_path / "a" / "b" / "inputs"
    for address in ("memory://../../../x.md", "memory://..", "memory://", "memory:///x.md"):
        copy = remote.local_copy(address, inputs).resolve()
        assert (copy.parent.parent, copy.read_bytes()) == (inputs.resolve(), CARD)


def test_cards_from_elsewhere_give_the_bytes_of_those_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setattr(reading, "read", building.read)
    monkeypatch.setattr(reading, "version", lambda gear="fast": f"test {gear}")
    names = ("acme@Rocket-7B.md", "acme/Rocket-8B/README.md", "notes.txt")
    cards = [tmp_path / "cards" / name for name in names]
    for card in cards:
        card.parent.mkdir(parents=True, exist_ok=True)
        card.write_bytes(CARD if card.suffix == ".md" else b"Foo1 < Bar1.")
    build(cards, tmp_path / "here", formats=["nodes"])
    build([f"file://{card}" for card in cards], tmp_path / "there", formats=["nodes"])
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")


def test_an_input_that_is_refused_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend(monkeypatch, open=refuse)
    with pytest.raises(ReadError) as caught:
        remote.local_copy("s3://bucket/a.md", tmp_path / "inputs")
    assert str(caught.value) == (
        "s3://bucket/a.md: cannot be read (403 Forbidden); "
        "check the address, and that you may read it"
    )


@pytest.mark.parametrize("failing", ["makedirs", "ls", "cat_file", "pipe_file"])
def test_checkpoints_that_are_refused_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def nothing(*_: object, **__: object) -> tuple[str, ...]:
        return ("a.readings",) if failing == "cat_file" else ()

    files = SimpleNamespace(makedirs=nothing, ls=nothing, cat_file=nothing, pipe_file=nothing)
    setattr(files, failing, refuse)
    core = SimpleNamespace(url_to_fs=lambda address: (files, "bucket/readings"))
    monkeypatch.setattr(remote, "_fsspec", lambda: SimpleNamespace(core=core))

    def use() -> None:
        segments = remote.Segments("s3://bucket/readings", "version")
        list(segments)
        segments.keep([(b"digest", b"packed")])

    with pytest.raises(KGError) as caught:
        use()
    assert str(caught.value) == (
        "s3://bucket/readings: checkpoints cannot be kept there (403 Forbidden); "
        "check the address, and that you may read and write there"
    )
