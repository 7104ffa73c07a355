"""Where errors become exit codes: the entry point of the command line."""

import contextlib
import errno
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator

from reinforge.cli.interrupts import Stop, Stopped
from reinforge.cli.screen import Screen
from reinforge.errors import ReinforgeError, ResourceError

_PICTURES = "PIL accelerate diffusers peft pytorch_metric_learning transformers".split()
EXTRAS = {  # module -> name of the extra
    "lightgbm": "lightgbm",
    "tensorboard": "tensorboard",
    **dict.fromkeys(_PICTURES, "images"),
}
_OUR_FAULT, _BAD_INPUT, _SIGNALLED = 1, 2, 128
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; those of the process if not given.

    Returns:
        0 done; 1 our fault; 2 bad input or settings; 3 a gate failed; 4 out of memory or disk;
        130 SIGINT, 143 SIGTERM, 141 nobody reads the output.
    """
    argv = sys.argv[1:] if argv is None else argv
    screen = Screen(as_json="--json" in argv, quiet="--quiet" in argv)
    with _surroundings(screen):
        code = _outcome(argv, screen)
        return _flushed(screen, code)


def _outcome(argv: list[str], screen: Screen) -> int:
    """Run the command and turn whatever comes out of it into an exit code."""
    stop = Stop(screen.note)
    code = 0
    try:
        with stop.installed(), _stdout_kept_clean(screen):
            from reinforge.cli.app import run_app

            code = run_app(argv, screen=screen, stop=stop)
    except Stopped as stopped:
        code = _SIGNALLED + stopped.signum
        screen.error(f"stopped by {stopped}.")
    except Exception as error:  # noqa: BLE001  (the one place where the unexpected is caught)
        code, text = _judged(error, stop)
        screen.error(text)
        screen.payload["error"] = {"type": type(error).__name__, "message": text}
        if "--debug" in argv:
            screen.traceback(traceback.format_exc())
    screen.payload = {"ok": code == 0, "exit_code": code, **screen.payload}
    return code


def _judged(error: Exception, stop: Stop) -> tuple[int, str]:
    """Who can mend it: the exit code and the line."""
    if isinstance(error, ReinforgeError):
        if stop.signum is not None and error.exit_code > _SIGNALLED:
            return _SIGNALLED + stop.signum, f"{error} Go on with --resume."
        return error.exit_code, str(error)
    if isinstance(error, MemoryError) or _is_torch_memory(error):
        return ResourceError.exit_code, (
            "out of memory; use fewer rows or columns, a smaller batch, or a larger machine "
            f"({type(error).__name__}: {error})."
        )
    if isinstance(error, ModuleNotFoundError) and _package(error) in EXTRAS:
        name = _package(error)
        return _BAD_INPUT, (
            f"{name} is not installed; run: pip install 'reinforge[{EXTRAS[name]}]'"
        )
    if isinstance(error, OSError):
        return _judged_os(error)
    return _judged_usage(error)


def _package(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


def _judged_os(error: OSError) -> tuple[int, str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            ResourceError.exit_code,
            f"{error.filename or 'output'}: the disk is full; free some space.",
        )
    if error.errno == errno.ENOMEM:
        return ResourceError.exit_code, "out of memory; use fewer rows or a larger machine."
    if error.errno in _REFUSED and error.filename:
        return _BAD_INPUT, f"{error.filename}: {error.strerror}; choose another path."
    return _our_fault(error)


def _judged_usage(error: Exception) -> tuple[int, str]:
    """Usage errors of the command-line parser, else our fault."""
    import typer

    usage_error = typer.BadParameter.__bases__[0]  # typer ships the class under a private name
    if isinstance(error, usage_error):
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "reinforge"
        said = error.format_message()  # type: ignore[attr-defined]
        return _BAD_INPUT, f"{said.rstrip('.') or 'a command is needed'}; see `{command} --help`."
    return _our_fault(error)


def _our_fault(error: Exception) -> tuple[int, str]:
    return _OUR_FAULT, (
        f"unexpected {type(error).__name__}: {error} (our fault; --debug shows the traceback)"
    )


def _is_torch_memory(error: Exception) -> bool:
    """Torch reports a full memory as a plain RuntimeError."""
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "out of memory" in text or "not enough memory" in text
    )


def _flushed(screen: Screen, code: int) -> int:
    """Write the results; a reader who has gone away (`| head`) is no failure worth a traceback."""
    try:
        screen.flush()
    except BrokenPipeError:
        _silence(sys.stdout.fileno())
        return code or _SIGNALLED + signal.SIGPIPE
    except OSError as error:  # e.g. stdout goes to a file on a full disk
        exit_code, text = _judged_os(error)
        screen.error(f"stdout: {text}")
        _silence(sys.stdout.fileno())
        return exit_code
    return code


def _silence(descriptor: int) -> None:
    """Let what is still buffered go nowhere, so that Python's own last flush is quiet."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


@contextlib.contextmanager
def _stdout_kept_clean(screen: Screen) -> Iterator[None]:
    """With --json, whatever a library prints goes to stderr."""
    if screen.as_json:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    else:
        yield


@contextlib.contextmanager
def _surroundings(screen: Screen) -> Iterator[None]:
    """Show warnings and log lines as notes, and print any text on any terminal (`LANG=C`)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    handler = logging.Handler()
    handler.emit = lambda record: screen.note(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("reinforge")
    shown, logger_level = warnings.showwarning, logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    warnings.showwarning = lambda message, *_, **__: screen.note(f"warning: {message}")  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = shown
        logger.removeHandler(handler)
        logger.setLevel(logger_level)


__all__ = ["EXTRAS", "main"]
