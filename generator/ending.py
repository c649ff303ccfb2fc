"""How a command ends: in one line and an exit code for whatever a user can cause, never in a traceback."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from generator.disk import disk_full, is_full
from generator.errors import INTERRUPTED, GoldsmithError, UsageError
from generator.visible import plain


@contextmanager
def one_line_endings() -> Iterator[None]:
    """End the process by what is raised inside: its exit code, after one line on standard error."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except GoldsmithError as error:
        _fail(error)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _interrupted()
    except RuntimeError as error:
        # DuckDB turns Ctrl-C during a query into this.
        if str(error) != "Query interrupted":
            raise
        _interrupted()
    except BrokenPipeError:
        _discard_output()
        sys.exit(141)
    except OSError as error:
        _discard_output()
        if is_full(error):
            _fail(disk_full(error, Path(error.filename or Path.cwd())))
        where = f"{error.filename}: " if error.filename else ""
        _fail(UsageError(f"{where}{error.strerror or error}; check the path and its permissions"))


def _fail(error: GoldsmithError) -> NoReturn:
    console = Console(stderr=True, soft_wrap=True)
    console.print(Text(f"goldsmith: {plain(error, 2000)}", style="red"))
    sys.exit(error.exit_code)


def _interrupted() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Console(stderr=True, soft_wrap=True).print(Text(INTERRUPTED))
    # Temporary files go; then at once: an import that was cut short, or a thread that waits for an LLM, has DuckDB in its
    # hands, and the rest of Python's own end would trip over that, or print what it found there.
    atexit._run_exitfuncs()
    os._exit(130)


def _discard_output() -> None:
    """What standard output still holds cannot be written, and Python would say so once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
