"""The ontology admits what the annotators wrote, and documents every term."""

import json
from collections import Counter
from pathlib import Path

import pytest

from kg import schema

ADMITTED_BY_THE_GUIDELINES = {
    "distilledFrom": {(h, t) for h in ("Model", "Dataset") for t in ("Model", "Dataset")},
    "fineTunedFrom": {("Model", "Model")},
    "adapterOf": {("Model", "Model")},
    "quantizedFrom": {("Model", "Model")},
    "prunedFrom": {("Model", "Model")},
    "mergedFrom": {("Model", "Model")},
    "convertedFrom": {("Model", "Model")},
    "derivedFrom": {("Model", "Model"), ("Dataset", "Dataset"), ("Benchmark", "Dataset")},
    "generatedBy": {("Dataset", "Model")},
    "memberOf": {("Model", "Model")},
    "successorOf": {("Model", "Model"), ("Method", "Method")},
    "trainedOn": {("Model", "Dataset"), ("Method", "Dataset")},
    "evaluatedOn": {(h, t) for h in ("Model", "Method") for t in ("Benchmark", "Dataset")},
    "outperforms": {(x, x) for x in ("Model", "Method", "Dataset")},
    "comparedWith": {(h, t) for h in ("Model", "Method") for t in ("Model", "Method")},
    "usesMethod": {(h, "Method") for h in ("Model", "Method", "Dataset", "Benchmark")},
    "appliedTo": {("Method", "Model")},
    "partOf": {("Method", "Method")}
    | {(h, t) for h in ("Dataset", "Benchmark") for t in ("Dataset", "Benchmark")},
    "addressesTask": {(h, "Task") for h in ("Model", "Method", "Dataset", "Benchmark")},
}


def test_the_relations_are_those_of_the_guidelines_and_adapter_of() -> None:
    assert set(schema.relations()) == set(ADMITTED_BY_THE_GUIDELINES)


@pytest.mark.parametrize("name", sorted(ADMITTED_BY_THE_GUIDELINES))
def test_every_pair_of_the_guidelines_is_admitted(name: str) -> None:
    assert ADMITTED_BY_THE_GUIDELINES[name] <= schema.relations()[name].pairs


def test_every_pair_that_annotators_wrote_is_admitted(shared: Path) -> None:
    refused: Counter[tuple[str, str, str]] = Counter()
    with (shared / "gold" / "train.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            label = {entity["canonical"]: entity["label"] for entity in document["entities"]}
            for edge in document["edges"]:
                ends = label[edge["head"]], label[edge["tail"]]
                if not schema.relations()[edge["type"]].admits(*ends):
                    refused[edge["type"], *ends] += 1
    assert refused == {}


def test_domain_and_range_are_the_unions_of_the_admitted_pairs() -> None:
    """A reasoner types the ends of no edge that we assert with a class they do not have."""
    below = {
        "Artifact": {"Model", "Dataset", "Benchmark", "Method"},
        "DataResource": {"Dataset", "Benchmark"},
    }
    for relation in schema.relations().values():
        term = schema.terms()[relation.name]
        for ends, side in ((term.domain, 0), (term.range, 1)):
            classes = set().union(*(below.get(end, {end}) for end in ends))
            assert classes == {pair[side] for pair in relation.pairs}, relation.name


def test_a_domain_holds_all_that_stands_below_it() -> None:
    below = {
        "Artifact": {"Model", "Dataset", "Benchmark", "Method"},
        "DataResource": {"Dataset", "Benchmark"},
    }
    terms = schema.terms()
    for term in terms.values():
        for parent in (terms[name] for name in term.parents if name in terms):
            if term.kind == "object property" and parent.kind == term.kind:
                for mine, theirs in ((term.domain, parent.domain), (term.range, parent.range)):
                    own = set().union(*(below.get(end, {end}) for end in mine))
                    upper = set().union(*(below.get(end, {end}) for end in theirs))
                    assert own <= upper, (term.name, parent.name)


def test_every_term_is_documented() -> None:
    bare = [
        term.name
        for term in schema.terms().values()
        if not (term.label and term.definition and term.example)
    ]
    assert bare == []


def test_every_property_has_a_domain_and_a_range() -> None:
    bare = [
        term.name
        for term in schema.terms().values()
        if term.kind in ("object property", "datatype property")
        and not (term.domain and term.range)
    ]
    assert bare == []


def test_inverses_point_at_each_other() -> None:
    terms = schema.terms()
    one_sided = [
        term.name
        for term in terms.values()
        if term.inverse and terms[term.inverse].inverse != term.name
    ]
    assert one_sided == []
    assert all(relation.inverse for relation in schema.relations().values())


def test_lineage_is_what_hands_something_down() -> None:
    relations = schema.relations()
    assert {name: r.strand for name, r in relations.items() if r.lineage} == {
        "adapterOf": "weights",
        "convertedFrom": "weights",
        "derivedFrom": None,
        "distilledFrom": "knowledge",
        "fineTunedFrom": "weights",
        "generatedBy": "data",
        "mergedFrom": "weights",
        "prunedFrom": "weights",
        "quantizedFrom": "weights",
    }
    assert relations["adapterOf"].ancestors == (
        "fineTunedFrom",
        "weightsDerivedFrom",
        "derivedFrom",
        "hasAncestor",
    )
    assert [name for name, r in relations.items() if r.symmetric] == ["comparedWith"]


def test_no_foreign_class_or_property_is_made_equivalent_or_put_above_but_prov() -> None:
    foreign = {
        parent
        for term in schema.terms().values()
        for parent in term.parents
        if parent.startswith("http")
    }
    allowed = (schema.PREFIXES["prov"], schema.PREFIXES["rdf"], schema.PREFIXES["dcterms"])
    assert [iri for iri in sorted(foreign) if not iri.startswith(allowed)] == []
