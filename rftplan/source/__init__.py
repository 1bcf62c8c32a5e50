"""Turn YAML text into values with places; the only module that imports yaml.

Knows nothing about kinds: whether a field belongs where it stands is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import yaml
from msgspec.structs import replace

from rftplan import codes
from rftplan.codes import Code, finding
from rftplan.errors import Diagnostic, Place
from rftplan.reading import NotTextError, decode_text
from rftplan.source.document import Document, Node, PathKey, written_out
from rftplan.source.root import MAX_TEXT_BYTES, TOO_LARGE_HINT, PathError, Root, over_limit
from rftplan.source.scalars import Scalar, plain_value
from rftplan.source.syntax import QUOTE_TEMPLATE, Trouble, syntax_hint
from rftplan.source.yaml_text import FitText, conflict, fit, has_surrogate_escapes, is_whole, join_surrogates, unfit

__all__ = ["MAX_DEPTH", "MAX_VALUES", "Document", "PathError", "PathKey", "Root", "parse", "read_documents"]

MAX_DEPTH: Final = 64
"""Levels of lists and mappings, aliases followed."""
MAX_VALUES: Final = 100_000
"""Values and keys of one file, aliases written out."""
_MAX_PURE_BYTES: Final = 256 * 1024
"""The parser written in Python reads a few hundred kB a second."""
_MAX_SHOWN: Final = 60
_MAX_FINDINGS: Final = 100
"""Of one file; reading stops there."""

_Loader: TypeAlias = "type[yaml.SafeLoader] | type[yaml.CSafeLoader]"
_Event: TypeAlias = Any
"""A yaml.Event: its type stubs know neither tags nor anchors, and take every mark for optional."""


def read_documents(root: Root, specs_dir: str) -> tuple[list[Document], list[Diagnostic]]:
    """Every spec below the directory in path order, and all that is wrong with their text."""
    paths, findings = root.spec_files(specs_dir)
    documents: list[Document] = []
    for path in paths:
        name = root.relative(path)
        try:
            document, problems = parse(root.read_bytes(path), name)
        except PathError as error:
            findings.append(error.diagnostic(Place(name)))
            continue
        findings.extend(problems)
        if document:
            documents.append(document)
    return documents, findings


def parse(text_bytes: bytes, path: str) -> tuple[Document | None, list[Diagnostic]]:
    """The values of one file with their places, and findings; never raises.

    Findings that leave a usable value (a duplicate key, a tag) come with a document, so that whatever else is
    wrong can be said in the same run. After a syntax error there is none. Empty text is a document of None.
    """
    if len(text_bytes) > MAX_TEXT_BYTES:
        return None, [finding(codes.TOO_LARGE, f"it {over_limit()}", place=Place(path), hint=TOO_LARGE_HINT)]
    try:
        text = decode_text(text_bytes)
    except NotTextError as error:
        place = Place(path, error.line, error.column)
        return None, [finding(error.code, f"the file {error.message}", place=place, hint=error.hint)]
    if problems := unfit(text, path):
        return None, problems
    return _parse_text(text, path)


def _parse_text(text: str, path: str) -> tuple[Document | None, list[Diagnostic]]:
    source = fit(text)
    findings: list[Diagnostic] = []
    for loader in _loaders(text):
        composer = _Composer(loader, source, path)
        try:
            top = composer.document()
        except _StopError as stop:
            return None, [*composer.findings, stop.diagnostic]
        except yaml.YAMLError as error:
            if (left := conflict(text, path)) is not None:
                return None, [left]
            findings = _with_syntax(composer.findings, _syntax_finding(error, text, path))
        else:
            return written_out(top, path), composer.findings
    return None, findings


def _loaders(text: str) -> Sequence[_Loader]:
    """libyaml first. It refuses the surrogate pairs that JSON writes; the parser in Python takes them."""
    fast: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if has_surrogate_escapes(text) and len(text) <= _MAX_PURE_BYTES:
        return fast, yaml.SafeLoader
    return (fast,)


def _with_syntax(before: list[Diagnostic], error: Diagnostic) -> list[Diagnostic]:
    """A template without quotes is the cause of an error that follows it in its line: one finding for both."""
    template = codes.UNQUOTED_TEMPLATE.code
    return [*(f for f in before if f.code != template or _line(f) != _line(error)), error]


def _line(problem: Diagnostic) -> int:
    return problem.place.line if problem.place else 0


def _syntax_finding(error: yaml.YAMLError, text: str, path: str) -> Diagnostic:
    problem = getattr(error, "problem", None) or "the text cannot be read"
    context = getattr(error, "context", None)
    at: yaml.Mark | None = getattr(error, "problem_mark", None)
    began: yaml.Mark | None = getattr(error, "context_mark", None)
    lines = text.split("\n")
    trouble = Trouble(problem, lines, at.line if at else 0, began.line if began else None)
    shown = began if began and "expected ':'" in problem else at
    place = Place(path, min(shown.line + 1, len(lines)), shown.column + 1) if shown else Place(path)
    detail = f"{problem} {context}" if context else problem
    if began and shown is at:
        detail += f" that starts in line {began.line + 1}"
    return finding(codes.YAML_SYNTAX, detail, place=place, hint=syntax_hint(trouble))


class _StopError(Exception):
    """Nothing after this point can be read."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.detail)
        self.diagnostic = diagnostic


class _Composer:
    """Builds nodes from the parser's events, and collects findings on the way.

    Events rather than yaml's own composer: that one recurses without limit, and libyaml's time grows with the
    square of the depth, so reading has to stop at the limit.
    """

    def __init__(self, loader: _Loader, source: FitText, path: str) -> None:
        self.findings: list[Diagnostic] = []
        self._next: Callable[[], _Event] = loader(source.text).get_event
        self._source = source
        self._path = path
        self._anchors: dict[str, Node | None] = {}
        self._count = 0

    def document(self) -> Node:
        """The only document of the text. _StopError if it cannot be used, yaml.YAMLError if it is not YAML."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return Node(None, Place(self._path, 1, 1))
        top = self._node(self._next(), 1)
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return top
        detail = "a second document starts here, and only the first would be read"
        hint = "put each document into a file of its own"
        raise _StopError(finding(codes.SEVERAL_DOCUMENTS, detail, place=self._place(event), hint=hint))

    def _place(self, event: _Event) -> Place:
        return Place(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _report(self, code: Code, detail: str, event: _Event, hint: str | None) -> None:
        problem = finding(code, detail, place=self._place(event), hint=hint)
        if len(self.findings) >= _MAX_FINDINGS:
            raise _StopError(problem)
        self.findings.append(problem)

    def _node(self, event: _Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._bound(event, size=1, depth=depth)
        if event.tag is not None:
            hint = "remove the tag; write text in quotes and numbers without"
            self._report(codes.TAG_REFUSED, f'"{_short(event.tag)}" is a tag', event, hint)
        if event.anchor is None:
            return self._content(event, depth)
        self._anchors[event.anchor] = None
        node = self._anchors[event.anchor] = self._content(event, depth)
        return node

    def _content(self, event: _Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _bound(self, event: _Event, *, size: int, depth: int) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            detail = f"the file has more than {MAX_VALUES:,} values, aliases written out"
            hint = "use fewer aliases, or split the file"
            raise _StopError(finding(codes.TOO_MANY_VALUES, detail, place=self._place(event), hint=hint))
        if depth > MAX_DEPTH:
            detail = f"lists and mappings are nested more than {MAX_DEPTH} levels deep"
            raise _StopError(finding(codes.TOO_DEEP, detail, place=self._place(event)))

    def _alias(self, event: _Event, depth: int) -> Node:
        name = event.anchor
        target = self._anchors.get(name)
        if target is not None:
            self._bound(event, size=target.size, depth=depth + target.height - 1)
            return replace(target, place=self._place(event))
        shown = _short(name)
        if name in self._anchors:
            detail, hint = f"*{shown} stands inside of what it refers to", "write the value out"
        else:
            detail = f"*{shown} refers to &{shown}, which is not defined above"
            hint = "define it further up, or put quotes around text that starts with *"
        self._report(codes.BAD_ALIAS, detail, event, hint)
        return Node(None, self._place(event))

    def _scalar(self, event: _Event) -> Node:
        text = self._text(event)
        value: Scalar = text
        if not event.style:
            try:
                value = plain_value(text)
            except ValueError as error:
                self._report(codes.NOT_A_JSON_NUMBER, str(error), event, "put quotes around it if it is text")
        return Node(value, self._place(event))

    def _text(self, event: _Event) -> str:
        text = self._source.original(event.value)
        if is_whole(text):
            return text
        text = join_surrogates(text)
        if is_whole(text):
            return text
        detail = "the text has one half of a surrogate pair, which no file can carry"
        self._report(codes.BROKEN_CHARACTER, detail, event, "write the whole character")
        return text.encode("utf-8", "replace").decode()

    def _sequence(self, event: _Event, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(item, depth + 1))
        return Node.of_list(items, self._place(event))

    def _mapping(self, event: _Event, depth: int) -> Node:
        values: dict[str, Node] = {}
        key_places: dict[str, Place] = {}
        strange: list[_Event] = []
        already = len(self.findings)
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name = self._key(key, depth)
            value = self._node(self._next(), depth + 1)
            if name is None:
                strange.append(key)
            elif self._is_usable(name, key, key_places):
                values[name] = value
                key_places[name] = self._place(key)
        if strange and (template := self._template(event, key)):
            del self.findings[already:]
            self._report(codes.UNQUOTED_TEMPLATE, f"{template} is a mapping here", event, f'write "{template}"')
            return Node(template, self._place(event))
        for odd in strange:
            self._report(codes.KEY_NOT_STRING, "a list or a mapping is used as a key", odd, QUOTE_TEMPLATE)
        return Node.of_dict(values, self._place(event), key_places)

    def _key(self, event: _Event, depth: int) -> str | None:
        """The text of a key; None for a list or a mapping. Numbers and the like are reported and taken as text."""
        value = self._node(event, depth + 1).value
        if isinstance(value, str):
            return value
        if isinstance(value, list | dict):
            return None
        text = _short(event.value) if isinstance(event, yaml.ScalarEvent) else str(value)
        hint = f'write "{text}" in quotes' if text else "write a key before the colon"
        self._report(codes.KEY_NOT_STRING, f"the key {text or 'that is missing'} is not text", event, hint)
        return text

    def _is_usable(self, name: str, key: _Event, known: dict[str, Place]) -> bool:
        if name == "<<" and isinstance(key, yaml.ScalarEvent) and not key.style:
            hint = "write the fields out, or use an alias for the whole value"
            self._report(codes.MERGE_KEY_REFUSED, "<< merges nothing in YAML 1.2", key, hint)
            return False
        if name in known:
            detail = f'"{_short(name)}" is already written at {known[name]}, and one of the two would be lost'
            self._report(codes.DUPLICATE_KEY, detail, key, "remove or rename one of them")
            return False
        return True

    def _template(self, start: _Event, end: _Event) -> str | None:
        """What was written, if it is a `{{…}}` without quotes."""
        written = self._source.original(self._source.text[start.start_mark.index : end.end_mark.index])
        is_template = written.startswith("{{") and written.endswith("}}") and "\n" not in written
        return written if is_template and len(written) <= _MAX_SHOWN else None


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
