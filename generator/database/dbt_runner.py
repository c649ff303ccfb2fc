"""The one module that touches dbt: run it in this process and read what it did."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from generator.database.dbt_profile import names_database, profiles_folder
from generator.database.lock import held_elsewhere
from generator.disk import disk_full, is_full
from generator.errors import GoldsmithError, UsageError

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg


@dataclass(frozen=True)
class NodeResult:
    """What became of one node: `status` is dbt's own (success, pass, warn, error, fail, skipped).

    `path` is its file, relative to the project; `needs` are the names of the nodes that it reads or tests.
    """

    name: str
    resource_type: str
    status: str
    message: str
    path: str = ""
    needs: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the node did not do what it should."""
        return self.status in ("error", "fail", "runtime error")


def run_dbt(
    project: Path, database: Path, command: Sequence[str], on_node: Callable[[str], None] | None = None
) -> list[NodeResult]:
    """Run one dbt command for a project and return a result for each node that it touched.

    `on_node` is called with a node's name when it is done. Raises UsageError with dbt's own words if dbt cannot start:
    a profile that is missing, a yml or macro that does not parse; DiskFullError and LockedError for what they say.
    """
    errors: list[str] = []

    def listen(event: EventMsg) -> None:
        if event.info.name in ("LogModelResult", "LogTestResult") and on_node:
            on_node(str(event.data.node_info.node_name))
        if event.info.level == "error":
            errors.append(str(getattr(event.info, "msg", "")))

    arguments = [
        *command,
        *("--project-dir", str(project), "--profiles-dir", str(profiles_folder(project))),
        *("--log-level", "none", "--log-path", str(project / "target" / "logs"), "--no-use-colors"),
    ]
    # With another environment than that of a person's `dbt run`, dbt would parse all anew whenever the two take turns.
    named = {} if names_database(project, database) else {"GOLDSMITH_DB": str(database)}
    with (
        _environment(**named, DBT_SEND_ANONYMOUS_USAGE_STATS="false"),
        _interrupts() as interrupts,
    ):
        # dbt takes a second to import, and most commands do without it. What it imports may swallow a Ctrl-C.
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner(callbacks=[listen]).invoke(arguments)
    if interrupts or isinstance(outcome.exception, KeyboardInterrupt):
        raise KeyboardInterrupt
    if outcome.exception is not None or outcome.result is None:
        reason = " ".join(str(outcome.exception or (errors[-1] if errors else "no reason given")).split())
        raise _no_fault_of_dbt(reason, project, database) or UsageError("dbt cannot run this project: " + reason)
    results = [
        NodeResult(
            r.node.name,
            str(r.node.resource_type),
            str(r.status),
            " ".join((r.message or "").split()),
            r.node.original_file_path,
            tuple(unique_id.rpartition(".")[2] for unique_id in r.node.depends_on_nodes),
        )
        for r in getattr(outcome.result, "results", [])
        if getattr(r, "node", None) is not None and hasattr(r.node, "name")
    ]
    for result in results:
        if result.failed and (error := _no_fault_of_dbt(result.message, project, database)):
            raise error
    return results


def _no_fault_of_dbt(reason: str, project: Path, database: Path) -> GoldsmithError | None:
    """The error of a full disk, or of another program that has the database."""
    return disk_full(reason, project, database) if is_full(reason) else held_elsewhere(database, reason)


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Remembers Ctrl-C: dbt may make a failed node of it, or of DuckDB's answer to it."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def receive(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, receive)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
