"""What the shell hears. Prints nothing and knows no command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The whole list (DESIGN §9)."""

    OK = 0
    FAILED = 1
    """Something failed, or a person must act."""
    CHANGES = 2
    """Only from `plan --detailed-exitcode`."""
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130
