"""Names are found on characters, completed in lists, grouped, and told apart from debris."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.ner import Recogniser, entities_of, masking, naming
from kg.ner.abbreviations import pairs
from kg.ner.choosing import Candidate, choose, one_label
from kg.ner.coined import title_lead
from kg.ner.coordinations import elisions
from kg.ner.shapes import names_nothing, shapes
from kg.ner.spelling import singular
from kg.values import Document, Mention, Span

NAMES = [
    "Qwen2.5-7B-Instruct",
    "LLaMA-2-7B",
    "ViT-B/16",
    "Claude 3.5 Sonnet",
    "Llama 3.1 8B Instruct",
    "GPT-4o mini",
    "AlphaLM-7B",
    "MATH-500",
    "GSM8K",
    "AIME 2024",
    "meta-llama/Llama-3.1-8B",
]


def document(text: str, title: str = "A study") -> Document:
    return Document("d", "paper", title, f"{title}\n{text}")


def names(text: str) -> dict[str, str]:
    """Return the label of each canonical name that is found in a text of our own."""
    (entities,) = entities_of([document(text)])
    return {entity.canonical: entity.label for entity in entities}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_known_by_its_looks(name: str) -> None:
    """Family, version, size and variant make one name, whatever stands around it."""
    text = f"We run {name}, and more."
    assert name in [text[shape.start : shape.end] for shape in shapes(text)]


@pytest.mark.parametrize(
    ("text", "name", "label", "completed"),
    [
        ("Llama-3.1-8B and 70B", "Llama-3.1-8B", "Model", ["Llama-3.1-70B"]),
        ("AIME24 & 25.", "AIME24", "Benchmark", ["AIME25"]),
        ("CIFAR10/100 and", "CIFAR10", "Dataset", ["CIFAR100"]),
        ("Deepseek V2/V3/R1 are", "Deepseek V2", "Model", ["Deepseek V3", "Deepseek R1"]),
        ("Qwen3-VL (2B/4B) is", "Qwen3-VL", "Model", ["Qwen3-VL-2B", "Qwen3-VL-4B"]),
        ("GPT-2 medium/XL", "GPT-2 medium", "Model", ["GPT-2 XL"]),
        ("HumanEval(+)", "HumanEval", "Benchmark", ["HumanEval+"]),
        ("Qwen2.5-7B and 3 datasets", "Qwen2.5-7B", "Model", []),
        ("GPT-4 and 5 tasks", "GPT-4", "Model", []),
        ("AIME24 by 25% or", "AIME24", "Benchmark", []),
    ],
)
def test_elided_names_are_completed(text: str, name: str, label: str, completed: list[str]) -> None:
    """What a list leaves out is filled in from the name before; other numbers are no names."""
    assert [part.name for part in elisions(text, 0, len(name), label=label)] == completed


@pytest.mark.parametrize(
    ("text", "long", "short"),
    [
        ("the Low-Rank Adaptation (LoRA) way", "Low-Rank Adaptation", "LoRA"),
        ("LoRA (Low-Rank Adaptation) is", "Low-Rank Adaptation", "LoRA"),
        ("vision transformers (ViTs) are", "vision transformers", "ViTs"),
        ("signal to noise ratio or SNR.", "signal to noise ratio", "SNR"),
    ],
)
def test_abbreviations_are_paired_with_their_long_forms(text: str, long: str, short: str) -> None:
    """Either may stand in the brackets."""
    assert [(p.long.of(text), p.short.of(text)) for p in pairs(text)] == [(long, short)]


@pytest.mark.parametrize("text", ["nothing (2024) here", "as shown (see above)", "it (e.g. this)"])
def test_other_brackets_are_no_abbreviations(text: str) -> None:
    """Years and remarks are not abbreviations."""
    assert pairs(text) == []


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("code at https://example.org/BERT-base now", "BERT", "now"),
        ("gains of 6.3times over **SIFT** here", "6.3times", "SIFT"),
        (r"by 5\% with \textbf{Mixer}", "textbf", "Mixer"),
        ("an ell_2 penalty", "ell_2", "penalty"),
        ("write to someone@example.org please", "someone", "please"),
        ("someone@lab.example.org has 30% mAP@0.50", "someone", "mAP@0.50"),
    ],
)
def test_debris_is_masked_and_names_are_not(text: str, gone: str, left: str) -> None:
    """Addresses and marks become blanks of the same length."""
    masked = masking.plain(text)
    assert len(masked) == len(text)
    assert gone not in masked
    assert masked.index(left) == text.index(left)


@given(st.text(max_size=300))
def test_masking_keeps_every_offset(text: str) -> None:
    """A masked text has the same length, and the same character wherever it is not blank."""
    for kind in ("paper", "model-card"):
        masked = masking.prose(Document("d", kind, "", text))
        assert len(masked) == len(text)
        assert all(m in (" ", c) for m, c in zip(masked, text, strict=True))


def test_only_the_prose_of_a_card_is_searched() -> None:
    """Front matter, code and tables hold no names; the text beside them does."""
    text = (
        "---\nbase_model: org/GPT-2\n---\n# Card\n```python\nload('BERT-base')\n```\n"
        "| model | GPT-4 |\n|---|---|\nIt was distilled from DeepSeek-R1.\n"
    )
    card = Document("d", "model-card", "Card", text, repository="org/x", body=text.index("# Card"))
    masked = masking.prose(card)
    assert [name for name in ("GPT-2", "BERT-base", "GPT-4") if name in masked] == []
    assert "DeepSeek-R1" in masked


def test_the_words_before_the_colon_lead_the_title() -> None:
    """A title such as "X: a study of y" names X."""
    assert title_lead("FooNet: faster nets\nWe") == (0, 6)
    assert title_lead("Faster nets\nWe: all") is None


def test_names_that_overlap_exclude_each_other() -> None:
    """The candidates that together promise most are taken."""
    whole = Candidate(0, 10, "Model", 0.9, "shape")
    parts = [Candidate(0, 4, "Model", 0.6, "lexicon"), Candidate(5, 10, "Model", 0.5, "lexicon")]
    assert choose([whole, *parts], 0.4) == [whole]


def test_a_name_has_one_label_in_a_document() -> None:
    """The label with most evidence is given to all mentions of a spelling."""
    chosen = [Candidate(0, 3, "Model", 0.9, "x"), Candidate(8, 11, "Method", 0.5, "x")]
    assert [c.label for c in one_label("Foo and Foo", chosen)] == ["Model", "Model"]


def test_plain_names_are_found_with_their_types() -> None:
    """A sentence full of well-known names gives them all."""
    found = names(
        "We distil DeepSeek-R1 into Qwen2.5-7B with LoRA and report accuracy on GSM8K and MATH-500."
    )
    assert found == {
        "DeepSeek-R1": "Model",
        "Qwen2.5-7B": "Model",
        "LoRA": "Method",
        "accuracy": "Metric",
        "GSM8K": "Benchmark",
        "MATH-500": "Benchmark",
    }


def test_an_abbreviation_and_its_long_form_are_one_entity() -> None:
    """The short proper name is canonical, the long form an alias."""
    (entities,) = entities_of(
        [document("We fine-tune Llama-2-7B with Low-Rank Adaptation (LoRA). LoRA is cheap.")]
    )
    (lora,) = [entity for entity in entities if entity.canonical == "LoRA"]
    assert (len(lora.mentions), lora.aliases) == (3, ("Low-Rank Adaptation",))


def test_no_name_is_found_inside_an_address() -> None:
    """Addresses are no prose."""
    assert names("The code is at https://github.com/org/BERT-base-GSM8K.") == {}


def test_what_is_found_depends_on_the_document_alone() -> None:
    """Neighbours, their order and their number change nothing."""
    documents = [
        document("We fine-tune Qwen2.5-7B on GSM8K.", f"Paper {i}: models") for i in range(5)
    ] + [document("TinyNet is distilled from BERT.", "TinyNet: a student")]
    together = list(entities_of(documents))
    alone = [next(iter(entities_of([one]))) for one in reversed(documents)]
    assert together == alone[::-1]


@given(st.text(max_size=200))
def test_any_text_is_read_and_offsets_quote_it(text: str) -> None:
    """Mentions lie inside the text, never overlap, and canonical names are unique."""
    recogniser = Recogniser.load("fast")
    (entities,) = recogniser.entities([Document("d", "text", "", text)])
    spans = sorted(mention.span for entity in entities for mention in entity.mentions)
    assert all(span.end <= len(text) for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    canonicals = [entity.canonical for entity in entities]
    assert len(canonicals) == len(set(canonicals))


def test_the_spacy_components_give_the_same_names() -> None:
    """``kg_names`` and ``kg`` can be added to any pipeline; spans are laid on whole tokens."""
    spacy = pytest.importorskip("spacy")
    text = "We fine-tune Qwen2.5-7B-Instruct from Qwen2.5-7B on GSM8K with DPO."
    nlp = spacy.blank("en")
    nlp.add_pipe("kg_names")
    doc = nlp(text)
    (expected,) = entities_of([Document("doc", "text", "", text)])
    assert doc._.kg_entities == expected
    assert [(s.text, s.label_) for s in doc.spans["kg"]][:2] == [
        ("Qwen2.5-7B-Instruct", "Model"),
        ("Qwen2.5-7B", "Model"),
    ]
    both = spacy.blank("en")
    both.add_pipe("kg")
    (read,) = both.pipe([text])
    assert read._.kg_entities == expected
    assert ("Qwen2.5-7B-Instruct", "fineTunedFrom", "Qwen2.5-7B") in {
        (edge.head, edge.relation, edge.tail) for edge in read._.kg_edges
    }


def test_what_a_text_says_a_name_is_outweighs_its_looks() -> None:
    title = "A large open set of traces"
    text = (
        f"{title}\nThe Blue-R1-Distilled is a large-scale dataset with thinking traces. "
        "All its answers were written by DeepSeek-R1."
    )
    (found,) = Recogniser.load().entities([Document("d", "paper", title, text)])
    (blue,) = [entity for entity in found if entity.canonical == "Blue-R1-Distilled"]
    assert (blue.label, blue.introduced) == ("Dataset", True)


def test_a_size_names_something_only_beside_the_name_it_stands_for() -> None:
    """ "8B" is a model in "Llama-3.1-70B and 8B", and none where it stands alone."""
    found = names("We fine-tune Llama-3.1-70B and 8B. Our 32B model is strong; the 32B is best.")
    assert {"Llama-3.1-70B", "Llama-3.1-8B"} <= set(found)
    assert "32B" not in found


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("mathematics", "mathematics"),
        ("Robotics", "Robotics"),
        ("metrics", "metric"),
        ("heuristics", "heuristic"),
        ("abilities", "ability"),
        ("loss", "loss"),
    ],
)
def test_fields_in_ics_are_no_plurals(word: str, one: str) -> None:
    assert singular(word) == one


@pytest.mark.parametrize(
    "name", ["OpenAI", "Hugging Face", "TPU v3-8", "H100-80GB", "RTX 4090", "OpenAI's", "TPU-v4s"]
)
def test_makers_and_machines_are_no_names(name: str) -> None:
    text = f"We train AlphaLM-7B on {name}, and thank {name} for it."
    assert name not in names(text)
    assert "AlphaLM-7B" in names(text)


@pytest.mark.parametrize("name", ["A2C", "H2O", "V-Net", "GPT-4", "LAION", "Mistral"])
def test_names_that_look_a_little_like_machines_are_kept(name: str) -> None:
    assert not names_nothing(name)


def test_a_name_is_printed_as_its_letters_stand_in_tex() -> None:
    """Marks around single letters are masked where names are found, and part no names."""
    source = r"We present \textbf{A}nt\textbf{N}et."
    text = masking.plain(source)
    mentions = [Mention(Span(source.index("\\"), len(source) - 1), "Model", 0.9, "test")]
    ((name, found),) = naming.group(
        text, mentions, (), Recogniser.load().lexicon, elided={}, source=source
    )
    assert name == "AntNet"
    assert naming.entity(source, name, found, introduced=True).aliases == ()


@pytest.mark.parametrize("gap", ["\n\n", "\n- ", "\n## ", "\n1. ", "\n| "])
def test_no_name_goes_over_the_end_of_a_paragraph_heading_or_item(gap: str) -> None:
    text = (
        "A model\nWe tune Qwen2.5 and GPT-2. "
        f"The student has learned from Qwen2.5{gap}7B models are larger than GPT-2."
    )
    (entities,) = entities_of([Document("d", "text", "A model", text)])
    found = {e.canonical: [m.span.of(text) for m in e.mentions] for e in entities}
    assert found == {"Qwen2.5": ["Qwen2.5"], "GPT-2": ["GPT-2", "GPT-2"]}


def test_a_title_ends_a_name() -> None:
    (entities,) = entities_of([Document("d", "paper", "On GSM8K", "On GSM8K\nGSM8K is hard.")])
    assert [e.canonical for e in entities] == ["GSM8K"]


def test_a_score_is_no_year_of_a_benchmark() -> None:
    """ "0.94 for AntBench 2024, 0.82 for AntBench 2025" names two benchmarks, and no third."""
    text = "It scores 0.94 for AntBench 2024, 0.82 for AntBench 2025."
    start = text.index("AntBench")
    assert elisions(text, start, start + len("AntBench 2024"), label="Benchmark") == []


def test_a_number_that_stands_for_a_name_is_no_alias() -> None:
    text = "We compare Qwen2/2.5 and Qwen2.5-7B, and then tune Qwen2.5."
    (entities,) = entities_of([document(text)])
    assert not [alias for e in entities for alias in e.aliases if not alias.strip("0123456789.")]


LONG: dict[str, Callable[[int], str]] = {
    "many of its own": lambda i: f"We introduce Ant{i}Net, a new model, on Bee{i}Bench.\n",
    "one name again and again": lambda i: " and BERT-large beats GPT-2",
    "a family": lambda i: f"We test Qwen2.5-7B-ant{i}.\n",
    "abbreviations": lambda i: f"Ant{i} Bee Learning (A{i}BL) is Ant{i} Bee Learning.\n",
    "a list of versions": lambda i: f"V{i}, ",
    "verbs without a stop": lambda i: f"we introduce Ant{i}Net and ",
    "datasets": lambda i: f"The Ant{i}Set is a large-scale dataset.\n",
}


@pytest.mark.parametrize("part", LONG.values(), ids=LONG)
def test_time_grows_with_the_length_of_a_document(part: Callable[[int], str]) -> None:
    """Four times the text takes about four times the processor time, and not sixteen times."""
    short, long = ("A study\nWe test " + "".join(map(part, range(n))) for n in (300, 1200))
    seconds = []
    for text in (short, short, long):
        begin = time.process_time()
        list(entities_of([Document("d", "paper", "A study", text)]))
        seconds.append(time.process_time() - begin)
    assert seconds[2] < 8 * seconds[1]


@pytest.mark.parametrize(
    ("title", "own"),
    [
        ("BERT: reading text both ways", {"BERT"}),
        ("What BERT learns: a study of its layers", set()),
        ("How BERT compares", set()),
    ],
)
def test_a_known_name_that_a_title_leads_with_is_the_papers_own(title: str, own: set[str]) -> None:
    text = f"{title}\nBERT guesses masked words. It is tested on GLUE."
    (found,) = entities_of([Document("d", "paper", title, text)])
    assert {entity.canonical for entity in found if entity.introduced} == own
