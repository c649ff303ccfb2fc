"""Copies of originals, hashed as they are made; what changes meanwhile is told from what stays as it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Event

from generator.disk import is_full
from generator.errors import GoldsmithError, StillWritten, UsageError

_CHUNK = 1 << 18


def copy_and_hash(path: Path, partial: Path, stop: Event) -> tuple[Path, str, tuple[int, ...]]:
    """Copy and hash in one pass, which is as quick as a copy by the kernel and a hash after it: 0.5 s for 600 MB.

    Returns `partial`, the hash as hex digits, and the file's `identity`; what was copied so far once `stop` is set. Raises
    GoldsmithError if the file cannot be read, StillWritten if it changed meanwhile, UsageError if `partial` cannot be
    written, OSError for a full disk.
    """
    hashed, buffer = hashlib.sha256(), bytearray(_CHUNK)
    view = memoryview(buffer)
    with _readable():
        source = path.open("rb", buffering=0)
    with source:
        before = identity(os.fstat(source.fileno()))
        with writable(partial.parent):
            # It may be there, even read-only: from a process that was killed.
            partial.unlink(missing_ok=True)
            with partial.open("wb") as target:
                while (size := _read_into(source, buffer)) and not stop.is_set():
                    hashed.update(view[:size])
                    target.write(view[:size])
                target.flush()
                os.fsync(target.fileno())
        if identity(os.fstat(source.fileno())) != before:
            raise StillWritten
    return partial, hashed.hexdigest(), before


def _read_into(source: FileIO, buffer: bytearray) -> int:
    with _readable():
        return source.readinto(buffer)


def identity(stat: os.stat_result) -> tuple[int, ...]:
    """Other numbers, if a file was written or replaced."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GoldsmithError(f"cannot be read: {error.strerror}; make it readable for you") from None


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Make a folder of the archive. Raises UsageError for what is not written there, OSError for a full disk."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if is_full(error):
            raise
        raise UsageError(f"{folder}: {error.strerror}; the archive must be writable for you") from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
