"""The parser: the list of command groups. Has no command bodies of its own."""

from __future__ import annotations

import typer

from rftplan.cli import acting, reading, serving, starting, state
from rftplan.cli.arguments import global_help

# `\b` keeps the parser from filling the lines of the list into one paragraph.
app = typer.Typer(
    name="rftplan",
    help="Plan and apply for reinforcement fine-tuning: YAML in, promoted checkpoints out.",
    epilog=f"\b\n{global_help()}",
    add_completion=False,
    # The parser's own --help would import pydantic into every command: see `arguments`.
    context_settings={"help_option_names": []},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

starting.register(app)
reading.register(app)
acting.register(app)
state.register(app)
serving.register(app)
