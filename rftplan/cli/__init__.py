"""The command line: parse, call, render, exit code. The only printer; decides nothing about changes.

Nothing heavy is imported here or in the modules that declare commands: bodies import what they call.
"""

from rftplan.cli.boundary import main

__all__ = ["main"]
