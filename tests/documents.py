"""Documents as sessions: their marked blocks are written and run, top to bottom, and what they show must come.

Before a fenced block an HTML comment says what it is: `<!-- write: PATH -->` a file that the reader writes, `<!-- run -->`
commands with what they print. A shown line may have `…` for anything; lines that are not shown may come between.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Block:
    """A fenced block. `mark` is the HTML comment before it: `run`, `write: PATH`, or '' for one that is only shown."""

    mark: str
    language: str
    text: str

    @property
    def path(self) -> str:
        """The file that the reader is told to write with this text."""
        return self.mark.removeprefix("write:").strip()


def blocks(document: str) -> Iterator[Block]:
    for found in re.finditer(r"(?:<!-- (.+?) -->\n)?^```(\w+)\n(.*?)^```$", document, re.MULTILINE | re.DOTALL):
        yield Block(found[1] or "", found[2], found[3])


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block, with the lines it is said to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *printed = part.splitlines()
        yield command, [line for line in printed if line.strip(" …")]


def follow(document: str, project: Path) -> None:
    """Do what a document tells its reader to do, in a project."""
    for block in blocks(document):
        if block.mark.startswith("write:"):
            (project / block.path).parent.mkdir(parents=True, exist_ok=True)
            (project / block.path).write_text(block.text, encoding="utf-8")
        elif block.mark == "run":
            for command, printed in commands(block):
                _says(project, command, printed)


def _says(project: Path, command: str, printed: list[str]) -> None:
    """Run a command of a document and compare: exit code, and each line that is shown, `…` for anything."""
    mine = ("OPENAI_", "DBT_", "GOLDSMITH_", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # `make demo` is this, with all of the examples.
    typed = "goldsmith run" if command == "make demo" else command
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=project,
        env={**kept, "PATH": path, "COLUMNS": "110", "PYTHONUTF8": "1", "DO_NOT_TRACK": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    wanted = re.search(r"# exit (\d)", command)
    assert done.returncode == int(wanted[1] if wanted else 0), (command, done.stdout, done.stderr)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in printed:
        pattern = ".*".join(re.escape(" ".join(piece.split())) for piece in line.split("…"))
        # A line that the terminal would have broken is compared with the text as a whole.
        found = any(re.search(pattern, told) for told in lines) or re.search(pattern, " ".join(lines))
        assert found, f"`{command}` does not print: {line}\n{done.stdout}"
