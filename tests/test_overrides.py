"""The overrides file: what it accepts, what it refuses and how it says so, what it keeps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg import overrides
from kg.errors import UsageError
from kg.overrides import Overrides, Rule


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "overrides.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_rules_are_read_with_their_provenance_and_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "# ours\nversion: 1\nrules:\n"
        "  - merge: [DeepSeek R1, DeepSeek-R1]\n    author: Ada\n    date: 2026-11-24\n"
        "    reason: one model\n    source: https://example.org\n"
        "  - drop: SOTA\n"
        "  - reject_edge: [A, distilledFrom, B]\n"
        "  - set_license: [A, mit]\n",
    )
    assert overrides.load(path) == Overrides(
        (
            Rule(
                "merge",
                ("DeepSeek R1", "DeepSeek-R1"),
                "Ada",
                "2026-11-24",
                "one model",
                "https://example.org",
                4,
            ),
            Rule("drop", ("SOTA",), line=9),
            Rule("reject_edge", ("A", "distilledFrom", "B"), line=10),
            Rule("set_licence", ("A", "mit"), line=11),
        )
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rule: []", "line 1: 'rule' is not known; did you mean 'rules'?"),
        ("version: 2", "version 2 is not known; this kg reads 1"),
        ("rules:\n  - marge: [A, B]", "line 2: 'marge' is not known; did you mean 'merge'?"),
        ("rules:\n  - merge: [A]", "line 2: merge takes [name, name, ...], not ['A']"),
        (
            "rules:\n  - add_edge: [A, distiledFrom, B]",
            "line 2: 'distiledFrom' is not known; did you mean 'distilledFrom'?",
        ),
        ("rules:\n  - retype: [A, Modell]", "line 2: 'Modell' is not known; did you mean 'Model'?"),
        ("rules:\n  - drop: A\n    rename: [A, B]", "a rule has one verb, here drop and rename"),
        ("rules:\n  - just words", "line 2: a rule is a verb with a list"),
        ("rules: {a: b}", "'rules' should be a list"),
        ("- a", "should begin with 'version: 1'"),
        ("rules: [", "is not YAML"),
        (
            "rules:\n  - drop: A\n    date: 2026-99-99",
            "holds a value that cannot be read (month must be in 1..12); correct it, or quote it",
        ),
        (
            "rules:\n  - drop: [[A]]",
            "line 2: each value should be a word or words; put it in quotes",
        ),
        (
            "rules:\n  - drop: A\n    reason: [[A]]",
            "line 2: each value should be a word or words; put it in quotes",
        ),
        ("version: [1]", "each value should be a word or words; put it in quotes"),
        ("? [A]\n: B", "line 1: each value should be a word or words; put it in quotes"),
        ("rules: !!python/object/apply:os.system [echo]", "line 1: a rule is a verb with a list"),
    ],
)
def test_a_malformed_file_is_an_error_that_says_where_and_what_to_do(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        overrides.load(written(tmp_path, content))
    assert message in str(caught.value)


def test_aliases_in_lists_in_lists_are_not_written_out(tmp_path: Path) -> None:
    lists = ["&a0 [A]", *(f"&a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 20))]
    with pytest.raises(UsageError, match="line 2: each value should be a word or words"):
        overrides.load(written(tmp_path, f"rules:\n  - merge: [{', '.join(lists)}]"))


def test_append_keeps_comments_and_writes_a_rule_once(tmp_path: Path) -> None:
    path = written(tmp_path, "version: 1\n# decided in spring\nrules:\n  - drop: SOTA # no name\n")
    rule = Rule("merge", ("A", "B"), author="Ada")
    assert overrides.append(path, [rule, rule]) == 1
    assert overrides.append(path, [rule]) == 0
    assert path.read_text() == (
        "version: 1\n# decided in spring\nrules:\n  - drop: SOTA # no name\n"
        "  - merge: [A, B]\n    author: Ada\n"
    )


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(names, names), max_size=5))
def test_what_is_appended_is_read_back(tmp_path_factory: pytest.TempPathFactory, pairs) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("overrides") / "overrides.yaml"
    rules = list(dict.fromkeys(Rule("keep_apart", pair) for pair in pairs))
    overrides.append(path, rules)
    found = overrides.load(path).rules
    assert [(rule.verb, rule.arguments) for rule in found] == [(r.verb, r.arguments) for r in rules]
