"""Print what intake makes of many files: `python tests/intake_table.py pollution [KIND]` or `layouts`.

`pollution` loads some thousand invented files, each with one thing wrong with it, and counts the outcomes by kind.
`layouts` compares the dialects of the real files in ../shared/layouts with what is known of them.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus import systematic
from layout_truth import compared, described
from verdict import DOUBTED, EQUAL, NEEDLESS, OVER, REFUSED, REJECTS, WRONG, Verdict, database, judge


def pollution_table(only: str) -> None:
    """Print outcomes by kind, and every file that is WRONG or refused needlessly."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    bad: list[tuple[str, str, Verdict]] = []
    connection = database()
    with tempfile.TemporaryDirectory() as folder:
        for kind, name, draft in systematic():
            if only in kind:
                verdict = judge(connection, Path(folder) / "file.csv", draft)
                outcomes[kind][verdict.what] += 1
                outcomes[kind]["said"] += verdict.said
                if verdict.what not in (EQUAL, REJECTS, REFUSED):
                    bad.append((kind, name, verdict))
    for kind, name, verdict in bad:
        print(f"{verdict.what} | {kind} | {name} | {verdict.why}")
    columns = (EQUAL, REJECTS, OVER, REFUSED, NEEDLESS, DOUBTED, WRONG, "said")
    print(f"{'kind':38}", *(f"{c[:12]:>12}" for c in ("files", *columns)))
    total: Counter[str] = Counter()
    for kind, counter in (*outcomes.items(), ("all", total)):
        files = counter.total() - counter["said"]
        print(f"{kind:38}", *(f"{n:12}" for n in (files, *(counter[c] for c in columns))))
        total += counter


def layouts_table() -> None:
    """Print for each real file what was found, and what is true where that is something else."""
    found = [compared(known) for known in described()]
    for file in found:
        facts = ", ".join(f"{name} {value!r}" for name, value, *_ in file.facts if name not in ("header", "columns"))
        print("DIFFERS" if file.wrong else "ok", file.file, facts, *file.wrong, sep=" | ")
    print(f"{sum(not f.wrong for f in found)} of {len(found)} files as described")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pollution", *kind]:
            pollution_table("".join(kind))
        case ["layouts"]:
            layouts_table()
        case _:
            sys.exit(__doc__)
