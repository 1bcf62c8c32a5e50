"""A grader tried on answers before it costs anything: which answers, what they score, what that says of the grader.

Runs where somebody asked for it. Knows no service; whoever judges and whoever runs Python graders is handed in.
"""

from rftplan.grading.scores import histogram
from rftplan.grading.verdict import Answer, Judgement, Verdict, Why, judge_pairs, judge_samples
from rftplan.trial.rows import rows_spread
from rftplan.trial.runs import SAMPLE, Rater, Scored, rate_questions, rate_samples
from rftplan.trial.samples import Samples, read_samples
from rftplan.trial.subject import ROLES, Subject, find_subject, response_format_of, subjects

__all__ = [
    "ROLES",
    "SAMPLE",
    "Answer",
    "Judgement",
    "Rater",
    "Samples",
    "Scored",
    "Subject",
    "Verdict",
    "Why",
    "find_subject",
    "histogram",
    "judge_pairs",
    "judge_samples",
    "rate_questions",
    "rate_samples",
    "read_samples",
    "response_format_of",
    "rows_spread",
    "subjects",
]
