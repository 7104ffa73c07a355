"""What can go wrong, sorted by who can mend it: one class an exit code of the command line."""


class ReinforgeError(Exception):
    """The root of every error that reinforge raises on purpose.

    Its text is one line: what was wanted, what came, what to do.
    """

    exit_code = 1


class InputError(ReinforgeError, ValueError):
    """Bad data or bad settings: the user can mend it (exit code 2)."""

    exit_code = 2


class GateError(ReinforgeError):
    """A `--require` gate failed: the result is there, and it is not good enough (exit code 3)."""

    exit_code = 3


class ResourceError(ReinforgeError):
    """Memory or disk ran out (exit code 4)."""

    exit_code = 4
