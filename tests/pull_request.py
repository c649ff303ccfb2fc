"""A pull request with files of one new and of so many known layouts: how long its check takes, and the comment it makes.

`python tests/pull_request.py [LAYOUTS=50]` prints both; docs/ci.md has them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from many_layouts import CONTRACT, source, table, write_file, write_layouts
from projects import SKELETON, LiveProject


def git(folder: Path, *arguments: str) -> None:
    """Run git, as nobody in particular."""
    as_ = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *as_, *arguments], cwd=folder, check=True, capture_output=True)


def begin(project: LiveProject) -> None:
    """Commit the project as it is on `main`, and begin a branch."""
    git(project.folder, "init", "--quiet", "--initial-branch", "main")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "--quiet", "--message", "What is there")
    git(project.folder, "checkout", "--quiet", "-b", "change")


def pull_request(folder: Path, layouts: int) -> LiveProject:
    """A project whose `main` knows so many layouts, and a branch with a newer file of each and one of another layout."""
    project = LiveProject.copy(folder, *SKELETON, ".gitignore").keep_contracts(CONTRACT)
    write_layouts(folder, range(layouts))
    begin(project)
    for number in range(layouts):
        row = table(number).splitlines()[-1].replace("Shop 20", "Shop 21").replace("Invoice 20", "Invoice 21")
        with write_file(folder, number).open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    newer = write_file(folder, layouts)
    newer.write_text(
        table(layouts).replace("-", "−", 1).replace(source(layouts).title(), "Kunde <b>|</b>"), encoding="utf-8"
    )
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Samples of this month")
    return project


def main(layouts: int) -> None:
    """Print the time and the comment."""
    with tempfile.TemporaryDirectory() as folder:
        project = pull_request(Path(folder), layouts)
        start = time.perf_counter()
        ran = project.goldsmith("check", "--base", "main", "--format", "markdown", "--provider", "openai")
        print(f"{time.perf_counter() - start:.1f} s, exit code {ran.code}\n\n{ran.out}\n{ran.err}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
