"""The lineage of two families on the user's own page, and its traps.

``data/lineage_seed.tsv`` holds the hops that a person has checked against their sentence, which
is named by its place and hash, since sentences of others stay out of the repository.  Hops that
``must`` be found are; and no other extracted hop may stand in the two trees.
"""

import csv
import hashlib
from pathlib import Path

import pytest

import kg
from kg.lineage import trace
from kg.lineage.network import TESTING, Network
from kg.names import same_model
from kg.text import name_key

GOLDEN = Path(__file__).parent / "data" / "lineage_seed.tsv"
PAGE = ("seed", "huggingface-papers-page.txt")


@pytest.fixture(scope="module")
def network(shared):
    """The lineage of the seed page, built in memory."""
    return Network(kg.build([shared.joinpath(*PAGE)]))


@pytest.fixture(scope="module")
def golden():
    """The checked hops."""
    return list(csv.DictReader(GOLDEN.open(encoding="utf-8"), delimiter="\t"))


def names(network, id_):
    """Return every name of an entity, as keys."""
    entity = network.entities[id_]
    return {name_key(name) for name in (entity.name, *entity.aliases)}


def is_called(network, id_, name):
    """Whether an entity goes by ``name``."""
    called = network.entities[id_].name
    return name_key(name) in names(network, id_) or same_model(called, name)


def hops(network, subject, relation, object_):
    """Return the accepted hops between what is called so."""
    return [
        hop
        for hop in network.hops()
        if hop.relation == relation
        and hop.status == "accepted"
        and is_called(network, hop.subject, subject)
        and is_called(network, hop.object, object_)
    ]


def descends(network, subject, object_):
    """Whether one accepted hop of descent leads from ``subject`` to ``object_``."""
    return any(
        is_called(network, hop.subject, subject) and is_called(network, hop.object, object_)
        for id_ in sorted(network.entities)
        for hop in network.up(id_)
        if hop.kind != "inferred"
    )


def test_every_required_hop_is_found_with_its_sentence(network, golden):
    """Names, relation, document, offsets and the sentence's hash."""
    for row in golden:
        if row["must"] != "yes":
            continue
        found = hops(network, row["subject"], row["relation"], row["object"])
        assert found, f"{row['subject']} {row['relation']} {row['object']}"
        quoted = {
            (
                item.document,
                str(item.span.start),
                str(item.span.end),
                hashlib.sha256(item.sentence.encode()).hexdigest(),
            )
            for hop in found
            for item in network.edge(hop).evidence
        }
        assert (row["document"], row["start"], row["end"], row["sha256"]) in quoted


@pytest.mark.parametrize("root", ["DeepSeek-R1", "Qwen2.5"])
def test_the_trees_hold_nothing_that_nobody_checked(network, golden, root):
    """What is not among the checked hops is inferred by name or chain, and says so."""
    for hop in trace(network, root).hops():
        if hop.kind == "inferred":
            rules = {item.rule for item in network.edge(hop).evidence}
            assert all(rule.startswith(("name:", "chain:")) for rule in rules)
            continue
        child, parent = network.name(hop.subject), network.name(hop.object)
        if hop.relation == "memberOf" and name_key(child).startswith(name_key(parent)):
            continue
        assert any(
            row["relation"] == hop.relation
            and is_called(network, hop.subject, row["subject"])
            and is_called(network, hop.object, row["object"])
            for row in golden
        ), " ".join(hop.key)


def test_deepseek_r1_has_its_descendants(network):
    """The data set, the model trained on it, and the distilled models by their names."""
    below = network.descendants(network.find("Deepseek R1").id)
    found = {network.name(id_) for id_ in below}
    assert {"AM-DeepSeek-R1-Distilled", "AM-Distill-Qwen-32B"} <= found
    assert any(name.startswith("DeepSeek-R1-Distill-") for name in found)


def test_qwen_has_its_members_and_what_came_of_them(network):
    """Qwen2.5-32B-Instruct is of the family, Light-R1-32B came of it."""
    lineage = trace(network, "qwen 2.5")
    found = {network.name(step.entity) for step in lineage.steps()}
    assert {"Qwen2.5-32B-Instruct", "Light-R1-32B"} <= found


@pytest.mark.parametrize(
    ("subject", "object_"),
    [
        # seed-000: outperformed, surpassed
        ("AM-Distill-Qwen-32B", "DeepSeek-R1-Distill-Qwen-32B"),
        ("AM-Distill-Qwen-72B", "DeepSeek-R1-Distill-Llama-70B"),
        # seed-001: compared to, performed comparably to, surpasses
        ("Light-R1-32B", "DeepSeek-R1-Distill-Qwen-32B"),
        ("Light-R1-32B-DS", "QwQ-32B"),
        ("Light-R1-32B-DS", "DeepSeek-R1"),
        ("Light-R1-14B-DS", "DeepSeek-R1-Distill-Llama-70B"),
        # seed-005: on par with or surpassing
        ("Phi-4-Mini", "DeepSeek-R1-Distill-Qwen-7B"),
        ("Phi-4-Mini", "DeepSeek-R1-Distill-Llama-8B"),
        # seed-014: examples, no parents
        ("TransMLA", "LLaMA"),
        ("TransMLA", "Mixtral"),
        # seed-072: fine-tuned from -Base, compared with -Instruct
        ("Qwen2-Math-7B-Base", "Qwen2-Math-7B-Instruct"),
    ],
)
def test_comparison_is_never_lineage(network, subject, object_):
    """What was only compared with, or named as an example, is no ancestor."""
    assert not descends(network, subject, object_)


def test_the_parents_of_the_14b_are_no_surer_than_a_sentence(network):
    """-14B-DS: only a class is named, so no parent of it is as sure as that of the 32B."""
    stated = hops(network, "Light-R1-32B", "fineTunedFrom", "Qwen2.5-32B-Instruct")
    for hop in network.up(network.find("Light-R1-14B-DS").id):
        assert hop.relation == "trainedOn" or hop.confidence <= stated[0].confidence


def test_two_benchmarks_in_an_elided_list(network):
    """AIME24 & 25 are two; AIME24 is AIME2024."""
    one, other = network.find("AIME24"), network.find("AIME25")
    assert one.id != other.id
    assert network.find("AIME 2024").id == one.id
    tested = {hop.object for hop in network.tested_on(network.find("Light-R1-14B-DS").id)}
    assert not tested or {one.id, other.id} & tested


def test_sizes_and_counts_are_no_entities(network):
    """ "32B" and "1.4 Million" name nothing; neither does what surrounds the abstracts."""
    keys = {key for id_ in network.entities for key in names(network, id_)}
    assert not keys & {"32b", "1.4million", "subscribe", "apr16", "ak"}


def test_am_distill_was_tested_on_four_benchmarks(network):
    """AIME2024, MATH-500, GPQA-Diamond, LiveCodeBench."""
    model = network.find("AM-Distill-Qwen-32B").id
    tested = [hop for hop in network.hops() if hop.relation == TESTING and hop.subject == model]
    wanted = {network.find(n).id for n in ("AIME2024", "MATH-500", "GPQA-Diamond", "LiveCodeBench")}
    assert {hop.object for hop in tested} == wanted


def test_the_path_of_the_help_is_found(network):
    """Light-R1-32B comes from a member of Qwen2.5, and that it is one is shown."""
    light, qwen = (network.find(name).id for name in ("Light-R1-32B", "Qwen2.5"))
    hops, over = network.joined(light, qwen)
    said = [(network.name(h.subject), h.relation, network.name(h.object)) for h in hops]
    assert (said, over) == (
        [
            ("Light-R1-32B", "fineTunedFrom", "Qwen2.5-32B-Instruct"),
            ("Qwen2.5-32B-Instruct", "memberOf", "Qwen2.5"),
        ],
        "",
    )
