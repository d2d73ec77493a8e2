"""However the work is cut up, the outcome is that of a build from scratch, byte for byte."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import KGError, NotFound
from kg.overrides import Overrides, Rule
from kg.pipeline import reading
from kg.pipeline.build import build, remove
from kg.store import StoredGraph
from tests import building
from tests.building import in_memory, outputs, papers

FORMATS = ("turtle", "provenance", "nodes", "edges", "results")
#: A hypothesis example builds several graphs, each of a few documents.
UNHURRIED = settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _simple_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read", building.read)
    monkeypatch.setattr(reading, "version", lambda gear="fast": f"test {gear}")


_STATEMENT = st.builds(
    "{} {} {}.".format,
    st.sampled_from(["Foo1", "Bar1", "Baz1", "Sage2"]),
    st.sampled_from("<>"),
    st.sampled_from(["Foo1", "Bar1", "Baz1", "FOO1"]),
)
_TEXT = st.lists(_STATEMENT, min_size=1, max_size=3).map(" ".join)
_CORPUS = st.dictionaries(st.sampled_from([f"d{i}" for i in range(8)]), _TEXT, min_size=1)


def scratch(home: Path, name: str, texts: dict[str, str]) -> dict[str, bytes]:
    """Return the outputs of a build of ``texts`` alone."""
    build([papers(home / f"{name}.jsonl", texts)], home / name, formats=FORMATS)
    return outputs(home / name)


@given(_CORPUS, _CORPUS)
@UNHURRIED
def test_old_and_new_documents_give_what_both_give_at_once(
    old: dict[str, str], new: dict[str, str]
) -> None:
    new = {f"n{id_}": text for id_, text in new.items()}
    with TemporaryDirectory(dir=in_memory()) as folder:
        home = Path(folder)
        whole = scratch(home, "whole", {**old, **new})
        scratch(home, "grown", old)
        both = [home / "grown.jsonl", papers(home / "new.jsonl", new)]
        report = build(both, home / "grown", formats=FORMATS)
        assert (report.read, report.reused) == (len(new), len(old))
        assert outputs(home / "grown") == whole
        # The same with --add, which is given the new documents alone.
        scratch(home, "added", old)
        build([home / "new.jsonl"], home / "added", formats=FORMATS, add=True)
        assert outputs(home / "added") == whole


@given(_CORPUS, st.data())
@UNHURRIED
def test_removed_documents_leave_no_trace(texts: dict[str, str], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(sorted(texts)), unique=True, min_size=1))
    kept = {id_: text for id_, text in texts.items() if id_ not in gone}
    with TemporaryDirectory(dir=in_memory()) as folder:
        home = Path(folder)
        scratch(home, "whole", texts)
        report = remove(home / "whole", gone)
        assert (report.read, report.counts["documents"]) == (0, len(kept))
        without = scratch(home, "without", kept) if kept else None
        if without is not None:
            assert outputs(home / "whole") == without
        # And put back, they are as if they had never been away.
        build([home / "whole.jsonl"], home / "whole", formats=FORMATS)
        assert outputs(home / "whole") == scratch(home, "again", texts)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), _TEXT), min_size=2, max_size=6), st.data())
@UNHURRIED
def test_documents_of_one_id_give_the_same_graph_in_any_order_and_any_parts(
    records: list[tuple[str, str]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(records))
    cut = data.draw(st.integers(1, len(records) - 1))
    with TemporaryDirectory(dir=in_memory()) as folder:
        home = Path(folder)

        def written(name: str, some: Sequence[tuple[str, str]]) -> Path:
            rows = [json.dumps({"id": i, "title": "T", "abstract": text}) for i, text in some]
            (home / name).write_text("\n".join(rows), encoding="utf-8")
            return home / name

        build([written("all.jsonl", records)], home / "whole", formats=FORMATS)
        build([written("one.jsonl", shuffled[:cut])], home / "parts", formats=FORMATS)
        build([written("two.jsonl", shuffled[cut:])], home / "parts", formats=FORMATS, add=True)
        assert outputs(home / "parts") == outputs(home / "whole")


def test_one_of_several_documents_of_an_id_can_be_removed(tmp_path: Path) -> None:
    rows = [json.dumps({"id": "a", "title": "T", "abstract": text}) for text in ("Foo1.", "Bar1.")]
    (tmp_path / "p.jsonl").write_text("\n".join(rows), encoding="utf-8")
    build([tmp_path / "p.jsonl"], tmp_path / "out", formats=FORMATS)
    first, longer = StoredGraph(tmp_path / "out").documents
    remove(tmp_path / "out", [longer.id])
    assert list(StoredGraph(tmp_path / "out").documents) == [first]
    with pytest.raises(NotFound):
        remove(tmp_path / "out", [longer.id])


def test_a_changed_document_is_read_again_and_the_old_text_is_gone(tmp_path: Path) -> None:
    build([papers(tmp_path / "p", {"a": "Foo1 < Bar1.", "b": "Foo1."})], tmp_path / "out")
    report = build([papers(tmp_path / "p", {"a": "Foo1 < Baz1.", "b": "Foo1."})], tmp_path / "out")
    assert (report.read, report.reused) == (1, 1)
    assert b"Bar1" not in b"".join(outputs(tmp_path / "out").values())
    assert b"Bar1" not in (tmp_path / "out" / ".kg" / "readings.db").read_bytes()


def test_another_version_of_the_reader_reads_everything_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = papers(tmp_path / "p", building.corpus(5))
    build([source], tmp_path / "out", formats=FORMATS)
    monkeypatch.setattr(reading, "version", lambda gear="fast": "newer")
    assert build([source], tmp_path / "out", formats=FORMATS).read == 5


def test_overrides_change_the_graph_without_reading_again(tmp_path: Path) -> None:
    source = papers(tmp_path / "p", {"a": "Foo1 < Bar1.", "b": "Baz1 > Foo1."})
    plain = build([source], tmp_path / "out", formats=FORMATS)
    before = outputs(tmp_path / "out")
    rules = Overrides((Rule("merge", ("Bar1", "Baz1"), line=3),))
    merged = build([source], tmp_path / "out", formats=FORMATS, overrides=rules)
    assert (merged.read, merged.counts["entities"]) == (0, plain.counts["entities"] - 1)
    assert merged.run != plain.run
    build([source], tmp_path / "out", formats=FORMATS)
    assert outputs(tmp_path / "out") == before


def test_without_checkpoints_documents_are_added_and_removed_all_the_same(tmp_path: Path) -> None:
    rows = [{"id": "a", "title": "T", "abstract": text} for text in ("Foo1 < Bar1.", "Bar1 > A1.")]
    rows.append({"id": "b~0123456789abcdef", "title": "T", "abstract": "Foo1 > Bar1."})
    old = tmp_path / "old.jsonl"
    old.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    new = papers(tmp_path / "new.jsonl", {"a": "Baz1 < Bar1.", "c": "Baz1."})
    for out in (tmp_path / "with", tmp_path / "without"):
        build([old], out, formats=FORMATS)
    shutil.rmtree(tmp_path / "without" / ".kg")
    reports = [
        build([new], out, formats=FORMATS, add=True)
        for out in (tmp_path / "with", tmp_path / "without")
    ]
    assert [(report.read, report.reused) for report in reports] == [(2, 3), (5, 0)]
    assert outputs(tmp_path / "without") == outputs(tmp_path / "with")
    shutil.rmtree(tmp_path / "without" / ".kg")
    for out in (tmp_path / "with", tmp_path / "without"):
        remove(out, ["a"])
    assert outputs(tmp_path / "without") == outputs(tmp_path / "with")


def test_documents_that_the_graph_alone_does_not_tell_are_asked_for(tmp_path: Path) -> None:
    """Of one text that came with two years, the graph holds one document."""
    rows = [{"id": "a", "title": "T", "abstract": "Foo1.", "year": year} for year in (2024, 2025)]
    old = tmp_path / "old.jsonl"
    old.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "out"
    build([old], out, formats=FORMATS)
    before = outputs(out)
    shutil.rmtree(out / ".kg")
    with pytest.raises(KGError, match="build it again, from all inputs and without --add"):
        build([papers(tmp_path / "new.jsonl", {"b": "Baz1."})], out, formats=FORMATS, add=True)
    with pytest.raises(KGError, match="build it again"):
        remove(out, ["a"])
    assert outputs(out) == before
    assert build([old], out, formats=FORMATS).read == 2
    assert outputs(out) == before
