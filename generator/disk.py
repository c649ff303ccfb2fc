"""A full disk, said as one: it stops the run, and is no fault of the file that met it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from generator.errors import DiskFullError

_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# As the operating system says it, in whatever DuckDB or dbt put around it; and DuckDB, of its temporary files.
_WORDS = ("No space left on device", "Disk quota exceeded", "File too large", "max_temp_directory_size")


def is_full(error: BaseException | str) -> bool:
    """Whether an error, or a message of one, says that there is no room to write."""
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    return any(words in str(error) for words in _WORDS)


def disk_full(error: BaseException | str, *places: Path) -> DiskFullError:
    """What to say then: what has no room, how much is free in these places and for temporary files, and what to do."""
    reason = next((words for words in _WORDS if words in str(error)), "no room to write")
    # Not tempfile.gettempdir: it writes a file to find out.
    temporary = Path(os.environ.get("TMPDIR") or "/tmp")
    free = [f"{_free(p)} free for {p}" for p in dict.fromkeys((*places, temporary))]
    remedy = "Raise the limit to the size of a file (ulimit -f)" if reason == os.strerror(errno.EFBIG) else "Make room"
    return DiskFullError(
        f"{reason}: {', '.join(free)}; nothing is half loaded. {remedy}, and the same command goes on from there"
    )


def _free(place: Path) -> str:
    while not place.exists():
        place = place.absolute().parent
    size = float(shutil.disk_usage(place).free)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
