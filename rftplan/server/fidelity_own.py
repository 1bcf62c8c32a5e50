"""Behaviours of the local service that the vendor's has nothing of: samples, faults, the clock, the simulation. Data.

A line without POLICY says what of it is proven.
"""

from __future__ import annotations

from rftplan.server.fidelity import Behaviour, Source, of
from rftplan.server.fidelity_calls import CALLS
from rftplan.server.fidelity_course import COURSE

OUR_OWN: tuple[Behaviour, ...] = (
    *of(
        "samples",
        ("the route of a job's samples is our own: by step, 20 rows a page, 100 at most", Source.POLICY),
        ("samples of a step are shown from when it is done; without any it is 404 samples_not_found", Source.POLICY),
        ("each distinct answer to a row is graded once; its reply is shown with each sample of it", Source.POLICY),
        ("execution_time in them is the simulated latency of the grader's type", Source.POLICY),
    ),
    *of(
        "faults and the clock",
        ("the routes /v1/local/faults and /v1/local/clock are our own", Source.POLICY),
        ("faults end with the service; what they did to a job or a file stays", Source.POLICY),
        ("429 is rate_limit_error slow_down, 503 service_unavailable_error server_is_overloaded", Source.GUIDE),
        ("wording of 429, 500 and 503", Source.POLICY),
        ("a lockout is 403 training_not_available on the create call, in these words", Source.OBSERVED),
        (
            "a daily limit is 429 daily_rate_limit_exceeded, of type invalid_request_error, in these words",
            Source.OBSERVED,
        ),
        ("a limit counts the create calls of one run of the service, whatever their model and day", Source.POLICY),
        ("a model that ends has its day in shutdown_date, and so have the models made from it", Source.SPEC),
        ("after that day it is listed still, asking it is 404 model_not_found, and no job trains it", Source.POLICY),
        ("a pause by the service is like any other, and an event says whose it was", Source.POLICY),
        ("a file that disappears is as if it were deleted", Source.POLICY),
        ("a stale list shows what was there some seconds ago, as it was then, models too", Source.POLICY),
        (
            "where metadata is not kept, jobs are shown with null for it, and a list filtered by any is empty; the"
            " store has it, and shows it again once the fault is taken back",
            Source.POLICY,
        ),
        ("a clock by hand stands still between calls, and where it stood when the service starts again", Source.POLICY),
        ("all services with a clock by hand on one store have one clock, which never goes back", Source.POLICY),
    ),
    *of(
        "simulation",
        (
            "what a policy can answer: right, near, wrong, malformed, constant and padded answers to each row",
            Source.POLICY,
        ),
        ("rows with tools are answered with one call, where the grader compares a call with the row", Source.POLICY),
        (
            "arguments that the grader does not compare are those that the tool requires, of their types",
            Source.POLICY,
        ),
        (
            "objects of a simulated job and of a model that it made have 'simulation', which names who simulated them",
            Source.POLICY,
        ),
        ("before any step, notes say what each kind scores over 20 rows, and the verdict on the grader", Source.POLICY),
        (
            "the field 'simulate' of a creation names a file of recorded samples (candidates) to draw from, as often as"
            " they were recorded; rows without any are answered as above",
            Source.POLICY,
        ),
        ("a recorded answer is right or wrong where a string_check compares it with the row", Source.POLICY),
        ("a candidates file of another form fails the job with invalid_candidates_file", Source.POLICY),
        (
            "a model that is trained further starts from its own policy, or by the same method from its own loss",
            Source.POLICY,
        ),
        (
            "a run of over 50,000 steps or 10,000,000 samples is refused by the create call, whatever makes it so long",
            Source.POLICY,
        ),
        (
            "so is one whose answers take over 420 s to grade, once they do; the SDK gives up on a reply at 600",
            Source.POLICY,
        ),
        ("a step's metrics have in 'simulation' the share of right answers, whatever the grader says", Source.POLICY),
        (
            "they repeat the verdict on the grader, and say where reward rises without right answers (hacked)",
            Source.POLICY,
        ),
        ("steps of supervised and dpo jobs name in 'simulation' who simulated them", Source.POLICY),
    ),
)

BEHAVIOURS = (*CALLS, *COURSE, *OUR_OWN)
"""The whole table."""
