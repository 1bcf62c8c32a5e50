"""Text that looks like a key is found before it is uploaded, and is never shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from rftplan.checks.probes.leaks import kinds_in
from rftplan.data.row_bytes import row_bytes
from tests.checks.rows_of import TRAIN, found, good
from tests.findings import edited, found_in, with_grader, with_job
from tests.world import SPEC, Small

# Made up, and put together here so that no scanner takes this file for a leak.
NOISE = "q7Zk2vXw9LmT4bRc8NpJ5sHd3fGy6aUe1iOoKxVtWzBnMrQjPlCg"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


SECRETS = [
    ("an OpenAI key", "sk-" + "proj-" + NOISE[:24] + "T3Blbk" + "FJ" + NOISE[24:48]),
    ("an OpenAI key", "sk-" + "proj-" + NOISE),
    ("an OpenAI key", "sk-" + "svcacct-" + NOISE),
    ("an OpenAI key", "sk-" + NOISE[:48]),
    ("the token of an Authorization header", '-H "Authorization: ' + "Bearer " + NOISE[:32] + '"'),
    ("the token of an Authorization header", "{'authorization': 'bearer " + "8f14e45fceea167a5a36dedd4bea2543'}"),
    ("an Anthropic key", "sk-" + "ant-api03-" + NOISE + NOISE[:30]),
    ("an AWS access key", "AK" + "IA" + "Q7ZK2VXW5LMT4BRC"),
    ("an AWS secret key", "AWS_SECRET_ACCESS_KEY=" + NOISE[:38] + "/+"),
    ("an AWS secret key", "aws_secret_access_key = '" + NOISE[:40] + "'"),
    ("an AWS secret key", '{"SecretAccessKey": "' + NOISE[1:41] + '"}'),
    ("a GitHub token", "gh" + "p_" + NOISE[:36]),
    ("a GitHub token", "github" + "_pat_" + NOISE[:22] + "_" + NOISE + NOISE[:7]),
    ("a GitLab token", "gl" + "pat-" + NOISE[:20]),
    ("a Google key", "AI" + "za" + NOISE[:35]),
    ("a Hugging Face token", "hf" + "_" + "".join(c for c in NOISE * 2 if c.isalpha())[:34]),
    ("a Hugging Face token", "hf" + "_" + NOISE[:34]),
    ("a Slack token", "xox" + "b-" + "2718281828-" + NOISE[:24]),
    ("a Stripe key", "sk" + "_live_" + NOISE[:24]),
    ("a private key", "-----BEGIN RSA PRIVATE" + " KEY-----\n" + (NOISE + NOISE[:12] + "\n") * 3),
    ("a signed token (JWT)", f"{part({'alg': 'HS256'})}.{part({'sub': 'someone'})}.{NOISE[:43]}"),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS, ids=[kind for kind, _ in SECRETS])
def test_a_secret_is_told_by_its_kind_and_line_and_never_shown(small: Small, kind: str, secret: str) -> None:
    row = {**good("reinforcement", 1), "note": f"use {secret} for it"}
    (line,) = found(small, "reinforcement", [good("reinforcement", 2), row])
    assert line.startswith(f"D231 {TRAIN}:2:1 1 of 14 rows (line 2): {kind} | take it out")
    assert secret[-20:] not in "".join(path.read_text() for path in small.root.rglob("facts.json"))


@pytest.mark.parametrize(("kind", "secret"), SECRETS, ids=[kind for kind, _ in SECRETS])
@pytest.mark.parametrize(
    "around",
    [
        lambda text: {"note": text},
        lambda text: {"note": text, "answer": "a"},
        lambda text: {"note": [text, {}]},
        lambda text: {"note": {"deep": {"deeper": {"text": text}}}, "long": "x" * 97},
        lambda text: {"messages": [{"role": "user", "content": text}, {"role": "user", "content": "and"}], "n": 1},
    ],
)
def test_a_text_may_end_with_the_secret_wherever_in_the_row_it_stands(
    around: Callable[[str], dict[str, Any]], kind: str, secret: str
) -> None:
    said = secret.rstrip("}'\"")
    assert kinds_in(row_bytes(around(f"take {said}"))) == {kind}
    assert kinds_in(f"take {said}".encode()) == {kind}


HARMLESS = [
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
    "AWS_SECRET_ACCESS_KEY=" + "<the forty characters of your own one>",
    "AWS_SECRET_ACCESS_KEY=" + "the/path/to/a/file/of/forty/characters/x",
    "AWS_SECRET_ACCESS_KEY: sha1 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "AWS_SECRET_ACCESS_KEY=" + "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "aws_secret_access_key_file_name_of_the_Service42",
    "AIza" + "SyDummyKeyOfNobodyAtAll-0123456789abcde",
    "hf_transformers_and_datasets_of_2024_and_so_on",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "sk-" + "x" * 48,
    "ghp_" + "a" * 36,
    "ghp_your_token_here",
    "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----",
    "eyJhbGciOi.eyJzdWIi.x",
    "a task-" + NOISE,
    NOISE,
    "hf_hub_download and xoxo-xoxo",
    "sk-learn-contrib-lightning-and-other-packages-of-scikit-learn-2024",
    "sk-proj-your-key-goes-here-and-nowhere-else-123",
    "sk-proj-" + "a1B" * 20,
    "the sk-SK-locale-strings-for-Slovakia-and-all-of-its-regions-v2-2024.json",
    "sk-d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427e",
    "Authorization: Bearer $OPENAI_API_KEY",
    "Authorization: Bearer YOUR_ACCESS_TOKEN_GOES_HERE_42",
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "Authorization: Bearer my-very-long-and-readable-name-of-no-one",
    "Send Authorization: Bearer and then " + NOISE,
]


@pytest.mark.parametrize("text", HARMLESS)
def test_examples_from_manuals_and_long_words_are_none(small: Small, text: str) -> None:
    assert found(small, "reinforcement", [{**good("reinforcement", 1), "note": text}]) == []


def test_a_token_may_stand_beside_its_header(small: Small) -> None:
    row = {**good("reinforcement", 1), "headers": {"Authorization": "Bearer " + NOISE[:40]}}
    (line,) = found(small, "reinforcement", [row])
    assert "(line 1): the token of an Authorization header" in line


KEY = "sk-" + "proj-" + NOISE
SENT = [
    ("specs/main.yaml:10:16", edited(('"{{item.answer}}"', f'"{{{{item.answer}}}} {KEY}"'))),
    ("specs/main.yaml:16:22", with_job(f"    metadata: {{note: {KEY}}}\n")),
    ("specs/main.yaml:16:25", with_job(f"    extra_body: {{note: [{KEY}]}}\n")),
    (
        "specs/main.yaml:9:13",
        with_grader(f"    type: python\n    # by us\n    source: |\n      def grade(sample, item):\n        # {KEY}\n"
                    "        return float(item['answer'] in sample['output_text'])\n"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("place", "spec"), SENT, ids=[place for place, _ in SENT])
def test_a_secret_in_what_is_sent_with_a_job_is_found_at_its_place_and_never_shown(
    small: Small, place: str, spec: str
) -> None:
    (line,) = [line for line in found_in(small, spec) if line.startswith("D231")]
    assert "an OpenAI key: it is sent as a part of the" in line
    assert NOISE[-20:] not in line
    assert place in line


def test_texts_of_specs_that_are_never_sent_are_not_looked_at(small: Small) -> None:
    spec = f"{SPEC}tests:\n  t: {{grader: match, item: {{answer: a}}, sample: {KEY}, expect: 0}}\n"
    assert [line for line in found_in(small, spec) if line.startswith("D231")] == []
