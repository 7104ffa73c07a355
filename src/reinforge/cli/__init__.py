"""The command line: one command a verb, one call a command."""

from reinforge.cli.exits import main

__all__ = ["main"]
