"""The way in: Ctrl-C is one line and exit code 130 from the first instant to the last, imports included; so is SIGTERM."""

from __future__ import annotations

import _thread
import os
import signal
import sys
from types import FrameType

from generator.errors import INTERRUPTED


def main() -> None:
    """Run the command line."""
    from generator.cli import main as command

    sys.unraisablehook = _raise_again
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        command()
    finally:
        # The work is done and said; what is left is Python's own tidying up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> None:
    """While modules are imported nothing is begun yet; and an exception in there may be swallowed, or half printed."""
    os.write(2, f"{INTERRUPTED}\n".encode())
    os._exit(130)


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Ctrl-C that came while Python called a finalizer or a weak reference's callback, where it would be lost."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(unraisable)


# At once: even the call of `main` would be too late for who is quick.
signal.signal(signal.SIGINT, _leave)
# A job that is cancelled ends as by Ctrl-C, so that nothing of it is left in the folder for temporary files.
signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))

if __name__ == "__main__":
    main()
