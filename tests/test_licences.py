"""Licences along the path: flags with clause, link and way, never verdicts."""

import tomllib
from dataclasses import replace

import pytest

from kg.lineage.licences import held, known, licences, report, stated, values
from kg.lineage.network import Network
from kg.resources import ontology
from kg.values import Edge, Entity, Evidence, Graph, Span

TOPICS = {
    "notice", "naming", "built-with", "use-policy", "users-cap", "revenue-cap", "non-commercial",
    "share-alike", "share-alike-data", "no-derivatives", "no-training-on-outputs", "source",
}  # fmt: skip


def model(name, licence="", kind="Model", licence_name=""):
    """Return an entity, with the licence that its card states."""
    facts = (("license", licence, "card"),) if licence else ()
    facts += (("license_name", licence_name, "card"),) if licence_name else ()
    return Entity(f"{kind.lower()}/{name.lower()}", kind, name, facts=facts)


def graph(entities, *edges):
    """Return a graph of ``entities`` and ``(head, relation, tail)`` by their names."""
    ids = {entity.name: entity.id for entity in entities}
    item = Evidence("card", "yaml:base_model", Span(0, 1), "x", "declared", "card", "r", 0.9)
    made = [Edge(ids[a], relation, ids[b], (item,), 0.9) for a, relation, b in edges]
    return Network(
        Graph(
            entities=tuple(sorted(entities, key=lambda e: e.id)),
            edges=tuple(sorted(made, key=lambda e: e.key)),
        )
    )


def flags(network, root):
    """Return ``(level, topic, licence, strand)`` of every flag but the notices."""
    found = report(network, f"model/{root.lower()}").flags
    return [(f.level, f.topic, f.licence, f.strand) for f in found if f.topic != "notice"]


def test_the_table_is_whole():
    """At least 25 licences, each with a link; obligations of known topics with a clause."""
    rows = tomllib.loads(ontology("licences.toml").read_text(encoding="utf-8"))["licence"]
    assert len(rows) >= 25
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["url"].startswith(("https://", "http://")), row["id"]
        assert ("{version}" in row["id"]) == ("versions" in row)
        for obligation in row["obligations"]:
            assert obligation["topic"] in TOPICS, row["id"]
            assert set(obligation["travels"]) <= {"weights", "outputs", "data"}
            assert obligation["travels"], row["id"]
            assert obligation["clause"], row["id"]
            assert len(obligation["words"]) > 10, row["id"]
            assert ("prefix" in obligation) == (obligation["topic"] == "naming")


def test_no_name_stands_for_two_licences():
    """Every other spelling leads to its own licence."""
    rows = tomllib.loads(ontology("licences.toml").read_text(encoding="utf-8"))["licence"]
    for row in rows:
        for version in row.get("versions", [""]):
            for name in (row["id"], *row["names"], row["title"]):
                found = known(name.replace("{version}", version))
                assert found is not None
                assert found.id == row["id"].replace("{version}", version), name
    assert known("Apache-2.0") is known("apache 2.0")
    assert known("my-own-licence") is None


@pytest.mark.parametrize(
    ("written", "spdx"),
    [
        ("gpl-2.0", "GPL-2.0-only"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("lgpl-2.1", "LGPL-2.1-only"),
        ("cc-by-2.0", "CC-BY-2.0"),
        ("cc-by-3.0", "CC-BY-3.0"),
        ("CC BY-SA 3.0", "CC-BY-SA-3.0"),
        ("cc-by-nc-sa-2.0", "CC-BY-NC-SA-2.0"),
        ("cdla-permissive-1.0", "CDLA-Permissive-1.0"),
        *((name, "") for name in ("gpl", "lgpl", "bsd", "apache", "cc-by", "openrail")),
    ],
)
def test_a_licence_has_the_id_of_its_own_version(written, spdx):
    """And a name that states no version has none."""
    assert known(written).spdx == spdx
    assert (known(written).id.rpartition("-")[2] in spdx) == bool(spdx)


def test_share_alike_knows_versions():
    """Creative Commons admits a later version of itself; the GPL is asked about."""
    for own, parent, wanted in (
        ("cc-by-sa-4.0", "cc-by-sa-3.0", ("info", "4(b)")),
        ("cc-by-sa-3.0", "cc-by-sa-4.0", ("review", "3(b)")),
        ("gpl-3.0", "gpl-2.0", ("review", "2(b)")),
        ("gpl", "gpl-3.0", ("review", "5(c)")),
        ("gpl-2.0", "gpl-2.0", ("info", "2(b)")),
        ("mit", "gpl-2.0", ("conflict", "2(b)")),
        ("house-rules", "gpl-2.0", ("review", "2(b)")),
    ):
        network = graph([model("X", own), model("P", parent)], ("X", "fineTunedFrom", "P"))
        (flag,) = (f for f in report(network, "model/x").flags if f.topic == "share-alike")
        assert (flag.level, flag.clause) == wanted, own


def test_spdx_ids_are_those_of_the_list():
    """What stands as SPDX id validates in a BOM; the others stand by name."""
    import json

    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    ids = sorted({licence.spdx for licence in licences().values() if licence.spdx})
    component = {
        "type": "data",
        "name": "x",
        "licenses": [{"license": {"id": spdx}} for spdx in ids],
    }
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None


@pytest.mark.parametrize(
    ("name", "licence", "level"),
    [
        ("DeepSeek-R1-Distill-Llama-70B", "llama3.3", "conflict"),
        ("Llama-3.3-Tuned", "llama3.3", "info"),
        ("Llama-Tuned", "llama3", "conflict"),
        ("Llama-3-Tuned", "llama3", "info"),
    ],
)
def test_llama_wants_its_name_in_front(name, licence, level):
    """Llama 3 asks for "Llama 3", 3.1 and later for "Llama"; Llama 2 asks for nothing."""
    network = graph(
        [model(name, licence), model("Parent", licence)], (name, "fineTunedFrom", "Parent")
    )
    naming = [flag for flag in flags(network, name) if flag[1] == "naming"]
    assert naming == [(level, "naming", licence, "weights")]


def test_llama_2_does_not_ask_for_a_name():
    """Its flags are the use policy and the cap."""
    network = graph([model("X", "llama2"), model("P", "llama2")], ("X", "fineTunedFrom", "P"))
    assert [flag[1] for flag in flags(network, "X")] == ["users-cap", "use-policy"]


def test_non_commercial_weights_under_a_permissive_licence_conflict():
    """And are no conflict under a non-commercial one; with none stated it is a question."""
    for own, level in (("mit", "conflict"), ("cc-by-nc-4.0", "info"), ("", "review")):
        network = graph(
            [model("X", own), model("Q"), model("P", "cc-by-nc-4.0")],
            ("X", "quantizedFrom", "Q"),
            ("Q", "fineTunedFrom", "P"),
        )
        assert flags(network, "X") == [(level, "non-commercial", "cc-by-nc-4.0", "weights")]


def test_outputs_bind_by_version():
    """Llama 3 forbids training others on outputs, 3.1 asks for the name, Apache for nothing."""
    for licence, wanted in (
        ("llama3", ("conflict", "no-training-on-outputs", "llama3", "outputs")),
        ("llama3.1", ("review", "naming", "llama3.1", "outputs")),
    ):
        network = graph(
            [model("X", "mit"), model("D", "mit", "Dataset"), model("T", licence)],
            ("X", "trainedOn", "D"),
            ("D", "generatedBy", "T"),
        )
        assert flags(network, "X") == [wanted]
    network = graph([model("X", "mit"), model("T", "apache-2.0")], ("X", "distilledFrom", "T"))
    assert flags(network, "X") == []


def test_a_family_may_learn_from_itself():
    """Llama 3's outputs may improve Llama 3."""
    network = graph(
        [model("Llama-3-X", "llama3"), model("Llama-3-70B", "llama3")],
        ("Llama-3-X", "distilledFrom", "Llama-3-70B"),
    )
    assert flags(network, "Llama-3-X") == [("info", "no-training-on-outputs", "llama3", "outputs")]


def test_a_model_behind_an_api_has_its_makers_terms():
    """A student of GPT-4o is asked about; GPT-2, which is open, has no such terms."""
    network = graph(
        [model("X", "mit"), model("GPT-4o"), model("GPT-2")],
        ("X", "distilledFrom", "GPT-4o"),
        ("X", "fineTunedFrom", "GPT-2"),
    )
    assert flags(network, "X") == [("review", "no-training-on-outputs", "openai-terms", "outputs")]
    assert report(network, "model/x").unknown == ("model/gpt-2",)


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("Llama 3.2 1B", "llama3.2"),
        ("meta-llama/Llama-3.2-11B-Vision-Instruct", "llama3.2"),
        ("Meta-Llama-3-8B-Instruct", "llama3"),
        ("Llama 3.1", "llama3.1"),
        ("Llama-2-7b-chat-hf", "llama2"),
        ("CodeLlama-34b-Instruct-hf", "llama2"),
        ("LLaMA-13B", "llama"),
        ("gemma-2-9b-it", "gemma"),
        ("BLOOM 176B", "bigscience-bloom-rail-1.0"),
        ("StarCoder2-15B", "bigcode-openrail-m"),
        *((name, "") for name in ("Llama", "TinyLlama-1.1B", "OpenLLaMA 13B", "Llama-3-8B-Lexi")),
        *((name, "") for name in ("Titanesque-Llama-3.2-1B", "BLOOMZ", "ShieldGemma 2", "Llama-X")),
    ],
)
def test_a_name_that_its_maker_gave_tells_the_licence(name, licence):
    """The licence is said not to be read here; what others made of it is not taken for it."""
    found = held(model(name))
    assert [str(one) for one in found] == (
        [f"{licence} (its maker's licence, not read here)"] if licence else []
    )


def test_a_makers_licence_that_was_not_read_makes_no_conflict():
    """A card's own statement wins; without one the same flags are to be reviewed."""
    for licence, level in (("", "review"), ("llama3.2", "conflict")):
        network = graph(
            [model("X", "apache-2.0"), model("Llama 3.2 1B", licence)],
            ("X", "fineTunedFrom", "Llama 3.2 1B"),
        )
        found = report(network, "model/x")
        naming = next(flag for flag in found.flags if flag.topic == "naming")
        assert (naming.level, naming.licence) == (level, "llama3.2")
        assert ("not read here" in naming.why) == (not licence)
        assert ("review", "relicensing", "llama3.2", "weights") in flags(network, "X")
        assert found.unknown == ()


def test_a_sibling_tells_what_its_family_is_under():
    """Where an ancestor states nothing, another member of its family does; no child of its own."""
    network = graph(
        [
            model("X", "mit"),
            model("Base-1B"),
            model("Base"),
            model("Base-3B", "qwen-research"),
            model("Base-1B-Tuned", "apache-2.0"),
        ],
        ("X", "fineTunedFrom", "Base-1B"),
        ("Base-1B", "memberOf", "Base"),
        ("Base-3B", "memberOf", "Base"),
        ("Base-1B-Tuned", "memberOf", "Base"),
        ("Base-1B-Tuned", "fineTunedFrom", "Base-1B"),
    )
    found = report(network, "model/x")
    (flag,) = found.flags
    assert (flag.level, flag.topic, flag.source) == ("review", "sibling", "model/base-1b")
    assert flag.why == "Base-3B, also of Base, is under qwen-research"
    assert found.unknown == ("model/base-1b",)


def test_what_others_publish_tells_nothing_of_a_makers_model():
    """A repository of somebody else in a family whose makers are known is no sibling."""
    for repository, told in (("Qwen/Qwen2.5-3B", 1), ("somebody/Qwen2.5-3B", 0)):
        sibling = replace(model("Qwen2.5-3B", "mit"), repositories=(repository,))
        network = graph(
            [model("X", "mit"), model("Qwen2.5-7B"), model("Qwen2.5"), sibling],
            ("X", "fineTunedFrom", "Qwen2.5-7B"),
            ("Qwen2.5-7B", "memberOf", "Qwen2.5"),
            ("Qwen2.5-3B", "memberOf", "Qwen2.5"),
        )
        assert len(report(network, "model/x").flags) == told


def test_data_binds_the_model_trained_on_it_but_not_its_students():
    """Non-commercial data is a question for the model, and none for who learns from it."""
    network = graph(
        [model("X", "mit"), model("Y", "mit"), model("D", "cc-by-nc-4.0", "Dataset")],
        ("X", "trainedOn", "D"),
        ("Y", "distilledFrom", "X"),
    )
    assert flags(network, "X") == [("review", "non-commercial", "cc-by-nc-4.0", "data")]
    assert flags(network, "Y") == []


def test_share_alike_and_merges_take_the_union():
    """Every parent of a merge hands down its own."""
    network = graph(
        [model("M", "apache-2.0"), model("A", "cc-by-sa-4.0"), model("B", "cc-by-nc-4.0")],
        ("M", "mergedFrom", "A"),
        ("M", "mergedFrom", "B"),
    )
    assert flags(network, "M") == [
        ("conflict", "clash", "cc-by-sa-4.0", "weights"),
        ("conflict", "share-alike", "cc-by-sa-4.0", "weights"),
        ("conflict", "non-commercial", "cc-by-nc-4.0", "weights"),
    ]


@pytest.mark.parametrize("own", ["", "gpl-3.0", "mit", "gemma", "house-rules"])
def test_a_community_licence_that_is_left_out_is_asked_about(own):
    """Whatever stands in its place, also nothing."""
    network = graph([model("X", own), model("P", "llama3.2")], ("X", "fineTunedFrom", "P"))
    assert ("review", "relicensing", "llama3.2", "weights") in flags(network, "X")
    network = graph([model("X", "llama3.2"), model("P", "llama3.2")], ("X", "fineTunedFrom", "P"))
    assert "relicensing" not in {flag[1] for flag in flags(network, "X")}


@pytest.mark.parametrize(
    ("one", "other", "clashing"),
    [
        ("cc-by-nc-sa-4.0", "gemma", ["cc-by-nc-sa-4.0"]),
        ("cc-by-sa-4.0", "gpl-3.0", ["cc-by-sa-4.0", "gpl-3.0"]),
        ("cc-by-sa-4.0", "cc-by-nc-4.0", ["cc-by-sa-4.0"]),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", []),
        ("cc-by-sa-4.0", "cc-by-sa-3.0", []),
        ("gpl-3.0", "apache-2.0", []),
        ("llama3", "gemma", []),
    ],
)
def test_licences_of_a_merge_may_exclude_each_other(one, other, clashing):
    """What must be shared alike can hold nothing under further terms; it is the merge's to tell."""
    network = graph(
        [model("X"), model("M"), model("A", one), model("B", other)],
        ("X", "quantizedFrom", "M"),
        ("M", "mergedFrom", "A"),
        ("M", "mergedFrom", "B"),
    )
    for root in ("X", "M"):
        found = report(network, f"model/{root.lower()}").flags
        clashes = [flag for flag in found if flag.topic == "clash"]
        assert [(flag.level, flag.licence) for flag in clashes] == [
            ("conflict", licence) for licence in clashing
        ]
        if clashes:
            assert clashes[0].why == f"it was merged with B under {other}"
            assert clashes[0].path[-2:] == ("model/m", "model/a")


def test_a_clash_with_a_licence_that_was_not_read_is_to_be_reviewed():
    """Gemma is under its maker's terms by its name."""
    network = graph(
        [model("X"), model("A", "cc-by-nc-sa-4.0"), model("Gemma 7B")],
        ("X", "mergedFrom", "A"),
        ("X", "mergedFrom", "Gemma 7B"),
    )
    assert ("review", "clash", "cc-by-nc-sa-4.0", "weights") in flags(network, "X")


def test_unknown_stays_unknown():
    """Neither an unlisted licence nor a missing one is taken for permission."""
    network = graph(
        [model("X", "mit"), model("P", "other", licence_name="house-rules"), model("Q")],
        ("X", "fineTunedFrom", "P"),
        ("P", "fineTunedFrom", "Q"),
    )
    found = report(network, "model/x")
    assert found.unknown == ("model/p", "model/q")
    assert found.flags == ()
    (said,) = stated(network.entities["model/p"])
    assert (said.value, said.document, said.licence) == ("house-rules", "card", None)


def test_license_name_tells_what_other_means():
    """`license: other` with `license_name: qwen` is the Qwen licence."""
    (said,) = stated(model("P", "other", licence_name="qwen"))
    assert said.licence is known("qwen")


@pytest.mark.parametrize(
    ("licence", "name", "shown"),
    [
        ("license", "", ()),
        ("licence", "", ()),
        ("other", "", ("other (not named)",)),
        ("other", "house-rules", ("house-rules",)),
        ("license", "qwen", ("qwen",)),
        ("mit", "house-rules", ("mit",)),
    ],
)
def test_what_a_template_left_is_no_licence(licence, name, shown):
    """And "other" alone says that it is not named."""
    assert values(model("P", licence, licence_name=name)) == shown


def test_a_flag_tells_the_way(capsys):
    """Clause, link, document and path from the root to the source."""
    network = graph(
        [model("X", "mit"), model("Q"), model("P", "gemma")],
        ("X", "quantizedFrom", "Q"),
        ("Q", "fineTunedFrom", "P"),
    )
    policy = next(f for f in report(network, "model/x").flags if f.topic == "use-policy")
    assert policy.path == ("model/x", "model/q", "model/p")
    assert policy.clause == "3.1, 3.2"
    assert policy.url == "https://ai.google.dev/gemma/terms"
    assert policy.document == "card"
    relicensed = [f for f in report(network, "model/x").flags if f.topic == "relicensing"]
    assert [f.level for f in relicensed] == ["review"]


def test_a_family_shows_the_licences_of_its_members():
    """Of every member, through families within it; the family itself states nothing."""
    network = graph(
        [
            model("Llama"),
            model("Llama 3"),
            model("Llama-3-8B", "llama3"),
            model("Llama-2", "llama2"),
        ],
        ("Llama 3", "memberOf", "Llama"),
        ("Llama-3-8B", "memberOf", "Llama 3"),
        ("Llama-2", "memberOf", "Llama"),
    )
    found = report(network, "model/llama")
    assert [(node, [one.value for one in said]) for node, said in found.members] == [
        ("model/llama 3", []),
        ("model/llama-2", ["llama2"]),
        ("model/llama-3-8b", ["llama3"]),
    ]
    assert (found.own, found.flags, found.unknown) == ((), (), ())
    assert report(network, "model/llama-2").members == ()
