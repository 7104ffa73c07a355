"""What the user sees: results on stdout at the end, everything else on stderr as it happens."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from rich.console import Console, RenderableType
from rich.markup import escape

_LINE_SECONDS = 30.0  # without a terminal: a line at least so often
_LINE_SHARE = 0.1  # ... or at every tenth of the work


@runtime_checkable
class Advance(Protocol):
    """Told how far the work is."""

    def __call__(self, done: int, text: str = "") -> None:
        """Take note that `done` units are done."""


class _Console(Console):
    """A console that reports a closed pipe instead of ending the process."""

    def on_broken_pipe(self) -> None:
        """Leave the decision to the caller."""
        raise


class Screen:
    """The terminal of one command.

    Args:
        as_json: Print one JSON object on stdout instead of results for people.
        quiet: No notes and no progress.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.payload: dict[str, Any] = {}  # what --json prints
        self._shown: list[RenderableType] = []
        self._errors = _Console(stderr=True, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something on the way; a closed stderr is no reason to stop."""
        if not self.quiet:
            self._say(escape(text))

    def error(self, text: str) -> None:
        """Say what went wrong, in one line; `--quiet` does not hide it."""
        self._say(f"[bold red]error:[/] {escape(' '.join(text.split()))}")

    def traceback(self, text: str) -> None:
        """Show a traceback as it is."""
        self._say(escape(text))

    def show(self, renderable: RenderableType) -> None:
        """Keep a result for people until the command ends."""
        self._shown.append(renderable)

    def flush(self) -> None:
        """Write the results to stdout.

        Raises:
            BrokenPipeError: Nobody reads them.
        """
        if self.as_json:
            sys.stdout.write(json.dumps(_plain(self.payload), allow_nan=False) + "\n")
        else:
            console = _Console(highlight=False, soft_wrap=False)
            for renderable in self._shown:
                is_text = isinstance(renderable, str)  # of the user's names and paths: no markup
                console.print(renderable, soft_wrap=is_text, markup=not is_text)
        self._shown = []
        sys.stdout.flush()

    @contextlib.contextmanager
    def progress(self, task: str, total: int | None, *, first: int = 0) -> Iterator[Advance]:
        """Show how far a task is: a bar with ETA on a terminal, plain lines elsewhere.

        Args:
            task: What is done, e.g. "fit".
            total: Units of work in all; None: what is told are percents.
            first: Units that were done before, by a run that is gone on with.
        """
        if self.quiet:
            yield lambda done, text="": None
        elif self._errors.is_terminal:
            with self._bar(task, 100 if total is None else total, first) as advance:
                yield advance
        else:
            yield _Lines(self, task, total, first)

    @contextlib.contextmanager
    def _bar(self, task: str, total: int, first: int) -> Iterator[Advance]:
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            TextColumn("{task.description:<13}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._errors,
        )
        with bar:
            key = bar.add_task(task, total=max(total, 1), completed=first, text="")
            yield lambda done, text="": bar.update(key, completed=done, text=text)
            bar.update(key, completed=max(total, 1))

    def _say(self, markup: str) -> None:
        try:
            self._errors.print(markup)
        except BrokenPipeError:
            self.quiet = True


class _Lines:
    """Progress as plain lines, for logs."""

    def __init__(self, screen: Screen, task: str, total: int | None, first: int) -> None:
        self._screen, self._task = screen, task
        self._is_counted, self._total = total is not None, 100 if total is None else max(total, 1)
        self._start = self._last_time = time.monotonic()
        self._first = self._last_done = first

    def __call__(self, done: int, text: str = "") -> None:
        """Print a line when enough time or work has gone by since the last one."""
        now = time.monotonic()
        is_far = done - self._last_done >= _LINE_SHARE * self._total or done == self._total
        if done == self._last_done or not (is_far or now - self._last_time >= _LINE_SECONDS):
            return
        self._last_time, self._last_done = now, done
        elapsed = now - self._start
        left = elapsed / max(done - self._first, 1) * (self._total - done)
        share = f"{done / self._total:.0%}"
        far = f"{done:,}/{self._total:,} ({share})" if self._is_counted else share
        also = f", {text}" if text else ""
        self._screen.note(f"{self._task} {far}, {elapsed:.0f} s, {left:.0f} s left{also}")


def _plain(value: Any) -> Any:
    """Make a value JSON: paths and numpy scalars become text and numbers, NaN becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return str(value)
