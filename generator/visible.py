"""Hostile texts made fit to be seen: one line, nothing invisible in it. Pure."""

from __future__ import annotations

import json
import re
import unicodedata

# Control, format (bidirectional, zero width), private, surrogate and unassigned characters, line and paragraph ends.
UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def plain(text: object, limit: int = 200) -> str:
    """A text on one line of at most `limit` visible characters."""
    shown = "".join(" " if unicodedata.category(c) in UNSEEN else c for c in str(text))
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def one_line(text: str, limit: int) -> str:
    """A line of at most `limit` visible characters, blanks as they are."""
    shown = "".join(" " if unicodedata.category(c) in UNSEEN else c for c in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def json_text(value: object) -> str:
    """A value as JSON that says the same and has nothing invisible in it but line ends."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return re.sub(r"[^\n -~]", lambda c: json.dumps(c[0])[1:-1] if unicodedata.category(c[0]) in UNSEEN else c[0], text)
