"""What model names say, on real names of the Hub and of papers."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.names import Hint, compatible, families, family_chain, parents, parse, same_model, without


@pytest.mark.parametrize(
    ("name", "family", "versions", "size", "lines", "tuning"),
    [
        ("Qwen2.5-32B-Instruct", "Qwen", ("2.5",), "32B", (), ("instruct",)),
        ("Qwen/Qwen2.5-VL-72B-Instruct", "Qwen", ("2.5",), "72B", ("vl",), ("instruct",)),
        ("Qwen2.5VL-7B", "Qwen", ("2.5",), "7B", ("vl",), ()),
        ("Qwen3-30B-A3B", "Qwen", ("3",), "30B-A3B", (), ()),
        ("Mixtral-8x7B-Instruct-v0.1", "Mixtral", ("0.1",), "8x7B", (), ("instruct",)),
        ("DeepSeek-R1-Zero", "DeepSeek", ("r1", "zero"), "", (), ()),
        ("gpt-4o-mini-2024-07-18", "GPT", ("4o",), "", ("mini",), ()),
        ("Claude-3.7-Sonnet (Thinking)", "Claude", ("3.7",), "", ("sonnet",), ("thinking",)),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "Llama", ("3",), "8B", (), ("instruct",)),
        ("internlm/internlm2_5-1_8b-chat", "InternLM", ("2", "5"), "1.8B", (), ("chat",)),
        ("TucanoBR/Tucano-1b1-Instruct", "Tucano", (), "1.1B", (), ("instruct",)),
        ("mistral7b", "Mistral", (), "7B", (), ()),
        ("gemma3n-E4B-it", "Gemma", ("3n",), "E4B", (), ("it",)),
        ("BERT", "BERT", (), "", (), ()),
    ],
)
def test_a_name_is_taken_apart(name, family, versions, size, lines, tuning):
    """Family, versions, size, line and tuning of real names."""
    parsed = parse(name)
    found = (parsed.family, parsed.versions, parsed.size, parsed.lines, parsed.tuning)
    assert found == (family, versions, size, lines, tuning)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("Qwen2.5-7B-Instruct-GPTQ-Int4", ("gptq", "int4")),
        ("TheBloke/Llama-2-7B-AWQ", ("awq",)),
        ("bartowski/foo-7B-Q4_K_M.gguf", ("q4_k_m",)),
        ("llama-3-70b-bnb-4bit", ("bnb", "4bit")),
        ("bagel-dpo-7b-v0.4-6.0bpw-h6-exl2", ("6.0bpwh6", "exl2")),
        ("mradermacher/X-7B-i1-GGUF", ("i1", "gguf")),
        ("Model-7B-FP8", ("fp8",)),
        ("Model-7B-w4a16", ("w4a16",)),
        ("Qwen2.5-7B", ()),
    ],
)
def test_quantisation_is_seen(name, bits):
    """GPTQ, AWQ, GGUF types, bitsandbytes, EXL2, FP8 and weights-and-activations schemes."""
    assert parse(name).quantisation == bits


def test_dates_and_contexts_are_no_sizes():
    """2410 and 0528 are dates, 1M after 7B is a context."""
    assert parse("Ministral-8B-Instruct-2410").date == "2410"
    assert parse("DeepSeek-R1-0528").date == "0528"
    assert parse("c4ai-command-r-08-2024").date == "202408"
    assert parse("Qwen2.5-7B-Instruct-1M").context == "1m"
    assert parse("SmolLM-135M").size == "135M"


@pytest.mark.parametrize(
    ("name", "chain"),
    [
        (
            "Qwen2.5-32B-Instruct",
            ("Qwen", "Qwen2.5", "Qwen2.5-32B", "Qwen2.5-32B-Instruct"),
        ),
        (
            "DeepSeek-R1-Distill-Qwen-32B",
            (
                "DeepSeek",
                "DeepSeek-R1-Distill",
                "DeepSeek-R1-Distill-Qwen",
                "DeepSeek-R1-Distill-Qwen-32B",
            ),
        ),
        ("Light-R1-32B", ("Light", "Light-R1", "Light-R1-32B")),
        ("DeepSeek-Coder-V2", ("DeepSeek", "DeepSeek-Coder", "DeepSeek-Coder-V2")),
        ("DeepSeek-R1-Zero", ("DeepSeek", "DeepSeek-R1-Zero")),
        ("BERT", ("BERT",)),
    ],
)
def test_families_contain_their_members(name, chain):
    """A chain from the widest family to the name itself; R1-Zero is no member of R1."""
    assert family_chain(name) == chain


def test_what_others_made_of_a_family_is_no_member():
    """A name with words of its own at the end, or of another organisation, has no family."""
    assert families("Qwen2.5-7B-Instruct") == ("Qwen2.5-Instruct", "Qwen2.5", "Qwen")
    assert families("someone/Qwen2.5-7B") == ()
    assert families("Qwen2.5-Math-7B-CFT") == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Qwen 2.5 32B instruct", "Qwen2.5-32B-Instruct"),
        ("Deepseek R1", "DeepSeek-R1"),
        ("Meta-Llama-3-8B", "LLaMA3 8B"),
        ("LLaMA-V2", "Llama 2"),
        ("Qwen/Qwen2.5-7B", "Qwen2.5-7B"),
        ("internlm/internlm2_5-1_8b-chat", "InternLM2.5-1.8B-Chat"),
        ("DeepSeek-R1-Distill", "DeepSeek-R1 Distilled"),
        ("Claude 4.5 Sonnet", "Claude Sonnet 4.5"),
    ],
)
def test_spellings_of_one_name_unify(one, other):
    """Case, blanks, hyphens and order do not make another model."""
    assert same_model(one, other)
    assert same_model(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Qwen2.5-7B", "Qwen2.5-72B"),
        ("DeepSeek-R1", "DeepSeek-R1-Zero"),
        ("Light-R1-14B-DS", "Light-R1-14B"),
        ("Qwen2.5-7B", "Qwen2-7B"),
        ("Qwen2.5-7B", "Qwen2.5-7B-Instruct"),
        ("Qwen2.5-7B", "Qwen2.5-7B-AWQ"),
        ("Llama 3 1B", "Llama-31B"),
        ("GPT-4", "GPT-4o"),
        ("DeepSeek-R1", "DeepSeek-R1-0528"),
        ("unsloth/Llama-3-8B", "meta-llama/Llama-3-8B"),
        ("someone/Qwen2.5-7B", "Qwen2.5-7B"),
        ("ILLUME", "ILLUME+"),
    ],
)
def test_different_models_never_unify(one, other):
    """Size, version, variant, bits, date and organisation keep two names apart."""
    assert not same_model(one, other)
    assert not same_model(other, one)


def test_a_long_form_is_no_obstacle():
    """Words such as Vision mean a variant only where the name is a technical one."""
    assert compatible("LLaVA", "Large Language and Vision Assistant")
    assert not compatible("Llama 3.2", "Llama 3.2 Vision")


@pytest.mark.parametrize(
    ("name", "relation", "parent"),
    [
        ("DeepSeek-R1-Distill-Qwen-32B", "distilledFrom", "DeepSeek-R1"),
        ("TheBloke/CausalLM-14B-AWQ", "quantizedFrom", "CausalLM-14B"),
        ("distilbert-base-uncased", "distilledFrom", "bert-base-uncased"),
        ("distilbert-base-uncased-finetuned-ner", "fineTunedFrom", "distilbert-base-uncased"),
        ("Qwen2.5-32B-Instruct", "fineTunedFrom", "Qwen2.5-32B"),
        ("ffurfaro/Titanesque-Llama-3.2-1B", "derivedFrom", "Llama-3.2-1B"),
        ("Mistral-7B-v0.1-lora", "adapterOf", "Mistral-7B-v0.1"),
    ],
)
def test_a_name_suggests_its_parent(name, relation, parent):
    """What names hint at; the caller decides whether such a model exists."""
    first = parents(name)[0]
    assert (first.relation, first.parent) == (relation, parent)


def test_words_after_a_tuned_models_name_do_not_make_it_the_parent():
    """``Qwen2.5-7B-instruct-with-poems`` is mostly tuned anew from the base; of a base it is."""
    rules = {hint.rule for hint in parents("Qwen2.5-7B-Instruct-with-poems")}
    assert "name:prefix" not in rules
    (first, *_) = parents("Qwen2.5-7B-poems")
    assert (first.parent, first.rule) == ("Qwen2.5-7B", "name:prefix")


@pytest.mark.parametrize("name", ["DeepSeek-R1", "GPT-4o", "AM-Distill-Qwen-32B", "ResNet-50", ""])
def test_many_names_suggest_nothing(name):
    """AM-Distill names no teacher: AM is no model with a version."""
    assert parents(name) == ()


def test_bits_can_be_taken_off():
    """The name of what was quantised."""
    assert without("Qwen2.5-7B-Instruct-GPTQ-Int4", "quantisation") == "Qwen2.5-7B-Instruct"
    assert parents("X-7B-Q4_K_M")[0] == Hint("quantizedFrom", "X-7B", "name:quantised")


#: A busy machine is no reason to fail.
LAWS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40
) | st.from_regex(
    r"[A-Za-z]{1,6}[-_ ]?[0-9.]{0,4}[-_ ]?[0-9]{1,2}[bBmM](-[A-Za-z0-9_]{1,8}){0,4}", fullmatch=True
)


@LAWS
@given(NAMES)
def test_every_text_has_a_parse(name):
    """Nothing crashes, a name is its own spelling, and its chain ends with it."""
    parsed = parse(name)
    assert same_model(name, name) or not name.strip()
    assert compatible(name, name)
    assert family_chain(name)[-1] == parsed.name
    for hint in parents(name):
        assert hint.parent


@LAWS
@given(NAMES, NAMES)
def test_same_implies_compatible_and_is_symmetric(one, other):
    """What unifies is never incompatible, in either order."""
    assert same_model(one, other) == same_model(other, one)
    if same_model(one, other):
        assert compatible(one, other)


@LAWS
@given(NAMES)
def test_pieces_stand_in_order_and_do_not_overlap(name):
    """The parts are slices of the name, one after the other."""
    parsed = parse(name)
    ends = [0, *(piece.end for piece in parsed.pieces)]
    assert all(e <= p.start < p.end for e, p in zip(ends, parsed.pieces, strict=False))
