"""Text that looks like a key is found before it is uploaded, and is never shown."""

from __future__ import annotations

import base64
import json

import pytest

from tests.checks.rows_of import TRAIN, found, good
from tests.world import Small

# Made up, and put together here so that no scanner takes this file for a leak.
NOISE = "q7Zk2vXw9LmT4bRc8NpJ5sHd3fGy6aUe1iOoKxVtWzBnMrQjPlCg"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


SECRETS = [
    ("an OpenAI key", "sk-" + "proj-" + NOISE[:24] + "T3Blbk" + "FJ" + NOISE[24:48]),
    ("an Anthropic key", "sk-" + "ant-api03-" + NOISE + NOISE[:30]),
    ("an AWS access key", "AK" + "IA" + "Q7ZK2VXW5LMT4BRC"),
    ("a GitHub token", "gh" + "p_" + NOISE[:36]),
    ("a GitHub token", "github" + "_pat_" + NOISE[:22] + "_" + NOISE + NOISE[:7]),
    ("a GitLab token", "gl" + "pat-" + NOISE[:20]),
    ("a Google key", "AI" + "za" + NOISE[:35]),
    ("a Hugging Face token", "hf" + "_" + "".join(c for c in NOISE * 2 if c.isalpha())[:34]),
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


HARMLESS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "sk-" + "x" * 48,
    "ghp_" + "a" * 36,
    "ghp_your_token_here",
    "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----",
    "eyJhbGciOi.eyJzdWIi.x",
    "a task-" + NOISE,
    NOISE,
    "hf_hub_download and xoxo-xoxo",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_examples_from_manuals_and_long_words_are_none(small: Small, text: str) -> None:
    assert found(small, "reinforcement", [{**good("reinforcement", 1), "note": text}]) == []
