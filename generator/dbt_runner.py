"""The one module that touches dbt: run it in this process and read what it did."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import UsageError

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg


@dataclass(frozen=True)
class NodeResult:
    """What became of one node: `status` is dbt's own (success, pass, warn, error, fail, skipped)."""

    name: str
    resource_type: str
    status: str
    message: str

    @property
    def failed(self) -> bool:
        """Whether the node did not do what it should."""
        return self.status in ("error", "fail", "runtime error")


def run_dbt(
    project: Path, database: Path, command: Sequence[str], on_node: Callable[[str], None] | None = None
) -> list[NodeResult]:
    """Run one dbt command for a project and return a result for each node that it touched.

    `on_node` is called with a node's name when it is done. Raises UsageError with dbt's own words if dbt cannot start:
    a profile that is missing, a yml or macro that does not parse.
    """
    # dbt takes a second to import, and most commands do without it.
    from dbt.cli.main import dbtRunner

    errors: list[str] = []

    def listen(event: EventMsg) -> None:
        if event.info.name in ("LogModelResult", "LogTestResult") and on_node:
            on_node(str(event.data.node_info.node_name))
        if event.info.level == "error":
            errors.append(str(getattr(event.info, "msg", "")))

    arguments = [
        *command,
        *("--project-dir", str(project), "--profiles-dir", str(_profiles(project))),
        *("--log-level", "none", "--log-path", str(project / "target" / "logs"), "--no-use-colors"),
    ]
    with _environment(GOLDSMITH_DB=str(database), DBT_SEND_ANONYMOUS_USAGE_STATS="false"):
        outcome = dbtRunner(callbacks=[listen]).invoke(arguments)
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception
    if outcome.exception is not None or outcome.result is None:
        reason = str(outcome.exception or (errors[-1] if errors else "no reason given"))
        raise UsageError("dbt cannot run this project: " + " ".join(reason.split()))
    return [
        NodeResult(r.node.name, str(r.node.resource_type), str(r.status), " ".join((r.message or "").split()))
        for r in getattr(outcome.result, "results", [])
        if getattr(r, "node", None) is not None and hasattr(r.node, "name")
    ]


def _profiles(project: Path) -> Path:
    """The folder of profiles.yml: the project, or dbt's own ~/.dbt."""
    if (project / "profiles.yml").exists():
        return project
    home = Path(os.environ.get("DBT_PROFILES_DIR", Path.home() / ".dbt"))
    if (home / "profiles.yml").exists():
        return home
    raise UsageError(f"{project / 'profiles.yml'}: missing; copy it from the goldsmith repository")


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
