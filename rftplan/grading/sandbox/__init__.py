"""Where a `python` grader's code runs: a process of its own, kept from everything. Knows no grader and no spec.

`boot` is started by a bare interpreter and never runs this module; `rftplan.grading.python_worker` is the other
end of its pipes. Bottom up: `frames` and `kernel` (bytes, system calls), `seccomp`, `plain` (which graders may share
a process), `cell` (what a process of a row can reach), `row` (what runs in it), `session` (its life), `worker`.
"""
