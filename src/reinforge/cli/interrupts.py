"""Signals: the first lets a training step end and saves it, the second stops at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal ended the command; not an `Exception`, so that nothing in between swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Stop:
    """Whether the user wants the run to end.

    Args:
        note: Told when the first signal came.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.signum: int | None = None
        self._note = note
        self._gentle = False

    def __call__(self) -> bool:
        """Whether to end after this step."""
        return self.signum is not None

    @contextlib.contextmanager
    def gentle(self) -> Iterator["Stop"]:
        """Inside, the first signal is only noted, for work that looks at it and saves itself."""
        self._gentle = True
        try:
            yield self
        finally:
            self._gentle = False
        if self.signum is not None:
            raise Stopped(self.signum)

    @contextlib.contextmanager
    def installed(self) -> Iterator["Stop"]:
        """Listen to SIGINT and SIGTERM until the end of the block."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {signum: signal.signal(signum, self._handle) for signum in _SIGNALS}
        try:
            yield self
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self._gentle and self.signum is None:
            self.signum = signum
            self._note(
                f"{signal.Signals(signum).name}: ending this step and saving; again: stop now."
            )
            return
        self.signum = signum
        raise Stopped(signum)
