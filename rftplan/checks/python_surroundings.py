"""Rules about what a Python grader wants of the place where it runs: packages, the network, files. Runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.checks.preflight import Preflight
from rftplan.checks.python_source import Source, parsed_sources
from rftplan.checks.python_tree import dotted
from rftplan.codes import error, warning
from rftplan.errors import Diagnostic
from rftplan.grading.python_image import PACKAGES, TAGS, is_there

NOT_IN_IMAGE: Final = error("G152", "Python grader imports what is not there")
USES_NETWORK: Final = warning("G153", "Python grader uses the network")
USES_SURROUNDINGS: Final = warning("G159", "Python grader reads files or the environment")

_NETWORK: Final = frozenset({
    "aiohttp", "ftplib", "http.client", "httpx", "httpx2", "imaplib", "openai", "poplib", "requests", "smtplib",
    "socket", "telnetlib", "urllib.request", "urllib3", "websocket", "websockets", "xmlrpc.client",
})  # fmt: skip
_ENVIRONMENT: Final = frozenset({"os.environ", "os.getenv", "os.environb"})
_READS: Final = frozenset({"read_text", "read_bytes", "read_csv", "read_json", "read_parquet", "read_excel"})


def missing_modules(preflight: Preflight) -> Iterable[Diagnostic]:
    """An import that fails makes every row an error; one inside a `try` may be meant to."""
    for source in parsed_sources(preflight):
        if source.grader.image_tag not in (None, *TAGS):
            continue
        guarded = set(_guarded(source.tree))
        for module, node in _imports(source.tree):
            if node not in guarded and not is_there(module):
                detail = f"{module.partition('.')[0]} is neither in the service's image nor in the standard library"
                hint = f"the image has {', '.join(sorted(PACKAGES.values()))}"
                yield source.finding(NOT_IN_IMAGE, node.lineno, detail, hint=hint)


def _imports(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module, node


def _guarded(tree: ast.Module) -> Iterator[ast.AST]:
    """Whatever stands in a `try` that catches something, or runs for type checkers alone."""
    for node in ast.walk(tree):
        checking = isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING")
        if (isinstance(node, ast.Try) and node.handlers) or checking:
            for statement in node.body if isinstance(node, ast.Try | ast.If) else ():
                yield from ast.walk(statement)


def network(preflight: Preflight) -> Iterable[Diagnostic]:
    """There is none: each call waits, fails and costs the row its score."""
    for source in parsed_sources(preflight):
        for module, node in _network_imports(source.tree):
            if is_there(module):  # another import is a worse finding already
                detail = f"{module} needs the network, and there is none"
                hint = "put what the grader needs into fields of the rows; a model is asked by a score_model"
                yield source.finding(USES_NETWORK, node.lineno, detail, hint=hint)


def _network_imports(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from ((name, node) for name in names if name in _NETWORK)


def surroundings(preflight: Preflight) -> Iterable[Diagnostic]:
    """The place has an empty environment and none of your files."""
    for source in parsed_sources(preflight):
        for node in ast.walk(source.tree):
            if (said := _looked_at(node)) is not None:
                detail = f"{said}: the place where it runs has neither your files nor your environment"
                yield _at(source, node, detail)
                break


def _at(source: Source, node: ast.AST, detail: str) -> Diagnostic:
    hint = "put what it needs into the source, or into fields of the rows"
    return source.finding(USES_SURROUNDINGS, getattr(node, "lineno", 1), detail, hint=hint)


def _looked_at(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute) and dotted(node) in _ENVIRONMENT:
        return dotted(node)
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id == "open" and _reads(node):
        return "open(…) reads a file"
    if isinstance(node.func, ast.Attribute) and node.func.attr in _READS and not _in_memory(node):
        return f"{node.func.attr}(…) reads a file"
    return None


def _reads(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return not modes or (isinstance(modes[0], ast.Constant) and "r" in str(modes[0].value))


def _in_memory(call: ast.Call) -> bool:
    """`read_csv(StringIO(text))` reads no file."""
    return any(isinstance(argument, ast.Name | ast.Call) for argument in call.args)


RULES: Final = (missing_modules, network, surroundings)
PROBES: Final = ()
