"""A folder of a thousand layouts, measured and printed, never asserted: `python tests/thousand.py [LAYOUTS=1000]`."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from many_layouts import CONTRACT, source, write_file, write_layouts
from projects import SKELETON, LiveProject, Ran

from generator.project.layouts import read_layouts


def measured(what: str, work: Callable[[], Ran]) -> None:
    """Print how long a command took."""
    start = time.perf_counter()
    ran = work()
    print(f"{what:50} {time.perf_counter() - start:6.1f} s, exit code {ran.code}")


def main(layouts: int) -> None:
    """Print what commands take in a project with so many layouts."""
    with tempfile.TemporaryDirectory() as folder:
        project = LiveProject.copy(Path(folder), *SKELETON).keep_contracts(CONTRACT)
        write_layouts(project.folder, range(layouts))
        before = project.tree()

        def run(number: int) -> Callable[[], Ran]:
            path = write_file(project.folder, number)
            return lambda: project.goldsmith("run", path, "--contract", CONTRACT, "--source", source(number))

        measured("goldsmith layouts", lambda: project.goldsmith("layouts"))
        measured("goldsmith layouts --json", lambda: project.goldsmith("layouts", "--json"))
        measured("goldsmith run, a known layout, for the first time", run(0))
        measured("goldsmith run, another known layout", run(1))
        model = read_layouts(project.folder)[-1].dbt_model
        measured("dbt run --select one_layout", lambda: project.dbt("run", "--select", model))
        print(
            f"files of the project that were changed by all this: {len(set(before.items()) ^ set(project.tree().items()))}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
