"""Text metrics: the field's own libraries, or a name of what is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import Metric, missing_package
from rftplan.grading.metrics import MetricError, similarity


@pytest.mark.parametrize("metric", list(Metric))
def test_a_metric_scores_or_names_the_package_it_needs(metric: Metric) -> None:
    package = missing_package(metric)
    if package is not None:
        with pytest.raises(ImportError):
            similarity(metric, "a", "a")
        assert package in ("rapidfuzz", "nltk", "rouge-score")
        return
    text = "one two three four five six"
    try:
        assert similarity(metric, text, text) == pytest.approx(1, abs=0.01)
        assert similarity(metric, "seven", text) == pytest.approx(0, abs=0.2)
        assert 0 <= similarity(metric, "", text) <= 1
        assert 0 <= similarity(metric, text, "") <= 1
    except MetricError as error:
        assert metric is Metric.METEOR, "only meteor needs a corpus"
        assert "wordnet" in str(error)


def bleu(text: str, reference: str) -> float:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    return float(sentence_bleu([reference.split()], text.split(), smoothing_function=SmoothingFunction().method1))


def gleu(text: str, reference: str) -> float:
    from nltk.translate.gleu_score import sentence_gleu

    return float(sentence_gleu([reference.split()], text.split()))


def meteor(text: str, reference: str) -> float:
    from nltk.translate.meteor_score import single_meteor_score

    return float(single_meteor_score(reference.split(), text.split()))


def fuzzy(text: str, reference: str) -> float:
    from rapidfuzz import fuzz

    return fuzz.ratio(text, reference) / 100


def rouge(variant: str) -> Callable[[str, str], float]:
    def score(text: str, reference: str) -> float:
        from rouge_score.rouge_scorer import RougeScorer

        return float(RougeScorer([variant], use_stemmer=False).score(reference, text)[variant].fmeasure)

    return score


DIRECTLY: dict[Metric, Callable[[str, str], float]] = {
    Metric.FUZZY_MATCH: fuzzy,
    Metric.BLEU: bleu,
    Metric.GLEU: gleu,
    Metric.METEOR: meteor,
    Metric.ROUGE_L: rouge("rougeL"),
    **{Metric(f"rouge_{n}"): rouge(f"rouge{n}") for n in range(1, 6)},
}
texts = st.lists(st.sampled_from(["one", "two", "three", "Three", "trained", "training", "é", "7", "."]), max_size=9)


@pytest.mark.parametrize("metric", list(Metric))
@given(texts.map(" ".join), texts.map(" ".join))
def test_a_metric_is_what_its_library_says(metric: Metric, text: str, reference: str) -> None:
    try:
        expected = DIRECTLY[metric](text, reference)
    except LookupError:
        with pytest.raises(MetricError, match="wordnet"):
            similarity(metric, text, reference)
    else:
        assert similarity(metric, text, reference) == pytest.approx(min(1.0, expected), abs=1e-12)


def texts(words: int) -> tuple[str, str]:
    return " ".join(f"w{n % 997}" for n in range(words)), " ".join(f"w{n * 7 % 991}" for n in range(words))


TOO_LONG = {
    Metric.ROUGE_L: (*texts(1_500), "rouge_l compares at most 2,000,000 pairs of words, and there are 1,500 × 1,500"),
    Metric.METEOR: (*texts(1_500), "meteor compares at most 2,000,000 pairs of words, and there are 1,500 × 1,500"),
    Metric.FUZZY_MATCH: (
        "a" * 110_000,
        "b" * 110_000,
        "fuzzy_match compares at most 10,000,000,000 pairs of characters, and there are 110,000 × 110,000",
    ),
    Metric.BLEU: (
        "a " * 200_000,
        "b " * 100_000,
        "bleu compares at most 500,000 characters, and these texts have 400,000 and 200,000",
    ),
}


@pytest.mark.parametrize("metric", TOO_LONG)
def test_texts_that_would_take_long_are_not_compared(metric: Metric) -> None:
    text, reference, said = TOO_LONG[metric]
    with pytest.raises(MetricError) as refused:
        similarity(metric, text, reference)
    assert str(refused.value) == said


@pytest.mark.skipif(missing_package(Metric.ROUGE_L) is not None, reason="needs rouge-score")
def test_long_answers_with_short_references_are_compared() -> None:
    text, reference = texts(20_000)[0], texts(80)[1]
    assert 0 < similarity(Metric.ROUGE_L, text, reference) < 1


def test_a_word_has_to_be_counted_only_where_there_can_be_many() -> None:
    letters = "a" * 200_000
    if missing_package(Metric.ROUGE_L) is None:
        assert similarity(Metric.ROUGE_L, letters, letters) == 1
