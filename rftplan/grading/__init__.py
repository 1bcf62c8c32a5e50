"""A sample and an item → a score, by a grader's definition. Knows no API and no spec; a judge is handed in.

grader = parse_grader(body)                            raises GraderError
result = grader.grade(Sample.of_text(text), item, judge)
result.reply(execution_time=seconds)                   what `graders/run` answers
"""

from rftplan.grading.batches import grade_all
from rftplan.grading.definition import GraderError
from rftplan.grading.expression_parser import parse_formula
from rftplan.grading.expressions import Formula, FormulaError
from rftplan.grading.graders import Grader, GraderType, Python, StringCheck, TextSimilarity
from rftplan.grading.http_judge import HttpJudge
from rftplan.grading.judges import (
    Judge,
    JudgeFailure,
    JudgeMessage,
    JudgeReply,
    JudgeRequest,
    StandInJudge,
    word_overlap,
    words,
)
from rftplan.grading.metrics import Metric, Operation, missing_package
from rftplan.grading.multi import Multi
from rftplan.grading.parse import MAX_SOURCE_BYTES, parse_grader
from rftplan.grading.python_worker import Isolation, Limits, PythonWorker, missing_isolation
from rftplan.grading.result import Flag, Result, TokenUsage
from rftplan.grading.runners import PythonFailure, PythonRunner
from rftplan.grading.sample import ABSENT, Sample
from rftplan.grading.score_model import PromptMessage, ScoreModel
from rftplan.grading.templates import (
    Namespace,
    Reference,
    Template,
    TemplateError,
    VariableError,
    as_text,
    parse_template,
    variables,
)

__all__ = [
    "ABSENT",
    "MAX_SOURCE_BYTES",
    "Flag",
    "Formula",
    "FormulaError",
    "Grader",
    "GraderError",
    "GraderType",
    "HttpJudge",
    "Isolation",
    "Judge",
    "JudgeFailure",
    "JudgeMessage",
    "JudgeReply",
    "JudgeRequest",
    "Limits",
    "Metric",
    "Multi",
    "Namespace",
    "Operation",
    "PromptMessage",
    "Python",
    "PythonFailure",
    "PythonRunner",
    "PythonWorker",
    "Reference",
    "Result",
    "Sample",
    "ScoreModel",
    "StandInJudge",
    "StringCheck",
    "Template",
    "TemplateError",
    "TextSimilarity",
    "TokenUsage",
    "VariableError",
    "as_text",
    "grade_all",
    "missing_isolation",
    "missing_package",
    "parse_formula",
    "parse_grader",
    "parse_template",
    "variables",
    "word_overlap",
    "words",
]
