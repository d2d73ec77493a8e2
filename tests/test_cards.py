"""What Hub cards declare, as edges with the line that says so."""

import json
from dataclasses import replace

import pytest

from kg import readers
from kg.linker import accepted
from kg.linker.cards import corrected, link_card, target_of
from kg.linker.inferred import infer_graph
from kg.pipeline import reading
from kg.readers.cards import card, file_name, repository_of_path
from kg.values import (
    Document,
    Edge,
    Entity,
    Evidence,
    LocalEdge,
    LocalEntity,
    Mention,
    Span,
)

NOT_DESCENT = {"trainedOn", "evaluatedOn", "addressesTask"}


def link(text, repository="me/Child-7B", **options):
    """Return the document, its entities by name, and its edges."""
    document = card(text, repository=repository, **options)
    entities, edges, results = link_card(document, ())
    for edge in edges:
        for item in edge.evidence:
            assert item.sentence == item.span.of(document.text)
    return document, {entity.canonical: entity for entity in entities}, edges, results


def triples(edges, *, descent=True):
    """Return the edges as ``(relation, tail)``, only those of descent or only the others."""
    return sorted((e.relation, e.tail) for e in edges if (e.relation in NOT_DESCENT) != descent)


def front(*lines, body=""):
    """Return a card with these lines of front matter."""
    return "---\n" + "\n".join(lines) + f"\n---\n{body}"


def test_the_line_that_names_the_parent_is_the_evidence():
    """A declared edge quotes its line and marks the name in it."""
    document, entities, edges, _ = link(front("license: mit", "base_model: org/Parent-7B"))
    (edge,) = edges
    (item,) = edge.evidence
    assert (edge.head, edge.tail) == ("Child-7B", "Parent-7B")
    assert (item.kind, item.field) == ("declared", "yaml:base_model")
    assert item.sentence == "base_model: org/Parent-7B"
    assert item.object is not None
    assert item.object.of(document.text) == "org/Parent-7B"
    assert entities["Parent-7B"].repository == "org/Parent-7B"
    assert entities["Child-7B"].introduced
    assert entities["Child-7B"].facts == (("license", "mit"),)


@pytest.mark.parametrize(
    ("declared", "relation"),
    [
        ("adapter", "adapterOf"),
        ("merge", "mergedFrom"),
        ("quantized", "quantizedFrom"),
        ("finetune", "fineTunedFrom"),
    ],
)
def test_the_declared_relation_stands(declared, relation):
    """The Hub's four relations, whatever the tags say."""
    text = front("base_model: org/P-7B", f"base_model_relation: {declared}", "tags: [gguf, peft]")
    assert triples(link(text)[2]) == [(relation, "P-7B")]


@pytest.mark.parametrize(
    ("lines", "repository", "relation"),
    [
        (["library_name: peft"], "me/C", "adapterOf"),
        (["tags: ['base_model:adapter:org/P-7B']"], "me/C", "adapterOf"),
        (["tags: [gptq]"], "me/C", "quantizedFrom"),
        (["tags: [trl, sft]"], "me/P-7B-GGUF", "quantizedFrom"),
        (["tags: [mlx]"], "me/C", "derivedFrom"),
        (["tags: [generated_from_trainer]"], "me/C", "fineTunedFrom"),
        (["tags: [merge, mergekit]"], "me/C", "mergedFrom"),
        ([], "me/P-7B-Instruct", "fineTunedFrom"),
        ([], "me/C", "derivedFrom"),
    ],
)
def test_tags_and_names_decide_where_nothing_is_declared(lines, repository, relation):
    """Library, tags, and bits in the name; with no sign at all it is just derived."""
    text = front("base_model: org/P-7B", *lines)
    assert triples(link(text, repository)[2]) == [(relation, "P-7B")]


def test_a_copied_card_does_not_make_a_grandparent_a_parent():
    """A quantised copy keeps the original's base_model and datasets; neither is its own."""
    text = front("base_model: org/Base-7B", "datasets: [a/data]", "tags: [sft]")
    _, _, edges, _ = link(text, "quantiser/Tuned-7B-exl2")
    (edge,) = edges
    assert (edge.relation, edge.tail) == ("derivedFrom", "Base-7B")
    assert edge.evidence[0].rule == "base_model:copied"


def test_several_parents_are_a_merge():
    """Every member of a list is a parent."""
    text = front("base_model:", "- a/A-7B", "- b/B-7B")
    assert triples(link(text)[2]) == [("mergedFrom", "A-7B"), ("mergedFrom", "B-7B")]


def test_older_and_other_keys_name_parents():
    """finetuned_from of 2022, and a teacher."""
    text = front("finetuned_from: bert-base-uncased", "teacher_model: org/Big")
    assert triples(link(text)[2]) == [
        ("distilledFrom", "Big"),
        ("fineTunedFrom", "bert-base-uncased"),
    ]


def test_mergekit_blocks_give_all_parents_with_weights():
    """Local paths are gaps, a path in the Hub's cache is a repository, weights are facts."""
    body = """
```yaml
models:
  - model: a/A-7B
    parameters:
      weight: 0.6
  - model: "D:/hub/models--b--B-7B/snapshots/abc"
    parameters:
      weight: 0.4
  - model: /home/me/mine
merge_method: dare_ties
base_model: c/C-7B
```
"""
    _, entities, edges, _ = link(front("tags: [merge]", body=body))
    assert triples(edges) == [("mergedFrom", name) for name in ("A-7B", "B-7B", "C-7B")]
    facts = set(entities["Child-7B"].facts)
    assert ("merge_weight", "a/A-7B=0.6") in facts
    assert ("merge_method", "dare_ties") in facts
    assert ("parent_gap", "/home/me/mine") in facts
    (first,) = (e for e in edges if e.tail == "A-7B")
    assert first.evidence[0].sentence.splitlines()[-1].strip() == "weight: 0.6"


@pytest.mark.parametrize(
    ("weight", "fact"),
    [("0.50", "0.5"), ("[0, 0.50, 1]", "[0, 0.5, 1]"), ("1e-3", "0.001"), ("high", '"high"')],
)
def test_weights_of_a_merge_are_numbers(weight, fact):
    """However they are written, as JSON writes them."""
    code = (
        f"- merge_method: ties\n  models: [{{model: a/A-7B, parameters: {{weight: {weight}}}}}]\n"
    )
    _, entities, _, _ = link(front("tags: [merge]", body=f"\n```yaml\n{code}```\n"))
    assert ("merge_weight", f"a/A-7B={fact}") in entities["Child-7B"].facts


def test_adapter_config_gguf_fields_and_template_lines_are_read():
    """Three other places in a card's body that state a parent."""
    body = (
        '```json\n{"base_model_name_or_path": "org/P-7B", "r": 8}\n```\n'
        "general.dataset.0.repo_url str = https://huggingface.co/datasets/o/data\n"
        "- **Finetuned from model [optional]:** [Q-7B](https://huggingface.co/org/Q-7B)\n"
        "This model is a fine-tuned version of [R-7B](https://huggingface.co/org/R-7B) on x.\n"
    )
    _, _, edges, _ = link(front("license: mit", body=body))
    assert triples(edges) == [
        ("adapterOf", "P-7B"),
        ("fineTunedFrom", "Q-7B"),
        ("fineTunedFrom", "R-7B"),
    ]
    assert triples(edges, descent=False) == [("trainedOn", "data")]


@pytest.mark.parametrize(
    ("line", "parents"),
    [
        ("**Parent Models:** [o/A](https://hf.co/o/A) and [o/B](https://hf.co/o/B)", ["A", "B"]),
        ("Base model: [A](https://hf.co/o/A), see [paper](https://arxiv.org/abs/1)", ["A"]),
        ("Base model: [A](https://hf.co/o/A) for [D](https://hf.co/datasets/o/D)", ["A"]),
        ("- Finetuned from weights: A-7B", ["A-7B"]),
        ("- Instruction tuned from model: A-7B", ["A-7B"]),
    ],
)
def test_each_parent_of_a_field_in_the_body_is_read(line, parents):
    _, _, edges, _ = link(front("license: mit", body=f"{line}\n"))
    assert [tail for _, tail in triples(edges)] == parents


def test_a_sentence_that_says_no_more_joins_the_declared_edge():
    """The trainer's sentence under an adapter's YAML is a second piece of evidence."""
    body = "This model is a fine-tuned version of [org/P-7B](https://huggingface.co/org/P-7B).\n"
    _, _, edges, _ = link(front("base_model: org/P-7B", "library_name: peft", body=body))
    (edge,) = edges
    assert edge.relation == "adapterOf"
    assert [item.field for item in edge.evidence] == ["yaml:base_model", "body"]


def test_a_placeholder_is_no_parent():
    """Templates that nobody filled in."""
    body = "- **Finetuned from model [optional]:** [More Information Needed]\n"
    assert link(front("base_model: []", "datasets: [unknown, null]", body=body))[2] == ()


def test_the_model_index_gives_scores_as_written():
    """Trailing zeros stay; the dataset is what it was evaluated on."""
    text = front(
        "model-index:", "- name: Child-7B", "  results:", "  - task:", "      type: x",
        "    dataset:", "      name: GLUE", "      type: glue",
        "    metrics:", "    - type: accuracy", "      value: 0.920",
        "    - type: f1", "      value: 0.5",
    )  # fmt: skip
    _, entities, edges, results = link(text)
    assert triples(edges, descent=False) == [("evaluatedOn", "GLUE")]
    assert entities["GLUE"].label == "Benchmark"
    found = [(r.subject, r.on, r.metric, r.value) for r in results]
    assert found == [
        ("Child-7B", "GLUE", "accuracy", "0.920"),
        ("Child-7B", "GLUE", "f1", "0.5"),
    ]


def test_a_dataset_card_names_its_sources():
    """source_datasets are what it was derived from; original means none."""
    text = front("source_datasets: [original, extended|squad, o/d]", "task_categories: [x-y]")
    _, _, edges, _ = link(text, "me/data", is_dataset=True)
    assert triples(edges) == [("derivedFrom", "d"), ("derivedFrom", "squad")]


def test_what_the_text_names_joins_what_the_card_declares():
    """A mention of the parent in prose is the same entity, with its repository."""
    text = front("base_model: org/Parent-7B", body="Parent-7B is its parent.\n")
    document = card(text, repository="me/Child")
    at = document.text.index("Parent-7B is")
    seen = LocalEntity("Parent-7B", "Model", False, (Mention(Span(at, at + 9), "Model", 1, "x"),))
    entities, edges, _ = link_card(document, (seen,))
    (parent,) = (e for e in entities if e.canonical == "Parent-7B")
    assert parent.repository == "org/Parent-7B"
    assert len(parent.mentions) == 2
    assert [edge.tail for edge in edges] == ["Parent-7B"]


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("org/Name-7B", ("Name-7B", "org/Name-7B")),
        ("https://huggingface.co/org/Name", ("Name", "org/Name")),
        ("https://huggingface.co/datasets/org/Name/tree/main", ("Name", "org/Name")),
        ("[Name](https://huggingface.co/org/Name)", ("Name", "org/Name")),
        ("bert-base-uncased", ("bert-base-uncased", "")),
        ("/home/me/model", None),
        ("./output", None),
        (r"D:\models\x", None),
        ("[More Information Needed]", None),
        ("{{ base_model }}", None),
        ("", None),
    ],
)
def test_values_are_repositories_names_or_nothing(value, target):
    """What a field points at."""
    assert target_of(value) == target


def test_every_declared_parent_of_the_real_cards_is_found(shared):
    """All readable base_model values of 162 cards: parent, direction and kind."""
    folder = shared / "corpora" / "cards"
    rows = [json.loads(line) for line in (folder / "index.jsonl").open(encoding="utf-8")]
    kinds = {
        "mlx": {"derivedFrom"},
        "mergekit": {"mergedFrom"},
        "peft": {"adapterOf"},
        "trl": {"fineTunedFrom"},
        "gguf": {"derivedFrom", "fineTunedFrom"},
        "copied": {"derivedFrom", "quantizedFrom", "fineTunedFrom", "adapterOf"},
    }
    checked = 0
    for row in rows:
        text = (folder / row["file"]).read_text(encoding="utf-8", errors="replace")
        repository, is_dataset = repository_of_path(row["file"])
        named = file_name(row["file"])
        document = card(text, repository=repository, is_dataset=is_dataset, named=named)
        entities, edges, _ = link_card(document, ())
        by_name = {entity.canonical: entity for entity in entities}
        declared = {
            by_name[edge.tail].repository or edge.tail: edge
            for edge in edges
            if any(item.field == "yaml:base_model" for item in edge.evidence)
        }
        wanted = row["base_model"] or []
        wanted = [wanted] if isinstance(wanted, str) else wanted
        assert set(declared) == set(wanted), row["file"]
        for edge in declared.values():
            assert by_name[edge.head].introduced
            assert edge.relation in kinds[row["group"]], row["file"]
        checked += len(wanted)
    assert checked == 34


def test_real_kinds_one_by_one(shared):
    """Cards whose relation a person has judged."""
    folder = shared / "corpora" / "cards"
    judged = {
        "copied__mlx-community@DeepSeek-R1-Distill-Qwen-14B-4bit.md": "quantizedFrom",
        "copied__NyayaLabs98@nyaya-embed-v1.md": "fineTunedFrom",
        "copied__ffurfaro@Titanesque-Llama-3.2-1B.md": "adapterOf",
        "peft__exaone-greeting-lora@2@README.md": "adapterOf",
        "gguf__Qwen2.5-0.5B-Instruct@README.md": "fineTunedFrom",
    }
    for name, relation in judged.items():
        document = card(
            (folder / name).read_text(encoding="utf-8"),
            repository=repository_of_path(name)[0],
            named=file_name(name),
        )
        edges = link_card(document, ())[1]
        assert [e.relation for e in edges if e.relation not in NOT_DESCENT] == [relation], name


# ---------------------------------------------------------------- inferred edges


def _edge(subject, relation, object_, kind="declared", confidence=0.9):
    item = Evidence("d", "abstract", Span(0, 4), "text", kind, "x", "r", confidence)
    return Edge(subject, relation, object_, (item,), confidence)


def test_hidden_teachers_are_inferred_with_their_premises():
    """Trained on data that a teacher wrote: it learned from the teacher."""
    models = [Entity(f"model/{n}", "Model", n) for n in ("student", "teacher")]
    edges = [
        _edge("dataset/d", "generatedBy", "model/teacher", confidence=0.8),
        _edge("model/student", "trainedOn", "dataset/d"),
    ]
    (found,) = infer_graph(models, lambda: edges, lambda _: None)
    assert found.key == ("model/student", "distilledFrom", "model/teacher")
    (item,) = found.evidence
    assert (item.kind, item.rule) == ("inferred", "chain:teacher")
    assert found.confidence == pytest.approx(0.72)
    assert item.premises == (
        "model/student trainedOn dataset/d",
        "dataset/d generatedBy model/teacher",
    )


def test_a_doubtful_sentence_does_not_hide_what_a_chain_implies():
    """A candidate for the same edge leaves the inferred one; a denial keeps it out."""
    models = [Entity(f"model/{n}", "Model", n) for n in ("student", "teacher")]
    chain = [
        _edge("dataset/d", "generatedBy", "model/teacher", confidence=0.8),
        _edge("model/student", "trainedOn", "dataset/d"),
    ]
    said = _edge("model/student", "distilledFrom", "model/teacher", confidence=0.4)

    def implied(status):
        edges = [*chain, replace(said, status=status)]
        return [edge.key for edge in infer_graph(models, lambda: edges, lambda _: None)]

    assert implied("candidate") == [("model/student", "distilledFrom", "model/teacher")]
    assert implied("negated") == []


def test_a_name_never_overrules_a_declaration():
    """With a stated parent, the name adds none; without, it does."""
    names = ("X-7B-GGUF", "X-7B", "Y-7B")
    document = Document("d", "text", "", "X-7B-GGUF is a copy.")
    models = [Entity(f"model/{n.lower()}", "Model", n, mentioned_in=(("d", 1),)) for n in names]
    stated = [_edge("model/x-7b-gguf", "quantizedFrom", "model/y-7b")]
    assert list(infer_graph(models, lambda: stated, lambda _: document)) == []
    (found,) = infer_graph(models, list, lambda _: document)
    assert found.key == ("model/x-7b-gguf", "quantizedFrom", "model/x-7b")
    assert found.evidence[0].sentence == document.text


def test_a_copy_of_the_familys_own_is_still_a_copy():
    """That X-7B-GGUF is of the family X-7B does not hide that it is X-7B in fewer bits."""
    names = ("X-7B-GGUF", "X-7B")
    document = Document("d", "text", "", "X-7B-GGUF is a copy.")
    models = [Entity(f"model/{n.lower()}", "Model", n, mentioned_in=(("d", 1),)) for n in names]
    stated = [_edge("model/x-7b-gguf", "memberOf", "model/x-7b")]
    (found,) = infer_graph(models, lambda: stated, lambda _: document)
    assert found.key == ("model/x-7b-gguf", "quantizedFrom", "model/x-7b")


def names_left(body, *named, repository="me/Child-7B"):
    """Return which of the ``(words, label)`` are still names once the card is read, by label."""
    document = card(front("license: mit", body=body), repository=repository)
    entities = []
    for words, label in named:
        start = document.text.index(words, document.body)
        mention = Mention(Span(start, start + len(words)), label, 0.9, "learned")
        entities.append(LocalEntity(words, label, False, (mention,)))
    found, _, _ = link_card(document, entities)
    return sorted((e.canonical, e.label) for e in found if e.canonical != "Child-7B")


@pytest.mark.parametrize(
    ("body", "named", "left"),
    [
        (
            "It began as [Acme-Lab/bert-base-poems](https://huggingface.co/Acme-Lab/bert-base-poems).",
            [("Acme-Lab", "Model"), ("bert-base", "Model")],
            [("bert-base-poems", "Model")],
        ),
        (
            "It began as [`bert-base-poems`](https://huggingface.co/Acme/bert-base-poems).",
            [("bert-base", "Model")],
            [("bert-base-poems", "Model")],
        ),
        (
            "It began as [BERT by Acme](https://huggingface.co/Acme/bert-base-poems).",
            [("BERT", "Method"), ("BERT", "Model")],
            [("bert-base-poems", "Model")],
        ),
        (
            "See [poems](https://huggingface.co/datasets/Acme/poems) in a [space](https://hf.co/spaces/space).",
            [],
            [("poems", "Dataset")],
        ),
        (
            "It has the weights of [Ada's Rhyme 7B](https://huggingface.co/Rhyme/7B).",
            [("Ada's Rhyme", "Model"), ("Rhyme 7B", "Model")],
            [("Rhyme 7B", "Model")],
        ),
        (
            "It began as Acme/rhyme-7b there.",
            [("Acme", "Model"), ("rhyme-7b", "Model")],
            [("rhyme-7b", "Model")],
        ),
        (
            "We use [transformers](https://huggingface.co/docs/transformers).",
            [],
            [],
        ),
        (
            "It began as [Acme/bert-base-poems](https://huggingface.co/Acme/bert-base-poems).",
            [("bert-base-poems", "Model")],
            [("bert-base-poems", "Model")],
        ),
        ("It began as [./rhyme-v1/](https://hf.co/./rhyme-v1/).", [("rhyme-v1", "Model")], []),
        ("### Out-of-Scope Use\n\nAnything else.", [("Out-of-Scope Use", "Task")], []),
        ("## Acme-3B Model Card\n\nMore.", [("Acme-3B Model Card", "Model")], []),
        ("It will NOT work on Windows.", [("NOT", "Task")], []),
        ("Resumed from `rhyme-v1-2`.225,000 steps.", [("rhyme-v1-2`.225", "Model")], []),
        ("Child-7B reads poems.", [("Child-7B", "Task")], []),
        ("We compare it with BERT.", [("BERT", "Model")], [("BERT", "Model")]),
    ],
    ids=[
        "parts of an id",
        "parts of a linked name",
        "a part that a link makes whole",
        "a linked data set",
        "whose it is",
        "an owner",
        "a link to no repository",
        "a path",
        "a whole name",
        "heading",
        "title",
        "emphasis",
        "markup",
        "own name",
        "prose",
    ],
)
def test_forms_and_addresses_name_nothing_but_themselves(body, named, left):
    """Parts of an id, headings of the template, emphasis and the card's own name are no names."""
    assert names_left(body, *named) == left


def test_a_part_of_the_cards_own_name_is_no_model():
    """``bert-base-v1`` inside ``me/poems-bert-base-v1``."""
    body = "# me/poems-bert-base-v1\n\nIt is small."
    left = names_left(body, ("bert-base-v1", "Model"), repository="me/poems-bert-base-v1")
    assert left == [("poems-bert-base-v1", "Model")]


TRAINED = "This model is a fine-tuned version of [a/base-x](https://huggingface.co/a/base-x) on "


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("the poems dataset.", [("trainedOn", "poems")]),
        ("the MINE/SONGS_7 - EO dataset.", [("trainedOn", "SONGS_7")]),
        ("an unknown dataset.", []),
        ("the None dataset.", []),
    ],
)
def test_a_trainers_sentence_names_the_data(data, found):
    """The model was trained on it; a trainer that does not know says so."""
    _, _, edges, _ = link(front("license: mit", body=TRAINED + data))
    assert triples(edges, descent=False) == found
    assert triples(edges) == [("fineTunedFrom", "base-x")]


def test_a_trainers_sentence_says_nothing_of_the_parents_data():
    """What prose reading makes of the template beside what it states does not stand."""
    body = (
        TRAINED
        + "the poems dataset. Poems come from Bard.\n\nWe compare base-x with BERT on rhymes."
    )
    document, _, declared, _ = link(front("license: mit", body=body))

    def said(head, relation, tail, words):
        start = document.text.index(words)
        span = Span(start, start + len(words))
        evidence = Evidence(document.id, "body", span, words, "extracted", "learned", relation, 0.8)
        return LocalEdge(head, relation, tail, (evidence,))

    wrong = said("base-x", "trainedOn", "poems", "on the poems dataset.")
    same = said("Child-7B", "trainedOn", "poems", "on the poems dataset.")
    other = said("base-x", "evaluatedOn", "rhymes", "We compare base-x with BERT on rhymes.")
    after = said("Child-7B", "distilledFrom", "Bard", "Poems come from Bard.")
    assert corrected(document, declared, (wrong, same, other, after)) == (same, other, after)


def test_a_family_that_prose_states_bears_the_name_or_is_named_there():
    """A random sentence is no evidence that a tokenizer belongs to a family."""
    text = "Poem-7B writes. Poem-7B and Ode-3 belong to Muse."
    document, _, declared, _ = link(front("license: mit", body=text))

    def member(head, tail, sentence, *, named):
        start = document.text.index(sentence)
        spans = [
            Span(at, at + len(word)) if (at := document.text.find(word, start)) >= 0 else None
            for word in (head, tail)
        ]
        evidence = Evidence(
            document.id, "body", Span(start, start + len(sentence)), sentence, "extracted",
            "learned", "memberOf", 0.6, *(spans if named else (None, None)),
        )  # fmt: skip
        return LocalEdge(head, "memberOf", tail, (evidence,))

    by_name = member("Poem-7B", "Poem", "Poem-7B writes.", named=False)
    by_text = member("Ode-3", "Muse", "Poem-7B and Ode-3 belong to Muse.", named=True)
    neither = member("PoemTokenizer", "Poem", "Poem-7B writes.", named=False)
    tuned = member("Muse-Loud-Voice", "Muse", "Poem-7B writes.", named=False)
    words = member("Muse Platform", "Muse", "Poem-7B writes.", named=False)
    read = (by_name, by_text, neither, tuned, words)
    assert corrected(document, declared, read) == (by_name, by_text, tuned)


def test_a_word_in_somebodys_repository_is_not_the_benchmark_of_that_name():
    """``camel-ai/math`` is not MATH; GSM8K is GSM8K wherever it is kept."""
    _, entities, edges, _ = link(front("datasets:", "- camel-ai/math", "- openai/gsm8k"))
    expected = [("trainedOn", "gsm8k"), ("trainedOn", "math (camel-ai)")]
    assert triples(edges, descent=False) == expected
    assert entities["math (camel-ai)"].label == "Dataset"
    assert entities["gsm8k"].label == "Benchmark"


def read_alone(name, text):
    """Return the names that a local card introduces, and its edges of descent."""
    document = card(text, named=name)
    entities, edges, _ = link_card(document, ())
    return [e.canonical for e in entities if e.introduced], triples(edges)


@pytest.mark.parametrize(
    ("named", "heading", "subject"),
    [
        ("list", "# MyMerge-7B", "MyMerge-7B"),
        ("list", "# Model Card for MyMerge-7B", "MyMerge-7B"),
        ("list", "# Llama 3.1 8B", "Llama 3.1 8B"),
        ("my-merge", "# Model Card", "my-merge"),
        ("my-merge", "# Introduction", "my-merge"),
        ("my-merge", "# A merge of 3 models", "my-merge"),
        ("my-merge", "# 2024", "my-merge"),
        ("my-merge", "No heading at all.", "my-merge"),
    ],
)
def test_a_local_card_is_called_by_its_heading_if_that_is_a_name(named, heading, subject):
    """The file's name stands in where neither repository nor heading names anything."""
    parents = "base_model:\n- org/One-7B\n- org/Two-7B"
    assert read_alone(
        named, front(parents, "tags: [merge]", body=f"{heading}\n\nIt is small.\n")
    ) == (
        [subject],
        [("mergedFrom", "One-7B"), ("mergedFrom", "Two-7B")],
    )


def test_a_heading_does_not_outweigh_a_repository_or_a_declared_name():
    body = "# MyMerge-7B\n"
    assert read_alone("list", front("license: mit", "model_name: Sky-7B", body=body))[0] == [
        "Sky-7B"
    ]
    _, entities, _, _ = link(front("license: mit", body=body))
    assert [n for n, e in entities.items() if e.introduced] == ["Child-7B"]


def test_a_number_is_no_data_set_and_no_parent():
    lines = ("base_model: 7", "datasets: [12, 2.5, true, org/poems, 2024-01-01]")
    _, entities, edges, _ = link(front(*lines))
    assert triples(edges, descent=False) == [("trainedOn", "poems")]
    assert triples(edges) == []
    assert entities["Child-7B"].facts == ()


def prose(body, repository="me/Child-7B"):
    """Return the accepted edges that are read in a card, as triples."""
    document = card(front("license: mit", body=body), repository=repository)
    (found,) = reading.read([document])
    return {(e.head, e.relation, e.tail) for e in accepted(found).edges}


LONG = "Child-7B is a small model that Acme Research made for poems and rhymes, derived from"


@pytest.mark.parametrize("between", [" ", "\n"])
def test_a_line_break_within_a_paragraph_ends_no_sentence(between):
    body = f"# Child-7B\n\n{LONG}{between}Mistral-7B in a week.\n"
    assert ("Child-7B", "derivedFrom", "Mistral-7B") in prose(body)


def test_a_line_break_after_a_field_ends_it():
    """Short lines are fields: what stands in the next one is said of something else."""
    body = "# Child-7B\n\nThis is derived from\nMistral-7B\n"
    assert ("Child-7B", "derivedFrom", "Mistral-7B") not in prose(body)


@pytest.mark.parametrize(
    ("sentence", "relation", "parent"),
    [
        ("This is a fine-tune of [`acme/Mistral-7B-v0.1`](https://hf.co/acme/Mistral-7B-v0.1).",
         "fineTunedFrom", "Mistral-7B-v0.1"),
        ("This model is based on [`acme/deberta-v3-large`](https://hf.co/acme/deberta-v3-large).",
         "derivedFrom", "deberta-v3-large"),
        ("Fine-tuned [me/Child](https://huggingface.co/me/Child) on Spanish.",
         "fineTunedFrom", "Child"),
    ],
)  # fmt: skip
def test_links_and_marks_hide_no_parent(sentence, relation, parent):
    """The last parent's name is the beginning of the child's, and it is a parent all the same."""
    assert ("Child-7B", relation, parent) in prose(f"# Child-7B\n\n{sentence}\n")


def test_a_card_that_says_of_which_kind_a_parent_is_is_believed():
    """The trees would call it fine-tuned, for it was that, too."""
    body = "# Child-7B\n\nChild-7B is pruned from Mistral-7B, and what remained was fine-tuned.\n"
    found = {edge for edge in prose(body) if edge[2] == "Mistral-7B"}
    assert found == {("Child-7B", "prunedFrom", "Mistral-7B")}


def test_the_data_of_a_cards_model_is_not_its_parents():
    body = "# Child-7B\n\nBuilt by finetuning Mistral-7B on the UltraChat dataset.\n"
    found = prose(body)
    assert ("Child-7B", "fineTunedFrom", "Mistral-7B") in found
    assert ("Mistral-7B", "trainedOn", "UltraChat") not in found


def test_data_that_a_card_only_trains_on_is_no_test():
    found = prose("# Child-7B\n\nChild-7B was trained on UltraChat.\n")
    assert ("Child-7B", "trainedOn", "UltraChat") in found
    assert ("Child-7B", "evaluatedOn", "UltraChat") not in found


def test_a_readme_without_repository_is_called_as_its_folder_is(tmp_path):
    home = tmp_path / "child-7b"
    home.mkdir()
    (home / "README.md").write_text(front("license: mit", body="# Introduction\n\nHello.\n"))
    (document,) = readers.read([home / "README.md"])
    (subject,) = (e for e in link_card(document, ())[0] if e.introduced)
    assert subject.canonical == "child-7b"
