"""What a person sees in a terminal, without a run."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from generator.outcome import Failure, FileOutcome, RunOutcome
from generator.report.terminal import show_errors


def test_quiet_leaves_the_files_that_need_somebody_and_what_failed_in_dbt() -> None:
    files = (
        FileOutcome("fine.csv", "gold", rows_read=1, rows_gold=1),
        FileOutcome("late.csv", "waiting", "still being written"),
        FileOutcome("open.csv", "held", "amount: which sign?", file_id="1", rows_read=1, rows_quarantined=1),
    )
    with StringIO() as out:
        show_errors(
            Console(file=out, width=140), RunOutcome(files=files, failures=(Failure("dbt test x: Got 1 result"),))
        )
        said = out.getvalue().splitlines()
    assert said == [
        "held    open.csv",
        "         1 read = 0 gold + 1 quarantined + 0 filtered + 0 rejected",
        "         amount: which sign?",
        "dbt test x: Got 1 result",
    ]
