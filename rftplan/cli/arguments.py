"""Global options, taken out of the command line before it is parsed. Knows no command by name."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rftplan.errors import UsageError


class GlobalOption(NamedTuple):
    """An option with one value that every command knows. `key` names it inside."""

    key: str
    names: tuple[str, ...]
    metavar: str
    help: str


GLOBAL_OPTIONS: Final = (
    GlobalOption("directory", ("-C", "--dir"), "DIR", "The project's root, if not here."),
    GlobalOption("env", ("--env",), "NAME", "The environment: only default yet."),
    GlobalOption("specs", ("--specs",), "DIR", "Where the specs are, if not in specs/."),
    GlobalOption("lock", ("--lock",), "FILE", "Another lock than rftplan.lock."),
    GlobalOption("provider", ("--provider",), "TYPE", "Another provider than the specs name."),
)
HELP_NAMES: Final = ("-h", "--help")
_KEYS: Final = {name: option.key for option in GLOBAL_OPTIONS for name in option.names}


def global_help() -> str:
    """The options as lines of help."""
    rows = [(f"{', '.join(option.names)} {option.metavar}", option.help) for option in GLOBAL_OPTIONS]
    rows.append((", ".join(HELP_NAMES), "What a command does, and its options."))
    width = max(len(left) for left, _ in rows)
    lines = (f"  {left.ljust(width)}  {right}" for left, right in rows)
    return "\n".join(["Global options, before or after the command:", *lines])


class Words(NamedTuple):
    """A command line taken apart. `given`: values of the global options by key, the last one wins.

    `rest` is for the parser; `path` names the commands and sub-commands in it.
    """

    given: Mapping[str, str]
    rest: Sequence[str]
    path: Sequence[str]
    wants_help: bool


def take_globals(words: Sequence[str], root: Any) -> Words:
    """Take global options and --help out of the words.

    `root` is the parser's own command tree: what is the value of another option, or follows `--`, is left
    alone. UsageError if a global option lacks its value.
    """
    given: dict[str, str] = {}
    rest: list[str] = []
    path: list[str] = []
    wants_help, command, left = False, root, deque(words)
    while left:
        word = left.popleft()
        name, value = _split(word)
        if word == "--":
            rest += [word, *left]
            break
        if word in HELP_NAMES:
            wants_help = True
        elif name in _KEYS:
            given[_KEYS[name]] = _required(name, value, left)
        elif value is None and left and name in _names_with_value(command):
            rest += [word, left.popleft()]
        else:
            rest.append(word)
            if (child := getattr(command, "commands", {}).get(word)) is not None:
                command = child
                path.append(word)
    return Words(given, rest, path, wants_help)


def first_word(words: Sequence[str]) -> str | None:
    """The first word that is no global option and no value of one; None if the line has none, or asks for help."""
    left = deque(words)
    while left:
        name, value = _split(left.popleft())
        if name in HELP_NAMES:
            return None
        if name not in _KEYS:
            return name
        _required(name, value, left)
    return None


def help_text(path: Sequence[str], root: Any) -> str:
    """The parser's own help of the command that `path` leads to."""
    command, context = root, root.context_class(root, info_name="rftplan", help_option_names=[])
    for name in path:
        command = command.commands[name]
        context = command.context_class(command, info_name=name, parent=context)
    return str(command.get_help(context)) + "\n"


def _split(word: str) -> tuple[str, str | None]:
    """`--name=value` and `-Nvalue` as name and value; None without one."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    if word.startswith("-"):
        return word[:2], word[2:] or None
    return word, None


def _required(name: str, attached: str | None, left: deque[str]) -> str:
    value = attached if attached is not None else left.popleft() if left else None
    if not value or (attached is None and value.startswith("--")):
        raise UsageError(f"{name} needs a value")
    return value


def _names_with_value(command: Any) -> frozenset[str]:
    return frozenset(
        name
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.is_flag and not parameter.count
        for name in parameter.opts
    )
