"""Text metrics: the field's own libraries, or a name of what is missing."""

from __future__ import annotations

import pytest

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
