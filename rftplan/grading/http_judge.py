"""A judge behind any OpenAI-compatible `/chat/completions`. Its key goes into one header, nowhere else."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rftplan.grading.judges import JudgeFailure, JudgeReply, JudgeRequest
from rftplan.grading.result import Flag, TokenUsage
from rftplan.grading.sample import parse_json

if TYPE_CHECKING:
    import httpx2

# The service imposes this shape on grader models whatever their prompt says (FACTS §3.7).
_RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "score",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "steps": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "description": {"type": "string"},
                            "conclusion": {"type": "string"},
                        },
                        "required": ["description", "conclusion"],
                        "additionalProperties": False,
                    },
                },
                "result": {"type": "number"},
            },
            "required": ["steps", "result"],
            "additionalProperties": False,
        },
    },
}
# The grader's own spelling of a chat completion's parameter.
_RENAMED = {"max_completions_tokens": "max_completion_tokens"}


@dataclass(slots=True, eq=False)
class HttpJudge:
    """Asks a model at `base_url`; `model` None asks the one that the grader names.

    `timeout` in seconds, for each phase of a request. Proxies and netrc of the environment are not used: they
    could send the key elsewhere. `transport` replaces the network. `without_key` takes every form of the key out of
    what the judge says; by itself only the key as it is goes.
    """

    base_url: str
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 120.0
    transport: httpx2.BaseTransport | None = field(default=None, repr=False)
    without_key: Callable[[str], str] | None = field(default=None, repr=False)
    _client: httpx2.Client | None = field(default=None, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def name(self) -> str:
        return self.model or "the grader's own model"

    @property
    def stand_in(self) -> bool:
        return False

    def score(self, request: JudgeRequest) -> JudgeReply:
        """One request; whatever goes wrong is a failure with a model_grader flag."""
        import httpx2

        model = self.model or request.model
        try:
            # Written here, in ASCII: texts may hold half a surrogate pair, which UTF-8 cannot.
            content = json.dumps(_body(model, request))
            response = self._open().post("chat/completions", content=content)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeEncodeError) as error:
            what = str(error) or type(error).__name__
            return self._failure(model, Flag.MODEL_SERVER, f"The judge could not be asked: {what}")
        if response.status_code != 200:
            what = f"The judge answered HTTP {response.status_code}: {self._shown(response.text)}"
            return self._failure(model, Flag.MODEL_SERVER, what)
        return self._read(model, parse_json(response.text))

    def close(self) -> None:
        """Close its connections; it may be used again."""
        with self._opening:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _open(self) -> httpx2.Client:
        import httpx2

        with self._opening:
            if self._client is None:
                self._client = httpx2.Client(
                    base_url=self.base_url.rstrip("/") + "/",
                    headers=self._headers(),
                    timeout=self.timeout,
                    transport=self.transport,
                    trust_env=False,
                )
            return self._client

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {self.api_key}"} if self.api_key else {})

    def _failure(self, model: str, flag: Flag, details: str, usage: TokenUsage | None = None) -> JudgeReply:
        return JudgeReply(model, JudgeFailure(flag, self._clean(details)), usage)

    def _shown(self, text: str) -> str:
        """Cleaned before it is cut: half a key is no form of it any more."""
        return self._clean(text)[:500]

    def _clean(self, text: str) -> str:
        if self.without_key is not None:
            return self.without_key(text)
        return text.replace(self.api_key, "***") if self.api_key else text

    def _read(self, model: str, reply: Any) -> JudgeReply:
        try:
            choice = reply["choices"][0]
            message = choice["message"]
            refusal, content = message.get("refusal"), message.get("content")
            usage = _usage(reply.get("usage"))
        except (TypeError, KeyError, IndexError, AttributeError):
            return self._failure(model, Flag.MODEL_SERVER, "The judge's reply is not a chat completion.")
        if refusal:
            return self._failure(model, Flag.MODEL_REFUSAL, self._shown(str(refusal)), usage)
        if choice.get("finish_reason") == "length":
            return self._failure(model, Flag.MODEL_EXCEEDED_MAX_TOKENS, "The judge reached its token limit.", usage)
        result = _result(content)
        if result is None:
            what = f"The judge's answer has no numeric result: {self._shown(json.dumps(content))}"
            return self._failure(model, Flag.MODEL_PARSE, what, usage)
        return JudgeReply(model, result, usage)


def _body(model: str, request: JudgeRequest) -> dict[str, Any]:
    params = {_RENAMED.get(key, key): value for key, value in request.sampling_params.items()}
    return {
        "model": model,
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "response_format": _RESPONSE_FORMAT,
        **{key: value for key, value in params.items() if value is not None},
    }


def _result(content: Any) -> float | None:
    parsed = parse_json(content) if isinstance(content, str) else None
    result = parsed.get("result") if isinstance(parsed, Mapping) else None
    if not isinstance(result, int | float) or isinstance(result, bool):
        return None
    try:
        number = float(result)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _usage(body: Any) -> TokenUsage | None:
    if not isinstance(body, Mapping):
        return None
    details = body.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
    return TokenUsage(
        prompt_tokens=_count(body.get("prompt_tokens")),
        completion_tokens=_count(body.get("completion_tokens")),
        cached_tokens=_count(cached),
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
