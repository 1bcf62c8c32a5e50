"""Everything a spec can get wrong, each with the exact finding that a person reads."""

from __future__ import annotations

import json

import pytest

from rftplan.address import Address
from rftplan.config import read_config
from rftplan.source import Root
from tests.findings import edited, found_in, lines_of, with_grader, with_job
from tests.world import SPEC, Small

M = "specs/main.yaml"
NAME_HINT = "use lower-case letters, digits, - and _; start with a letter or digit; at most 63 characters"
NOT_BUILT = "is part of the language, but this version does not carry it out | take it out, or use a newer rftplan"
NUMBER = "write a number"
QUOTES = "take the quotes away"
PAIRS = "write `key: value` pairs here"
NULL = "write a value after the colon"
JOB_FIELDS = (
    "fields here are model, training_file, validation_file, method, hyperparameters, seed, suffix, metadata, "
    "integrations, extra_body, simulate, run, retry, budget, require_data_sharing, lifecycle"
)

SECTIONS = [
    (
        SPEC + "job: {}\n",
        f'S202 {M}:27:1 "job" is not a section | did you mean "jobs"?',
    ),
    (
        SPEC + "x-notes: {}\n",
        f'S202 {M}:27:1 "x-notes" is not a section | sections are files, graders, jobs, deployments, tests, project, '
        "policy, moved, removed, variables, environments",
    ),
    *(
        (SPEC + f"{section}: {{}}\n", f"S209 {M}:27:1 {section}: {NOT_BUILT}")
        for section in ("variables", "environments")
    ),
    (
        edited(("project: {name: demo, provider: local}\n", "")),
        "S210 specs its name is part of every launch's identity | "
        "add project: {name: my-project, provider: local}, or start with rftplan init",
    ),
    (
        "- files\n- jobs\n",
        f'S201 {M}:1:1 it holds ["files", "jobs"], and nothing is declared by that | '
        "write sections such as files:, graders:, jobs:",
    ),
    (
        edited(("{name: demo, provider: local}", "demo")),
        f'S204 {M}:1:10 must be a mapping, not "demo" | {PAIRS}',
    ),
    (
        edited(("name: demo", "name: De mo")),
        f'S205 {M}:1:17 must be a name, not "De mo" | {NAME_HINT}',
    ),
    (
        edited(("name: demo, ", "")),
        f'S203 {M}:1:1 "name" is required here | add name:',
    ),
    (
        edited(("provider: local", "provider: loca")),
        f'S204 {M}:1:33 provider: must be local, openai, azure or bedrock, not "loca" | did you mean "local"?',
    ),
    (
        edited(("provider: local", "provider: azure")),
        f"S214 {M}:1:33 provider azure (Azure AI Foundry) is not supported yet | use local or openai",
    ),
    (
        edited(("provider: local", "provider: {type: openai, base_url: api.example.com}")),
        f"S204 {M}:1:58 provider.base_url: a base URL must start with https:// (or http:// on this machine) | "
        'write it like "https://host/v1"',
    ),
    (
        edited(("provider: local", "provider: {type: openai, organization: my org}")),
        f"S204 {M}:1:33 provider.organization holds characters that no id has | "
        "copy the id of the organization from the service's settings page",
    ),
    (
        edited(("provider: local", "provider: {type: local, judge: {base_url: 'http://localhost:1'}}")),
        f'S203 {M}:1:47 "model" is required here | add model:',
    ),
    (
        SPEC + "policy: {allow: [spend, dlete]}\n",
        f"S204 {M}:27:25 allow[1]: must be spend, delete, replace-live, cancel-active or resume-after-service-pause, "
        'not "dlete" | did you mean "delete"?',
    ),
    (
        SPEC + "policy: {data_roots: /data}\n",
        f'S204 {M}:27:22 data_roots: must be a list, not "/data" | write a list: ["/data"]',
    ),
    (
        SPEC + 'policy: {data_roots: ["a\\tb"]}\n',
        f'S204 {M}:27:23 data_roots[0]: must be a directory, not "a\\tb"',
    ),
]

MOVES = [
    (SPEC + "moved: {}\n", f"S204 {M}:27:8 must be a list, not {{}} | write a list: [{{}}]"),
    (
        SPEC + "moved: [{form: job.old, to: job.review}]\n",
        f'S202 {M}:27:10 "form" is not a field here | did you mean "from"?',
    ),
    (
        SPEC + "moved: [{from: review, to: job.review}]\n",
        f'S204 {M}:27:16 from: "review" is not an address like job.security-review | '
        "write kind.name, such as job.security-review",
    ),
    (
        SPEC + "moved: [{from: grader.old, to: job.review}]\n",
        f"S204 {M}:27:9 from and to must be two addresses of one kind",
    ),
    (
        SPEC + "moved: [{from: job.old, to: job.new}]\n",
        f"S215 {M}:27:9 job.new is not declared | declare it, say where it is now, or take the move out",
    ),
    (
        SPEC + "moved: [{from: job.old, to: job.review}, {from: job.old, to: job.other}]\n",
        f"S215 {M}:27:42 job.old has moved to job.review already | take one of the two out",
        f"S215 {M}:27:42 job.other is not declared | declare it, say where it is now, or take the move out",
    ),
    (
        SPEC + "removed: [{address: job.review}]\n",
        f"S215 {M}:27:11 job.review is declared and said to be removed | take one of the two out",
    ),
    (
        SPEC + "removed: [{address: file.old, delete_model: true}]\n",
        f"S204 {M}:27:11 delete_model is of a job, and file.old is none | name the job that it came from",
    ),
]

NAMES = [
    (
        edited(("  reviewer:\n", "  Reviewer:\n")),
        f'S205 {M}:22:3 "Reviewer" cannot name a deployment | {NAME_HINT}',
    ),
    (
        edited(("  reviewer:\n", f"  {'a' * 64}:\n")),
        f'S205 {M}:22:3 "{"a" * 64}" cannot name a deployment | {NAME_HINT}',
    ),
    (
        edited(("job: review", "job: My Review")),
        f'S205 {M}:23:10 must be a name, not "My Review" | {NAME_HINT}',
    ),
]

SHAPES = [
    (
        edited(("train: {path: data/train.jsonl}", "train: data/train.jsonl")),
        f'S204 {M}:3:10 must be a mapping, not "data/train.jsonl" | {PAIRS}',
    ),
    (
        edited(("train: {path: data/train.jsonl}", "train:")),
        f"S204 {M}:3:9 must be a mapping, not null | {NULL}",
    ),
    (
        edited(("{path: data/train.jsonl}", "{path: [data/train.jsonl]}")),
        f'S204 {M}:3:17 path: must be a text, not ["data/train.jsonl"] | write one text here',
    ),
    (
        edited(("path: data/train.jsonl", "path: data/train.jsonl, prupose: fine-tune")),
        f'S202 {M}:3:35 "prupose" is not a field here | did you mean "purpose"?',
    ),
    *(
        (edited(("path: data/train.jsonl", f"path: data/train.jsonl, {key}: x")), f"S209 {M}:3:35 {key}: {NOT_BUILT}")
        for key in ("split", "sample", "sha256")
    ),
    (
        edited(("path: data/train.jsonl", "path: data/train.jsonl, upload: always")),
        f'S204 {M}:3:43 upload: must be never, not "always" | write never, or take it out',
    ),
    (
        edited(("{path: data/train.jsonl}", "{from: test}")),
        f"S209 {M}:3:11 from: {NOT_BUILT}",
    ),
    (
        edited(("model: o4-mini-2025-04-16", "model:")),
        f"S204 {M}:13:11 model: must be a text, not null | {NULL}",
    ),
    (
        edited(("model: o4-mini-2025-04-16", "model: 4")),
        f'S204 {M}:13:12 model: must be a text, not 4 | put quotes around it: "4"',
    ),
    (
        edited(("model: o4-mini-2025-04-16", 'model: ""')),
        f"S204 {M}:13:12 model: must not be empty",
    ),
    (
        edited(("model: o4-mini-2025-04-16", "model: {job: review, checkpoint: final}")),
        f"S209 {M}:13:12 a model of another job is not carried out by this version | "
        "write the model's name, or use a newer rftplan",
    ),
    (
        edited(("model: o4-mini-2025-04-16", "model: ${var.model}")),
        f"S209 {M}:13:12 ${{var.model}} is a variable, and this version does not carry variables out | "
        "write the value itself, or use a newer rftplan",
    ),
    (
        edited(("    training_file: train\n", "")),
        f'S203 {M}:12:3 "training_file" is required here | add training_file:',
    ),
    (
        edited(("training_file: train\n", "training_file: file-2QzVr8\n")),
        f"S204 {M}:14:20 training_file: file-2QzVr8 is an id, and a name is expected | "
        "declare the file under files: and write its name, or {id: file-2QzVr8}",
    ),
    (
        edited(("training_file: train\n", "training_file: [train]\n")),
        f'S204 {M}:14:20 training_file: must be the name of a file or {{id: file-…}}, not ["train"]',
    ),
    (
        edited(("training_file: train\n", "training_file: {id: 7}\n")),
        f'S204 {M}:14:25 training_file.id: must be a text, not 7 | put quotes around it: "7"',
    ),
    (
        with_job("    modle: x\n"),
        f'S202 {M}:16:5 "modle" is not a field here | did you mean "model"?',
    ),
    (
        with_job("    gates: []\n"),
        f'S202 {M}:16:5 "gates" is not a field here | {JOB_FIELDS}',
    ),
    *((with_job(f"    {key}: {{}}\n"), f"S209 {M}:16:5 {key}: {NOT_BUILT}") for key in ("variants", "guards")),
    (
        with_job("    run: runing\n"),
        f'S204 {M}:16:10 run: must be running, paused or cancelled, not "runing" | did you mean "running"?',
    ),
    (
        with_job("    run: [paused]\n"),
        f'S204 {M}:16:10 run: must be running, paused or cancelled, not ["paused"] | choose one of them',
    ),
    (
        with_job("    retry: 2\n"),
        f"S204 {M}:16:12 retry: must be a mapping, not 2 | {PAIRS}",
    ),
    (
        with_job("    retry: {attempts: 0}\n"),
        f"S204 {M}:16:23 retry.attempts: must be at least 1, not 0",
    ),
    (
        with_job("    lifecycle: {prevent_replace: yes}\n"),
        f'S204 {M}:16:34 lifecycle.prevent_replace: must be true or false, not "yes" | write true, without quotes',
    ),
    (
        with_job("    lifecycle: {prevent_replace: 0}\n"),
        f"S204 {M}:16:34 lifecycle.prevent_replace: must be true or false, not 0 | write false, without quotes",
    ),
    (
        with_job("    lifecycle: {retain: true}\n"),
        f'S202 {M}:16:17 "retain" is not a field here | '
        "fields here are prevent_destroy, ignore_rules, prevent_replace, ignore_changes",
    ),
    (
        with_job("    lifecycle: {ignore_changes: [seeed]}\n"),
        f'S204 {M}:16:34 ignore_changes[0]: "seeed" is not a field of a job | did you mean seed?',
    ),
    (
        with_job("    integrations: {type: wandb}\n"),
        f'S204 {M}:16:19 integrations: must be a list, not {{"type": "wandb"}} | write a list: [{{"type": "wandb"}}]',
    ),
    (
        with_job("    extra_body: {seed: 3}\n"),
        f"S204 {M}:16:17 extra_body: seed has a field of its own | write seed: beside extra_body:",
    ),
]

FIGURES = [
    ("    seed: -1\n", f"S204 {M}:16:11 seed: must be at least 0, not -1"),
    ("    seed: 2147483648\n", f"S204 {M}:16:11 seed: must be at most 2147483647, not 2147483648"),
    ("    seed: true\n", f"S204 {M}:16:11 seed: must be a whole number, not true | {NUMBER}"),
    ("    seed: 7.0\n", f"S204 {M}:16:11 seed: must be a whole number, not 7.0 | write 7"),
    ('    seed: "7"\n', f'S204 {M}:16:11 seed: must be a whole number, not "7" | {QUOTES}'),
    (f"    suffix: {'a' * 65}\n", f"S204 {M}:16:13 suffix: must have at most 64 characters, not 65"),
    ('    suffix: ""\n', f"S204 {M}:16:13 suffix: must not be empty"),
    (
        "    metadata: {rftplan_launch: mine}\n",
        f"S204 {M}:16:16 rftplan_launch is reserved: rftplan keeps the launch's identity there",
    ),
    (
        f"    metadata: {{{', '.join(f'k{n}: v' for n in range(14))}}}\n",
        f"S204 {M}:16:15 metadata: has 14 pairs and may have 13: rftplan needs three of the service's sixteen",
    ),
    ("    metadata: {team: 3}\n", f'S204 {M}:16:22 metadata.team: must be a text, not 3 | put quotes around it: "3"'),
    (f"    metadata: {{{'k' * 65}: v}}\n", f"S204 {M}:16:16 must have at most 64 characters, not 65"),
    (f"    metadata: {{k: {'v' * 513}}}\n", f"S204 {M}:16:19 metadata.k: must have at most 512 characters, not 513"),
    (
        "    metadata: [a]\n",
        f'S204 {M}:16:15 metadata: must be a mapping, not ["a"] | give each item a name: `NAME: {{…}}`',
    ),
]

HYPERPARAMETERS = [
    ("n_epochs: 0", "must be auto or a whole number from 1 to 50, not 0"),
    ("n_epochs: 51", "must be auto or a whole number from 1 to 50, not 51"),
    ("n_epochs: true", "must be auto or a whole number from 1 to 50, not true"),
    ('n_epochs: "2"', f'must be auto or a whole number from 1 to 50, not "2" | {QUOTES}'),
    ("batch_size: 257", "must be auto or a whole number from 1 to 256, not 257"),
    ("learning_rate_multiplier: 0", "must be auto or a number over 0, not 0"),
    ("compute_multiplier: 0.00001", "must be auto or a number over 0.00001 and at most 10, not 1e-05"),
    ("compute_multiplier: 11", "must be auto or a number over 0.00001 and at most 10, not 11"),
    ("eval_interval: 1.5", "must be auto or a whole number of at least 1, not 1.5"),
    ("eval_samples: atuo", 'must be auto or a whole number of at least 1, not "atuo"'),
    ("reasoning_effort: hgih", 'must be default, low, medium or high, not "hgih" | did you mean "high"?'),
    ("beta: 1", '"beta" is not a field here | fields here are batch_size, learning_rate_multiplier, n_epochs, '
     "compute_multiplier, eval_interval, eval_samples, reasoning_effort"),
]  # fmt: skip

METHODS = [
    (
        ("      type: reinforcement\n", ""),
        f'S203 {M}:16:5 "type" is required here | add type:',
    ),
    (
        ("      type: reinforcement\n", "      type: reinforcment\n"),
        f'S204 {M}:17:13 method.type: must be supervised, dpo or reinforcement, not "reinforcment" | did '
        f'you mean "reinforcement"?',
    ),
    (
        ("      type: reinforcement\n", "      type: supervised\n"),
        f"S204 {M}:17:7 method: type is supervised, but reinforcement is set",
    ),
    (
        ("      reinforcement:\n        grader: match\n        hyperparameters: {n_epochs: 2}\n", ""),
        f"S204 {M}:17:7 method: type reinforcement needs a reinforcement mapping with a grader",
    ),
    (
        ("        grader: match\n", ""),
        f'S203 {M}:18:7 "grader" is required here | add grader:',
    ),
    (
        ("grader: match", "grader: [match]"),
        f'S204 {M}:19:17 reinforcement.grader: must be the name of a grader or a mapping, not ["match"] | '
        "write match, without brackets",
    ),
    (
        ("{n_epochs: 2}", "[n_epochs]"),
        f'S204 {M}:20:26 reinforcement.hyperparameters: must be a mapping, not ["n_epochs"] | {PAIRS}',
    ),
]

GRADERS = [
    (
        "    input: a\n",
        f'S203 {M}:6:3 "type" is required here | add type:',
    ),
    (
        "    type: string_chek\n",
        f'S204 {M}:7:11 type "string_chek" is not one of string_check, text_similarity, score_model, python or multi '
        '| did you mean "string_check"?',
    ),
    (
        "    type: 3\n",
        f'S204 {M}:7:11 type "3" is not one of string_check, text_similarity, score_model, python or multi '
        "| choose one of them",
    ),
    (
        "    {type: string_check, input: a, reference: b, operation: neq}\n",
        f'S204 {M}:7:61 operation: must be eq, ne, like or ilike, not "neq" | did you mean "ne"?',
    ),
    (
        "    {type: text_similarity, input: a, reference: b, evaluation_metric: rouge_6}\n",
        f"S204 {M}:7:72 evaluation_metric: must be fuzzy_match, bleu, gleu, meteor, cosine, "
        "rouge_1, rouge_2, rouge_3, rouge_4, rouge_5 "
        'or rouge_l, not "rouge_6" | did you mean "rouge_l"?',
    ),
    (
        "    {type: score_model, model: m, input: []}\n",
        f"S204 {M}:7:42 input: must not be empty",
    ),
    (
        "    {type: score_model, model: m, input: judge it}\n",
        f'S204 {M}:7:42 input: must be a list, not "judge it" | write a list: ["judge it"]',
    ),
    (
        "    {type: score_model, model: m, input: [{role: usr, content: x}]}\n",
        f'S204 {M}:7:50 role: must be system, developer, user or assistant, not "usr" | did you mean "user"?',
    ),
    (
        "    {type: score_model, model: m, input: [{role: user, content: 3}]}\n",
        f'S204 {M}:7:65 content: must be a text, not 3 | put quotes around it: "3"',
    ),
    (
        "    {type: score_model, model: m, input: [{role: user, content: x}], range: [0]}\n",
        f"S204 {M}:7:77 range: must have at least 2 items, not 1",
    ),
    (
        "    {type: score_model, model: m, input: [{role: user, content: x}], range: [0, true]}\n",
        f"S204 {M}:7:81 range[1]: must be a number, not true | {NUMBER}",
    ),
    (
        "    {type: score_model, model: m, input: [{role: user, content: x}], sampling_params: {temprature: 1}}\n",
        f'S202 {M}:7:88 "temprature" is not a field here | did you mean "temperature"?',
    ),
    (
        "    {type: python, source: {file: [x]}}\n",
        f'S204 {M}:7:28 source: must be a text, not {{"file": ["x"]}} | write one text here',
    ),
    (
        "    {type: multi, calculate_output: a, graders: [{type: string_check}]}\n",
        f'S204 {M}:7:49 graders: must be a mapping, not [{{"type": "string_check"}}] | give each item a '
        f"name: `NAME: {{…}}`",
    ),
    (
        "    {type: multi, calculate_output: a, graders: {}}\n",
        f"S204 {M}:7:49 graders: must not be empty",
    ),
    (
        "    {type: multi, calculate_output: a, graders: {a: {type: multi, graders: {}, calculate_output: x}}}\n",
        f"S204 {M}:7:53 a multi cannot be a member of a multi"
        " | name its members here, and write one formula over all of them",
    ),
    (
        "    {type: multi, calculate_output: a, graders: {A.b: {type: python, source: x}}}\n",
        f'S205 {M}:7:50 must be a name, not "A.b" | use letters, digits and _, and start with a letter',
    ),
    (
        "    {type: multi, calculate_output: a, graders: {a: {type: python, sorce: x}}}\n",
        f'S202 {M}:7:68 "sorce" is not a field here | did you mean "source"?',
    ),
]

DEPLOYMENTS = [
    ("checkpoint: best", "checkpoint: bets",
     f'S204 {M}:24:17 checkpoint: must be best, final, {{step: N}} or {{metric: NAME, take: max}}, not "bets"'),
    (
        "checkpoint: best",
        "checkpoint: 12",
        f"S204 {M}:24:17 checkpoint: must be best, final, {{step: N}} or {{metric: NAME, take: max}}, not 12 "
        "| write {step: 12}",
    ),
    ("checkpoint: best", "checkpoint: {step: 0}", f"S204 {M}:24:24 checkpoint.step: must be at least 1, not 0"),
    (
        "{metric: valid_reward_mean, at_least: 0.1}",
        "{metric: valid_reward_mean}",
        f"S204 {M}:26:9 gates[0]: a gate needs at_least or at_most, or both",
    ),
    ("at_least: 0.1", 'at_least: "0.1"', f'S204 {M}:26:47 at_least: must be a number, not "0.1" | {QUOTES}'),
    ("at_least: 0.1", "at_leest: 0.1, at_most: 1", f'S202 {M}:26:37 "at_leest" is not a field here '
     '| did you mean "at_least"?'),
    (
        "      - {metric: valid_reward_mean, at_least: 0.1}",
        "      metric: valid_reward_mean",
        f'S204 {M}:26:7 gates: must be a list, not {{"metric": "valid_reward_mean"}} '
        '| write a list: [{"metric": "valid_reward_mean"}]',
    ),
]  # fmt: skip

FORMATS = [
    ("json", f'S204 {M}:20:26 reinforcement.response_format: must be a mapping with a type, not "json"'),
    ("{type: json_schema}", f"S204 {M}:20:26 reinforcement.response_format: a json_schema needs a name and a schema"),
    (
        "{type: json_schema, name: a, schema: 3}",
        f"S204 {M}:20:26 reinforcement.response_format: the schema must be a mapping",
    ),
]

ALL = [
    *((spec, tuple(expected)) for spec, *expected in (*SECTIONS, *MOVES, *NAMES, *SHAPES)),
    *((with_job(fields), (line,)) for fields, line in FIGURES),
    *((edited(edit), (line,)) for edit, line in METHODS),
    *((with_grader(grader), tuple(lines)) for grader, *lines in GRADERS),
    *((edited((old, new)), (line,)) for old, new, line in DEPLOYMENTS),
    *(
        (edited(("        grader: match\n", f"        grader: match\n        response_format: {written}\n")), (line,))
        for written, line in FORMATS
    ),
]


@pytest.mark.parametrize(("spec", "expected"), ALL, ids=[expected[0].partition(" ")[2] for _, expected in ALL])
def test_each_fault_has_its_one_finding(small: Small, spec: str, expected: tuple[str, ...]) -> None:
    assert found_in(small, spec) == list(expected)


@pytest.mark.parametrize(("written", "detail"), HYPERPARAMETERS, ids=[written for written, _ in HYPERPARAMETERS])
def test_hyperparameters_out_of_range(small: Small, written: str, detail: str) -> None:
    (found,) = found_in(small, edited(("n_epochs: 2", written)))
    key = "" if "is not a field" in detail else f"hyperparameters.{written.partition(':')[0]}: "
    assert found.split(" ", 2)[2] == key + detail
    assert f" {M}:20:" in found


def test_a_section_that_is_no_mapping_is_one_finding_and_what_refers_to_it_none(small: Small) -> None:
    spec = edited(("  train: {path: data/train.jsonl}\n  test: {path: data/test.jsonl}", "  - train"))
    assert found_in(small, spec) == [
        f'S204 {M}:3:3 files: must be a mapping of names, not ["train"] | write each file as NAME: {{…}}'
    ]


def test_an_empty_section_and_an_empty_file_declare_nothing(small: Small) -> None:
    assert found_in(small, SPEC + "policy: {}\n", **{"specs/other.yaml": "jobs:\n", "specs/empty.yaml": ""}) == []


def test_the_same_name_in_two_files_shows_both_places(small: Small) -> None:
    found = found_in(small, SPEC, **{"specs/other.yaml": "graders:\n  match: {type: python, source: x}\n"})
    assert found == [
        f"S206 specs/other.yaml:2:3 grader.match is declared at {M}:6:3 already | remove or rename one of them"
    ]


def test_a_second_declaration_is_found_even_if_the_first_could_not_be_read(small: Small) -> None:
    found = found_in(small, SPEC, **{"specs/a.yaml": "jobs: {review: 3}\n"})
    assert found == [
        f"S204 specs/a.yaml:1:16 must be a mapping, not 3 | {PAIRS}",
        f"S206 {M}:12:3 job.review is declared at specs/a.yaml:1:8 already | remove or rename one of them",
    ]


def test_a_second_project_is_refused_and_the_first_one_counts(small: Small) -> None:
    small.write("specs/other.yaml", "project: {name: another, provider: openai}\n")
    config, found = read_config(Root(small.root), "specs")
    assert lines_of(found) == [
        "S206 specs/other.yaml:1:1 project is declared at specs/main.yaml:1:1 already | remove or rename one of them"
    ]
    assert config.project is not None
    assert config.project.name == "demo"


def test_all_findings_of_all_files_come_at_once_and_sorted(small: Small) -> None:
    spec = edited(("operation: eq", "operation: neq"), ("job: review", "job: reviw"), ("path: data/test", "path: tset"))
    found = found_in(small, spec, **{"specs/a.yaml": "foo: 1\n", "specs/data/train.jsonl": "[1]\n"})
    assert [line.split(" ")[:2] for line in found] == [
        ["S202", "specs/a.yaml:1:1"],
        ["D102", "specs/data/train.jsonl:1:1"],
        ["S212", f"{M}:4:16"],
        ["S204", f"{M}:9:16"],
        ["S207", f"{M}:23:10"],
    ]


NAMED_FILES = [
    ("{file: nope.json}", {}, f'S211 {M}:6:10 "specs/nope.json" does not exist | check the spelling; a path is '
     "relative to its YAML file"),
    ("{file: data}", {}, f'S211 {M}:6:10 "specs/data" is a directory, not a file | name a file inside it'),
    ("{file: ../../g.json}", {}, f'S211 {M}:6:10 "../../g.json" leads out of the project | move the file into the '
     "project, or list its directory in policy.data_roots if it is data"),
    ("{file: /etc/hosts}", {}, f'S211 {M}:6:10 "/etc/hosts" is not relative | write the path relative to this YAML '
     "file"),
    ("{file: .secret/g.json}", {}, f'S211 {M}:6:10 ".secret/g.json" is hidden or inside a hidden directory, where '
     "secrets are kept | move the file to a name without a leading dot"),
    ("{file: g.json}", {"specs/g.json": '{"type": "python",\n "source": '}, "S110 specs/g.json:2:1 "),
    ("{file: g.json}", {"specs/g.json": b'{"type": "\xff"}'}, "S107 specs/g.json:1:11 the file has a byte 0xff that "
     "is not UTF-8 | save the file as UTF-8"),
    ("{file: g.json}", {"specs/g.json": ""}, f"S204 {M}:6:10 must be a mapping, not null | {NULL}"),
    ("{file: g.json}", {"specs/g.json": '{"type": "python",\n "sorce": "x", "source": "y"}'}, 'S202 specs/g.json:2:2 '
     '"sorce" is not a field here | did you mean "source"?'),
    ("{file: g.json}", {"specs/g.json": '{"type": "python",\n\n   "source": 3}'},
     "S204 specs/g.json:3:14 source: must be a "
     'text, not 3 | put quotes around it: "3"'),
    ("{type: python, source: {file: g.py}}", {}, f'S211 {M}:6:33 "specs/g.py" does not exist | check the spelling; a '
     "path is relative to its YAML file"),
    ("{type: python, source: {file: g.py}}", {"specs/g.py": b"a\n\xe9"}, f'S211 {M}:6:33 "specs/g.py" has a byte 0xe9 '
     "that is not UTF-8 at line 2, column 1 | save the file as UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "files", "expected"), NAMED_FILES, ids=[case[2][:60] for case in NAMED_FILES])
def test_files_that_a_spec_reads_in(small: Small, written: str, files: dict[str, str | bytes], expected: str) -> None:
    found = found_in(small, with_grader("").replace("  match:\n", f"  match: {written}\n"), **files)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_link_that_leaves_the_root_is_not_followed(small: Small) -> None:
    outside = small.root.parent / "outside.py"
    outside.write_text("x")
    (small.root / "specs/g.py").symlink_to(outside)
    found = found_in(small, with_grader("    {type: python, source: {file: g.py}}\n"))
    assert [line.split(" | ")[0] for line in found] == [f'S211 {M}:7:28 "g.py" leads out of the project']


def test_a_broken_schema_file_has_its_place_in_that_file(small: Small) -> None:
    spec = edited(("grader: match\n", "grader: match\n        response_format: {file: f.json}\n"))
    found = found_in(small, spec, **{"specs/f.json": '{"type": "json_schema",\n "type": 3}'})
    assert [line.split(" ")[:2] for line in found] == [["S112", "specs/f.json:2:2"]]


CHECK = {"type": "string_check", "operation": "eq", "reference": "x"}


def test_the_text_of_a_dollar_sign_that_is_no_variable_is_left_alone(small: Small) -> None:
    texts = ["$5", "${HOME}", "$${var.x}", "f'{x}'"]
    spec = with_grader(
        "    " + json.dumps({**CHECK, "input": " ".join([*texts, "{{sample.output_text}}", "{{item.answer}}"])}) + "\n"
    )
    assert found_in(small, spec) == []


REQUEST = {
    "training_file": "file-Kd81Fq",
    "validation_file": "file-Zw07Lm",
    "model": "o4-mini-2025-04-16",
    "seed": 42,
    "suffix": "sums",
    "metadata": {"team": "maths"},
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": {
                "type": "multi",
                "name": "Both",
                "graders": {
                    "exact": {
                        "name": "Exact answer",
                        "type": "string_check",
                        "input": "{{sample.output_json.answer}}",
                        "operation": "eq",
                        "reference": "{{item.answer}}",
                    },
                    "tone": {
                        "name": "Tone of voice",
                        "type": "score_model",
                        "model": "gpt-4o-2024-08-06",
                        "input": [
                            {"role": "user", "type": "message", "content": "Rate the tone:\n{{sample.output_text}}"}
                        ],
                        "range": [0, 1],
                        "sampling_params": {"temperature": 0},
                    },
                },
                "calculate_output": "0.9 * exact + 0.1 * tone",
            },
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "sum",
                    "strict": True,
                    "schema": {
                        "type": "object",
                        "properties": {"answer": {"type": "string"}},
                        "required": ["answer"],
                        "additionalProperties": False,
                    },
                },
            },
            "hyperparameters": {
                "reasoning_effort": "medium",
                "n_epochs": 2,
                "batch_size": "auto",
                "learning_rate_multiplier": 1.5,
                "compute_multiplier": 1,
                "eval_interval": 5,
                "eval_samples": 2,
            },
        },
    },
}
HEAD = """\
project: {name: demo, provider: local}
files: {train: {path: data/train.jsonl}, test: {path: data/test.jsonl}}
"""


@pytest.mark.parametrize("indent", [None, 2], ids=["in one line", "in many lines"])
def test_the_vendors_request_body_checks_once_its_file_ids_are_names(small: Small, indent: int | None) -> None:
    body = {**REQUEST, "training_file": "train", "validation_file": "test"}
    pasted = json.dumps(body, indent=indent).replace("\n", "\n    ")
    assert found_in(small, f"{HEAD}jobs:\n  sums: {pasted}\n") == []
    config, _ = read_config(Root(small.root), "specs")
    assert Address("job", "sums") in config.declared


def test_the_vendors_request_body_with_its_ids_says_what_to_do_about_them(small: Small) -> None:
    found = found_in(small, f"{HEAD}jobs:\n  sums: {json.dumps(REQUEST)}\n")
    assert found == [
        f"S204 {M}:4:27 training_file: file-Kd81Fq is an id, and a name is expected | "
        "declare the file under files: and write its name, or {id: file-Kd81Fq}",
        f"S204 {M}:4:61 validation_file: file-Zw07Lm is an id, and a name is expected | "
        "declare the file under files: and write its name, or {id: file-Zw07Lm}",
    ]
    raw = {**REQUEST, "training_file": {"id": "file-Kd81Fq"}, "validation_file": {"id": "file-Zw07Lm"}}
    assert found_in(small, f"{HEAD}jobs:\n  sums: {json.dumps(raw)}\n") == []


@pytest.mark.parametrize(
    "written",
    [
        "{type: json_schema, name: a, schema: {type: object}}",
        "{type: json_schema, json_schema: {name: a, schema: {type: object}}}",
        "{type: json_schema, json_schema: {name: a, schema: {file: s.json}}}",
        "{type: json_schema, name: a, schema: {file: s.json}}",
        "{file: f.json}",
    ],
    ids=["flat", "nested", "nested with a file", "flat with a file", "all in a file"],
)
def test_a_response_format_means_the_same_however_it_is_written(small: Small, written: str) -> None:
    small.write("specs/s.json", '{"type": "object"}')
    small.write("specs/f.json", '{"type": "json_schema", "name": "a", "schema": {"file": "s.json"}}')
    small.write(M, edited(("grader: match\n", f"grader: match\n        response_format: {written}\n")))
    config, found = read_config(Root(small.root), "specs")
    assert found == []
    reinforcement = config.declared[Address("job", "review")].spec.reinforcement
    nested = {"name": "a", "schema": {"type": "object"}}
    assert reinforcement.response_format == {"type": "json_schema", "json_schema": nested}
