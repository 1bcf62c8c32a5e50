"""What a sample of rows says about a model: a mean with the interval around it, and whether one model is better than
another. Pure: the same scores give the same figures. Knows no spec, no grader and no service.

Rows are what is drawn by chance, not samples: several samples of a row count as one, their mean.
"""

from rftplan.judging.figures import (
    FEWEST_ROWS,
    Figure,
    Range,
    Way,
    difference_of,
    mean_of,
    row_means,
    tail_of,
)

__all__ = ["FEWEST_ROWS", "Figure", "Range", "Way", "difference_of", "mean_of", "row_means", "tail_of"]
