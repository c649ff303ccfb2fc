"""A user without rights, for tests of what may not be read or written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_nobody(own: Path | None = None) -> Iterator[None]:
    """Without the rights of root, whom no permission stops; the folder `own` is given to who is left."""
    root = os.geteuid() == 0
    if root:
        if own is not None:
            os.chown(own, 65534, 65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
