"""What is known to have wasted runs of reinforcement fine-tuning, and what here catches each. Checks nothing."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Pitfall(Struct, frozen=True):
    """`codes` are the findings that tell it beforehand; `otherwise` says how it is caught where no file shows it."""

    what: str
    codes: tuple[str, ...] = ()
    otherwise: str = ""

    @property
    def caught_by(self) -> str:
        return "; ".join(part for part in (", ".join(self.codes), self.otherwise) if part) or NOT_YET


NOT_YET: Final = "not yet"

PITFALLS: Final = (
    Pitfall(
        "The organisation may not train any more, and learns it after its files were uploaded", ("M105", "M106", "M107")
    ),
    Pitfall(
        "The base model or a grader's model is shut down, or will be soon",
        ("M101", "M102", "M103", "M104", "M108", "M109", "M110", "M111"),
    ),
    Pitfall(
        "A create that is repeated by itself makes a second paid job",
        otherwise="creates are sent once; a launch is found again by its identity in the job's metadata",
    ),
    Pitfall(
        "A daily or concurrent limit answers 429, and the client tries again and again",
        otherwise="a limit by day, money or jobs is asked once, waits, and says when to come again; none is read",
    ),
    Pitfall("Fewer rows than the service takes", ("D221",)),
    Pitfall(
        "A broken line is reported only when the job exists",
        (
            "D101",
            "D102",
            "D103",
            "D104",
            "D105",
            "D106",
            "D107",
            "D108",
            "D109",
            "D110",
            "D111",
            "D112",
            "D201",
            "D202",
            "D208",
            "D209",
            "D210",
            "D213",
        ),
    ),
    Pitfall("No validation file, or a parameter under another name", ("J101", "J107", "J108", "S202", "S203")),
    Pitfall(
        "The conversation ends with the assistant, or has a role that the method does not know",
        ("D203", "D204", "D205", "D206", "D207", "D211", "D214", "D217"),
    ),
    Pitfall(
        "A field that a grader reads is missing or null in some rows",
        ("G101", "G102", "G103", "G104", "G169", "G170", "G172", "G173"),
    ),
    Pitfall(
        "The grader reads parts of a JSON answer that no schema promises, or rows expect values that it forbids",
        ("G120", "G121", "G122", "G123", "G124"),
    ),
    Pitfall(
        "A multi grader with a list or one grader for its `graders`, or one inside another; a formula with wrong names",
        ("S202", "S204", "G140", "G141"),
    ),
    Pitfall(
        "An operation, metric or parameter that graders, or their models, do not have",
        ("S202", "S204", "G130", "G131", "G137"),
    ),
    Pitfall("`like` with its sides swapped: the answer is looked for in the reference", ("G134",)),
    Pitfall(
        "Python that imports what the image lacks, is too long, returns no float, or swallows its own errors",
        (
            "G150",
            "G151",
            "G152",
            "G153",
            "G154",
            "G156",
            "G157",
            "G158",
            "G159",
            "G161",
            "G162",
            "G164",
            "G165",
            "G174",
        ),
        "those from G161 on by check --run-python",
    ),
    Pitfall(
        "A grader that fails answers 200 and reward 0",
        ("G103", "G104", "G105", "G106", "G107", "G108", "G146", "G160", "G161", "G162", "G168", "G169"),
        "grade shows every error of a grader on answers made from rows, check --run-python those of Python;"
        " errors inside graders are shown while a job trains, in status, and beside the figures of every gate",
    ),
    Pitfall(
        "The reward is always 0, always 1 or flat, so there is nothing to learn from",
        ("G109", "G111", "G112", "G114", "G115", "G136", "G147", "G155", "G163"),
        "grade says whether right answers score more than wrong ones, and whether samples all score the same",
    ),
    Pitfall(
        "The model learns to please the grader: training rises, validation does not",
        ("J113",),
        "a gate on the validation reward stops the promotion; a running job is not guarded yet",
    ),
    Pitfall(
        "The price surprises: a slow judge, many validations, a resume without a cap",
        ("C101", "C102", "C103"),
        "every launch and every resume shows what is known of its cost and needs leave, a person's where nobody can "
        "promise to keep its budget",
    ),
    Pitfall("Rows are blocked by the service's moderation"),
    Pitfall("Training and validation share rows", ("D228",)),
    Pitfall(
        "A job stays in validation for hours",
        otherwise="status and --wait show what it is doing; nothing is stopped by itself yet",
    ),
    Pitfall(
        "A file expires, or is deleted, before its job has started",
        otherwise="a file that expires is never adopted, one that is gone is uploaded again if a job still needs it",
    ),
    Pitfall("Suffix or metadata too long, or one suffix for several jobs", ("J105", "S204")),
    Pitfall(
        "A model is used before its job has succeeded, or a success that stopped half-way is taken for whole",
        otherwise="nothing is promoted before its job has ended, and a job that ended early is said to be partial",
    ),
    Pitfall(
        "The job is there, but in another organisation or project",
        otherwise="a lock belongs to one account; another one stops before anything is compared",
    ),
    Pitfall("A job is created while its file is still being processed"),
    Pitfall(
        "Azure: large files that fail without a word, deployments that cost while nobody calls them",
        otherwise=(
            "not yet: Azure is not built; at OpenAI large files are sent in parts, and the whole is checked by its md5"
        ),
    ),
    Pitfall("A validation file of a few rows, by which the best checkpoint is chosen", ("D224",)),
    Pitfall("Held-out rows are too few, or the job has trained on them or chosen by them", ("D230", "J114", "J115")),
    Pitfall("The training and the validation file are swapped", ("D233",)),
    Pitfall("Rows that are there twice, or contradict each other", ("D226", "D227")),
    Pitfall("The right answer stands at the end of the prompt, and is copied", ("G116",)),
    Pitfall("Rows ran together, or a whole document stands in one", ("D108", "D232")),
    Pitfall("A key or a token that stands in a row, a grader or metadata is sent", ("D231",)),
    Pitfall("A strict schema that the service refuses", ("G125", "G126", "G127")),
    Pitfall("A variable in a prompt has single braces, or a judge never sees the answer", ("G110", "G113")),
    Pitfall("A judge whose name is an alias that moves", ("G132",)),
    Pitfall("A judge is told a format, and the service makes it use another", ("G133",)),
    Pitfall(
        "One member's range drowns the others; a range or a threshold that gates do not fit", ("G135", "G144", "G145")
    ),
    Pitfall("A member of a multi is paid for and not used, or used twice", ("G142", "G143")),
)
"""The 27 that were written down first, in their order, then what came since. A rule that catches one adds its code."""
