"""A graph small enough to know by heart: queries, the endpoint and shapes are tested on it."""

from kg.values import Document, Edge, Entity, Evidence, Graph, Result, Span

_PAPER = "2401.00001"
_LATER = "2402.00002"
_CARD = "org/tiny-gguf"

_TEXTS = {
    _PAPER: (
        "Tiny learns from Big\n"
        "We distil Tiny from Big and fine-tune it from Base. "
        "Tiny is trained on Notes, which Big has written. "
        "Tiny uses LoRA and scores 71.5% on Quiz. "
        "It outperforms Base. It is not pruned from Big. "
        "Notes are used to test it as well."
    ),
    _LATER: (
        "Base strikes back\n"
        "Base outperforms Tiny. Base uses LoRA. Base scores 80 accuracy on Quiz. "
        "Perhaps Base comes from Big."
    ),
    _CARD: (
        "---\nbase_model: org/tiny\nbase_model_relation: quantized\nlicense: mit\n---\n"
        "Tiny, small.\n"
    ),
}


def _read(document: str, sentence: str, confidence: float = 0.9, **more: object) -> Evidence:
    start = _TEXTS[document].index(sentence)
    span = Span(start, start + len(sentence))
    field = "yaml:base_model" if document == _CARD else "abstract"
    kind = "declared" if document == _CARD else "extracted"
    extractor = "card" if document == _CARD else "cues"
    values: dict[str, object] = {"kind": kind, "extractor": extractor, "rule": "r1", **more}
    return Evidence(
        document=document,
        field=field,
        span=span,
        sentence=sentence,
        confidence=confidence,
        **values,  # type: ignore[arg-type]
    )


_DISTIL = "We distil Tiny from Big and fine-tune it from Base."
_NOTES = "Tiny is trained on Notes, which Big has written."
_SCORE = "Tiny uses LoRA and scores 71.5% on Quiz."


def _edge(
    subject: str, relation: str, object_: str, *evidence: Evidence, status: str = "accepted"
) -> Edge:
    confidence = max(reading.confidence for reading in evidence)
    return Edge(subject, relation, object_, evidence, confidence, status)


def small() -> Graph:
    """Return the graph."""
    documents = (
        Document(
            _PAPER,
            "paper",
            "Tiny learns from Big",
            _TEXTS[_PAPER],
            url=f"https://arxiv.org/abs/{_PAPER}",
            year=2024,
        ),
        Document(
            _LATER,
            "paper",
            "Base strikes back",
            _TEXTS[_LATER],
            url=f"https://arxiv.org/abs/{_LATER}",
            year=2024,
        ),
        Document(
            _CARD,
            "model-card",
            "tiny-gguf",
            _TEXTS[_CARD],
            url=f"https://huggingface.co/{_CARD}",
            repository=_CARD,
        ),
    )
    entities = (
        Entity("benchmark/quiz", "Benchmark", "Quiz", mentioned_in=((_PAPER, 1), (_LATER, 1))),
        Entity("dataset/notes", "Dataset", "Notes", mentioned_in=((_PAPER, 2),)),
        Entity("method/base", "Method", "base", mentioned_in=((_LATER, 1),)),
        Entity("method/lora", "Method", "LoRA", mentioned_in=((_PAPER, 1), (_LATER, 1))),
        Entity("metric/accuracy", "Metric", "accuracy", mentioned_in=((_LATER, 1),)),
        Entity("model/base", "Model", "Base", mentioned_in=((_PAPER, 2), (_LATER, 4))),
        Entity("model/big", "Model", "Big", aliases=("Big-Model",), mentioned_in=((_PAPER, 4),)),
        Entity("model/family", "Model", "Family", mentioned_in=((_PAPER, 1),)),
        Entity(
            "model/tiny",
            "Model",
            "Tiny",
            aliases=("TINY",),
            repositories=("org/tiny",),
            introduced_in=(_PAPER,),
            mentioned_in=((_PAPER, 5), (_LATER, 1)),
        ),
        Entity(
            "model/tiny-gguf",
            "Model",
            "tiny-gguf",
            repositories=(_CARD,),
            introduced_in=(_CARD,),
            mentioned_in=((_CARD, 1),),
            facts=(("license", "mit", _CARD),),
        ),
        Entity("task/quizzing", "Task", "quizzing", mentioned_in=((_PAPER, 1),)),
    )
    edges = (
        _edge("dataset/notes", "generatedBy", "model/big", _read(_PAPER, _NOTES, 0.8)),
        _edge(
            "model/base",
            "derivedFrom",
            "model/big",
            _read(_LATER, "Perhaps Base comes from Big.", 0.3),
            status="candidate",
        ),
        _edge("model/base", "outperforms", "model/tiny", _read(_LATER, "Base outperforms Tiny.")),
        _edge("model/base", "usesMethod", "method/lora", _read(_LATER, "Base uses LoRA.")),
        _edge("model/tiny", "distilledFrom", "model/big", _read(_PAPER, _DISTIL, 0.95)),
        _edge(
            "model/tiny",
            "evaluatedOn",
            "benchmark/quiz",
            _read(_PAPER, _SCORE),
            _read(_LATER, "Base scores 80 accuracy on Quiz.", 0.4, rule="r2"),
        ),
        _edge(
            "model/tiny",
            "evaluatedOn",
            "dataset/notes",
            _read(_PAPER, "Notes are used to test it as well."),
        ),
        _edge("model/tiny", "fineTunedFrom", "model/base", _read(_PAPER, _DISTIL)),
        _edge("model/tiny", "memberOf", "model/family", _read(_PAPER, "Tiny learns from Big", 0.7)),
        _edge("model/tiny", "outperforms", "model/base", _read(_PAPER, "It outperforms Base.")),
        _edge(
            "model/tiny",
            "prunedFrom",
            "model/big",
            _read(_PAPER, "It is not pruned from Big.", negated=True),
            status="negated",
        ),
        _edge("model/tiny", "trainedOn", "dataset/notes", _read(_PAPER, _NOTES)),
        _edge("model/tiny", "usesMethod", "method/lora", _read(_PAPER, _SCORE)),
        _edge(
            "model/tiny-gguf",
            "quantizedFrom",
            "model/tiny",
            _read(_CARD, "base_model: org/tiny", 0.98),
        ),
    )
    results = (
        Result(
            "model/base",
            "benchmark/quiz",
            "metric/accuracy",
            "80",
            "80",
            (_read(_LATER, "Base scores 80 accuracy on Quiz."),),
        ),
        Result("model/tiny", "benchmark/quiz", None, "71.5%", "71.5", (_read(_PAPER, _SCORE),)),
    )
    return Graph(documents, entities, edges, results, manifest={"kg": "0.1.0", "run": "0123abcd"})
