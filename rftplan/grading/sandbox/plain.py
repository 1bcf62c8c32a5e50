"""Which graders leave nothing behind, so that their rows may share a process. Runs nothing; when in doubt, no.

A grader is plain if it is written in a part of Python from which no row can reach what outlives it: a few builtins
and functions of a few modules that keep no state, no names or attributes with leading underscores, no attribute set,
no class, no generator function (their ends would run later), nothing that makes code of text. Its module runs anew
for each row, so what it keeps in globals is gone as well. This is not what keeps a grader in (the cell does): it is
what makes rows independent without a process each.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from typing import Final

MODULES: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(functions.split())
    for name, functions in {
        "math": "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp "
        "exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm "
        "ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt tan "
        "tanh tau trunc ulp",
        "re": "A ASCII DOTALL I IGNORECASE M MULTILINE S U UNICODE VERBOSE X compile error escape findall finditer "
        "fullmatch match search split sub subn",
        "json": "JSONDecodeError dumps loads",
        "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits printable punctuation whitespace",
        "difflib": "SequenceMatcher get_close_matches ndiff unified_diff",
        "statistics": "fmean geometric_mean harmonic_mean mean median mode pstdev pvariance stdev variance",
        "collections": "Counter OrderedDict defaultdict deque",
        "itertools": "accumulate chain combinations count groupby islice pairwise permutations product repeat starmap "
        "takewhile zip_longest",
        "functools": "cache cmp_to_key lru_cache partial reduce",
        "heapq": "heapify heappop heappush nlargest nsmallest",
        "bisect": "bisect bisect_left bisect_right insort",
        "hashlib": "md5 sha1 sha256 sha512",
        "base64": "b64decode b64encode",
        "html": "escape unescape",
        "textwrap": "dedent indent shorten wrap",
        "time": "monotonic perf_counter time",
        "unicodedata": "category combining name normalize numeric",
        "fractions": "Fraction",
        "decimal": "Decimal InvalidOperation",
        "datetime": "date datetime time timedelta timezone",
        "ast": "literal_eval",
        "typing": "Any Dict List Mapping Optional Sequence Set Tuple Union",
        "__future__": "annotations",
        "rapidfuzz.fuzz": "QRatio WRatio partial_ratio partial_token_set_ratio partial_token_sort_ratio ratio "
        "token_ratio token_set_ratio token_sort_ratio",
    }.items()
}
"""Modules, and what of them may be used. All of it is of immutable types or made anew by each call."""

_BUILTINS: Final = (
    "abs all any ascii bin bool bytes chr complex dict divmod enumerate filter float format frozenset hash hex int "
    "isinstance issubclass iter len list map max min next oct ord pow print range repr reversed round set slice sorted "
    "str sum tuple zip True False None Ellipsis NotImplemented "
    "ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError NameError OverflowError "
    "RecursionError RuntimeError StopIteration TypeError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError "
    "ZeroDivisionError"
)
BUILTINS: Final = frozenset(_BUILTINS.split())
_OTHER_BUILTINS: Final = frozenset(dir(builtins)) - BUILTINS
_INNER: Final = ("_", "gi_", "cr_", "ag_", "tb_", "f_", "co_")
_DOORS: Final = frozenset({"obj", "format", "format_map", "register"})
"""`obj` of an AttributeError is the module that lacks the attribute; a text's `format` follows any attribute that the
text names; `register` changes what is an instance of what, for every row that follows."""
_ROOTS: Final = frozenset(name.split(".")[0] for name in MODULES)

_NODES: Final = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Lambda, ast.Return, ast.Pass, ast.Expr, ast.Constant,
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Delete, ast.Global, ast.Nonlocal,
    ast.For, ast.While, ast.Break, ast.Continue, ast.If, ast.IfExp, ast.Raise, ast.Try, ast.ExceptHandler, ast.Assert,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Starred, ast.Subscript, ast.Slice,
    ast.Dict, ast.Set, ast.List, ast.Tuple, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.Name, ast.Attribute, ast.Import, ast.ImportFrom,
    ast.alias, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def is_plain(tree: ast.Module) -> bool:
    """Whether this grader's rows may share a process."""
    nodes = list(ast.walk(tree))
    if not all(isinstance(node, _NODES) and _is_harmless(node) for node in nodes):
        return False
    bound = dict(_modules_of(nodes))
    return _modules_stay_themselves(nodes, bound)


def imported(tree: ast.Module) -> list[str]:
    """Every module that it names, and every name from a module, which may be one too."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found[node.module] = None
            found.update(dict.fromkeys(f"{node.module}.{alias.name}" for alias in node.names))
    return list(found)


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ExceptHandler(name=str(name)):
            return _is_ordinary(name)
        case ast.alias(asname=name):
            return name is None or _is_ordinary(name)
        case ast.Attribute(attr=name, ctx=context):
            return isinstance(context, ast.Load) and name not in _DOORS and not name.startswith(_INNER)
        case ast.comprehension(is_async=is_async):
            return not is_async
        case ast.Import(names=names):
            return all(alias.name in MODULES or (alias.name in _ROOTS and not alias.asname) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=0):
            return all(_may_come_from(module or "", alias) for alias in names)
        case ast.ImportFrom():
            return False
    return True


def _is_ordinary(name: str) -> bool:
    return not name.startswith("__") and name not in _OTHER_BUILTINS


def _may_come_from(module: str, alias: ast.alias) -> bool:
    return alias.name in MODULES.get(module, ()) or f"{module}.{alias.name}" in MODULES


def _modules_of(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Names that are bound to modules."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in MODULES:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _modules_stay_themselves(nodes: list[ast.AST], bound: Mapping[str, str]) -> bool:
    """No module is passed on as a value, and nothing of it is used but what may be."""
    proper = {id(base) for node in nodes if isinstance(node, ast.Attribute) for base in _proper_base(node, bound)}
    used = {id(node) for node in nodes if isinstance(node, ast.Name) and node.id in bound}
    # One import may hide another of the same name: then neither is what it seems.
    return used <= proper and len(set(_modules_of(nodes))) == len(bound)


def _proper_base(node: ast.Attribute, bound: Mapping[str, str]) -> Iterator[ast.Name]:
    """The module's name at the start of `module.function`, if that function may be used."""
    names, base = [node.attr], node.value
    while isinstance(base, ast.Attribute):
        names.append(base.attr)
        base = base.value
    if isinstance(base, ast.Name) and base.id in bound:
        module = ".".join([bound[base.id], *reversed(names[1:])])
        if names[0] in MODULES.get(module, ()):
            yield base
