"""Files that people own: read as they are, and replaced in one step, if nobody else has changed them meanwhile.

Files of goldsmith's own are written in one step, too.
"""

from __future__ import annotations

import os
from pathlib import Path

from generator.errors import UsageError


def read_exactly(path: Path) -> str:
    """A file's text, line ends as they are. Raises UsageError for what is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start + 1} is not UTF-8; save it as UTF-8") from None


def write_whole(path: Path, text: str) -> None:
    """Write a file of goldsmith's own, whatever was there; its folder is made, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(text.encode())
    partial.replace(path)


def replace_exactly(path: Path, before: str, after: str) -> None:
    """Put another text in the place of the one that was read. Raises UsageError where the file has a third one."""
    target = path.resolve()
    if read_exactly(target) != before:
        raise UsageError(f"{path}: was changed meanwhile, and is left as it is now; do it again")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(after.encode())
        partial.chmod(target.stat().st_mode)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
