"""The parser and the list of commands. Has no command bodies of its own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from rftplan.cli.arguments import global_help

COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "starting": ("init", "version"),
    "explaining": ("explain",),
    "checking": ("check",),
    "reading": ("plan", "show", "status", "output"),
    "acting": ("apply", "destroy"),
    "watching": ("watch", "events", "metrics", "checkpoints", "samples"),
    "intervening": ("pause", "resume", "cancel"),
    "amending": ("hold", "release", "recover", "unlock"),
    "importing": ("import", "accept"),
    "state": ("state",),
    "serving": ("serve",),
    "diagnosing": ("doctor",),
    "trying": ("grade",),
    "testing": ("test",),
}
"""Modules of this package, each with a `register`, and the commands that it registers."""


class WholeSummaries(TyperGroup):
    """Lists commands with their whole summaries, wrapped: the parser would cut them where a terminal is narrow."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit=200)) for name, each in commands if each])


def make_app(word: str | None = None) -> typer.Typer:
    """All commands; or, where `word` is one, its module's only: declaring all takes longer than most of them."""
    app = typer.Typer(
        name="rftplan",
        cls=WholeSummaries,
        help="Plan and apply for reinforcement fine-tuning: YAML in, promoted checkpoints out.",
        # `\b` keeps the parser from filling the lines of the list into one paragraph.
        epilog=f"\b\n{global_help()}",
        add_completion=False,
        # The parser's own --help would import pydantic into every command: see `arguments`.
        context_settings={"help_option_names": []},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_no_options)
    homes = [home for home, names in COMMANDS.items() if word in names]
    for home in homes or COMMANDS:
        import_module(f"rftplan.cli.{home}").register(app)
    return app


def _no_options() -> None:
    # With a callback, an app stays a group of commands even if it has only one.
    pass
