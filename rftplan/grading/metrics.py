"""Compares two texts: `string_check`'s operations and `text_similarity`'s metrics. Knows no templates.

The metrics are those of the field's own libraries, imported when first used; a metric whose library is not
installed is named as missing, never replaced by another. Which function and which parameters the vendor calls
is not known; ours are: `fuzz.ratio` for fuzzy_match; NLTK's sentence-level scores on words split at white
space, bleu smoothed by its method 1; the F-measure of rouge-score without stemming.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

Similarity = Callable[[str, str], float]  # (input, reference) → 0 to 1

# What takes about a second, in which nothing else of the process runs: these libraries cannot be interrupted.
MOST_CHARACTERS: Final = 500_000  # of both texts together, whatever the metric
MOST_CHARACTER_PAIRS: Final = 10_000_000_000  # fuzzy_match: two texts of 100,000
MOST_WORD_PAIRS: Final = 2_000_000  # rouge_l and meteor: two texts of 1,400 words
_WORD = re.compile(r"[^\W_]+")  # about as rouge-score takes texts apart


class Operation(StrEnum):
    """How `string_check` compares; `like` and `ilike` ask whether the input contains the reference."""

    EQ = "eq"
    NE = "ne"
    LIKE = "like"
    ILIKE = "ilike"


class Metric(StrEnum):
    """The metrics that training accepts. `cosine` exists only in evals."""

    FUZZY_MATCH = "fuzzy_match"
    BLEU = "bleu"
    GLEU = "gleu"
    METEOR = "meteor"
    ROUGE_1 = "rouge_1"
    ROUGE_2 = "rouge_2"
    ROUGE_3 = "rouge_3"
    ROUGE_4 = "rouge_4"
    ROUGE_5 = "rouge_5"
    ROUGE_L = "rouge_l"


class MetricError(Exception):
    """The library is there but cannot score: a corpus of its own is missing, or the texts are too long for it."""


def check_strings(operation: Operation, text: str, reference: str) -> bool:
    """Whether the text stands to the reference as the operation asks."""
    match operation:
        case Operation.EQ:
            return text == reference
        case Operation.NE:
            return text != reference
        case Operation.LIKE:
            return reference in text
        case Operation.ILIKE:
            return reference.casefold() in text.casefold()


def missing_package(metric: Metric) -> str | None:
    """The package to install before this metric can score, or None."""
    module, package = _library(metric)
    return package if find_spec(module) is None else None


def similarity(metric: Metric, text: str, reference: str) -> float:
    """0 to 1. Raises ImportError if `missing_package`, MetricError if the library cannot score."""
    _check_size(metric, text, reference)
    try:
        score = _scorer(metric)(text, reference)
    except LookupError as error:
        first_line = next((line for line in str(error).splitlines() if line.strip(" *")), "")
        raise MetricError(f"{metric.value} cannot score here: {first_line.strip()}") from error
    return min(1.0, max(0.0, score))


def _check_size(metric: Metric, text: str, reference: str) -> None:
    if len(text) + len(reference) > MOST_CHARACTERS:
        said = f"at most {MOST_CHARACTERS:,} characters, and these texts have {len(text):,} and {len(reference):,}"
    elif metric is Metric.FUZZY_MATCH and len(text) * len(reference) > MOST_CHARACTER_PAIRS:
        said = f"at most {MOST_CHARACTER_PAIRS:,} pairs of characters, and there are {len(text):,} × {len(reference):,}"
    elif metric in (Metric.ROUGE_L, Metric.METEOR) and _too_many_words(metric, text, reference):
        words = _words(metric, text), _words(metric, reference)
        said = f"at most {MOST_WORD_PAIRS:,} pairs of words, and there are {words[0]:,} × {words[1]:,}"
    else:
        return
    raise MetricError(f"{metric.value} compares {said}")


def _too_many_words(metric: Metric, text: str, reference: str) -> bool:
    if (len(text) + 1) * (len(reference) + 1) <= 4 * MOST_WORD_PAIRS:  # a word has a character, and one after it
        return False
    return _words(metric, text) * _words(metric, reference) > MOST_WORD_PAIRS


def _words(metric: Metric, text: str) -> int:
    return len(text.split() if metric is Metric.METEOR else _WORD.findall(text))


def _library(metric: Metric) -> tuple[str, str]:
    match metric:
        case Metric.FUZZY_MATCH:
            return "rapidfuzz", "rapidfuzz"
        case Metric.BLEU | Metric.GLEU | Metric.METEOR:
            return "nltk", "nltk"
        case _:
            return "rouge_score", "rouge-score"


@cache
def _scorer(metric: Metric) -> Similarity:
    match metric:
        case Metric.FUZZY_MATCH:
            ratio = import_module("rapidfuzz.fuzz").ratio
            return lambda text, reference: float(ratio(text, reference)) / 100
        case Metric.BLEU:
            return _bleu(import_module("nltk.translate.bleu_score"))
        case Metric.GLEU:
            gleu = import_module("nltk.translate.gleu_score").sentence_gleu
            return lambda text, reference: float(gleu([reference.split()], text.split()))
        case Metric.METEOR:
            meteor = import_module("nltk.translate.meteor_score").single_meteor_score
            return lambda text, reference: float(meteor(reference.split(), text.split()))
        case _:
            return _rouge(metric.value.replace("_l", "L").replace("_", ""))


def _bleu(library: Any) -> Similarity:
    smoothing = library.SmoothingFunction().method1

    def score(text: str, reference: str) -> float:
        return float(library.sentence_bleu([reference.split()], text.split(), smoothing_function=smoothing))

    return score


def _rouge(variant: str) -> Similarity:
    scorer = import_module("rouge_score.rouge_scorer").RougeScorer([variant])

    def score(text: str, reference: str) -> float:
        scores: Mapping[str, Any] = scorer.score(reference, text)
        return float(scores[variant].fmeasure)

    return score
