"""What a changed contract means for each layout, before anything is built: it holds, needs repair, or is blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from generator import history
from generator.contracts import Contract, parse_contracts
from generator.counts import WAITING
from generator.errors import UsageError
from generator.evolution import Change, compare
from generator.layouts import Layout, read_layouts
from generator.matching import ACCEPT, name_score
from generator.outcome import Progress
from generator.project import Project
from generator.trial import Rows, Trial, Tried, try_contracts
from generator.written import read_written

Verdict = Literal["holds", "repair", "blocked"]


@dataclass(frozen=True)
class Planned:
    """What becomes of one layout. `columns` are the gold columns that its mapping has to say anew, `why` says so in words.

    `could`: gold column -> a header that may feed it, of columns that are NULL without anything being wrong.
    `tried`: its rows before and after, None where none are loaded.
    """

    layout: Layout
    verdict: Verdict
    columns: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    could: Mapping[str, str] = field(default_factory=dict)
    tried: Tried | None = None

    @property
    def command(self) -> str:
        """What a person runs next, '' where nothing is to be done."""
        columns = self.columns or tuple(self.could)
        if not columns:
            return ""
        return " ".join(["goldsmith regenerate", self.layout.short, *(f"--column {c}" for c in columns)])


@dataclass(frozen=True)
class ContractPlan:
    """What has changed in one contract, and what that means for its layouts. `failure` is what dbt says where its gold
    could not be built at all. `before` is None for a contract that is new, or where there is nothing to compare with.
    """

    contract: Contract
    before: Contract | None
    changes: tuple[Change, ...]
    layouts: tuple[Planned, ...]
    failure: str = ""

    @property
    def fine(self) -> bool:
        """Whether it can be built as it is, and nothing is left to do."""
        return not self.failure and all(p.verdict == "holds" for p in self.layouts)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "contract": self.contract.name,
            "version": self.contract.version,
            "version_before": self.before.version if self.before else None,
            "changes": [{"kind": c.kind, "column": c.column, "text": c.text} for c in self.changes],
            "failure": self.failure,
            "layouts": [_as_json(p) for p in self.layouts],
        }


def plan(project: Project, base: str | None = None) -> tuple[Planned, ...]:
    """What becomes of each layout of the contracts that have changed since `base` (a commit; None: the last one)."""
    return tuple(p for one in plans(project, base) for p in one.layouts)


def plans(
    project: Project, base: str | None = None, name: str | None = None, progress: Progress = lambda *_: None
) -> tuple[ContractPlan, ...]:
    """The plan of each contract that has changed since `base`, or that has columns which a layout of it does not know; of
    the one contract that is named, in any case.

    Raises UsageError where git knows no such commit. Outside a git repository the layouts are all there is to compare with.
    """
    wanted = [project.contract(name)] if name else list(project.contracts.values())
    before = _contracts_at(project, base)
    gone = [] if name else [c for c in before.values() if c.name not in project.contracts]
    changes = {c.name: compare(before[c.name], c) if c.name in before else () for c in wanted}
    layouts = [x for x in read_layouts(project.folder) if x.contract in changes]
    grown = {x.contract for x in layouts if _unknown(x, project.contracts[x.contract])}
    wanted = [c for c in wanted if name or changes[c.name] or c.name in grown]
    concerned = [x for x in layouts if x.contract in {c.name for c in wanted}]
    trial = try_contracts(project, concerned, progress)
    return (
        *(_gone(c, read_layouts(project.folder)) for c in gone),
        *(
            ContractPlan(
                c,
                before.get(c.name),
                changes[c.name],
                tuple(
                    _planned(project, x, c, before.get(c.name), changes[c.name], trial)
                    for x in layouts
                    if x.contract == c.name
                ),
                trial.failures.get(c.name, ""),
            )
            for c in wanted
        ),
    )


def _gone(contract: Contract, layouts: Sequence[Layout]) -> ContractPlan:
    """The plan of a contract that the project does not have any more: the rows of its layouts stay in raw."""
    said = "the contract is gone; rows that were loaded for it stay in raw, and nothing is built from them"
    mine = [Planned(x, "blocked", (), (said,)) for x in layouts if x.contract == contract.name]
    return ContractPlan(contract, contract, (Change("removed", said),), tuple(mine))


def _contracts_at(project: Project, base: str | None) -> dict[str, Contract]:
    """The contracts as they were at a commit; {} outside a git repository, and before its first commit."""
    folder = project.folder
    commit = history.fork(folder, base) if base else history.head(folder)
    if commit is None:
        return {}
    found: dict[str, Contract] = {}
    for path in history.files_at(folder, commit, folder / "models" / "gold"):
        if path.suffix in (".yml", ".yaml"):
            text = history.text_at(folder, commit, path) or ""
            # What was no contract then is new now.
            with suppress(UsageError):
                found |= {c.name: c for c in parse_contracts(text, str(path))}
    return found


def _unknown(layout: Layout, contract: Contract) -> list[str]:
    """The columns that the contract has got since the layout was mapped."""
    return [n for n in contract.names if layout.columns and n not in layout.columns]


def _planned(
    project: Project,
    layout: Layout,
    contract: Contract,
    before: Contract | None,
    changes: Sequence[Change],
    trial: Trial,
) -> Planned:
    tried = trial.layouts.get(layout.dbt_model)
    unmapped = _unmapped(layout, contract)
    looks = {n: h for n in unmapped if (h := _recognised(layout, contract, n))}
    bad = _reasons_by_column(tried.after if tried else None)
    why = {
        c.name: f"required, and not mapped; {f'{looks[c.name]!r} looks like it' if c.name in looks else _nothing(layout)}"
        for c in contract.required
        if c.name in unmapped
    }
    hopeless = [name for name in why if name not in looks]
    for change in changes:
        if change.column is None and _loses(tried, contract, change):
            why = bad | why
        elif change.touches and change.column in bad:
            why.setdefault(change.column, bad[change.column])
        elif change.column and change.kind == "renamed" and change.column in unmapped:
            why.setdefault(change.column, f"{change.text}, which the layout does not know: NULL for all rows")
    columns = tuple(n for n in contract.names if n in why)
    said = [f"{n}: {why[n]}" for n in columns]
    held, was_held = (
        layout.held_because(c, project.min_confidence, hold_unreviewed=project.hold_unreviewed) if c else ""
        for c in (contract, before)
    )
    if held and not was_held:
        said.append(f"it would be held out of gold: {held}")
    could = {n: looks[n] for n in _unknown(layout, contract) if n in looks and n not in why}
    verdict: Verdict = "blocked" if hopeless else "repair" if said else "holds"
    return Planned(layout, verdict, columns, tuple(said), could, tried)


def _loses(tried: Tried | None, contract: Contract, change: Change) -> bool:
    """Whether rows leave gold by a change of the whole contract, or are too many now in quarantine."""
    if not tried or not tried.after or not tried.before:
        return False
    if change.kind == "threshold":
        return sum(tried.after.kinds.get(kind, 0) for kind in WAITING) > contract.max_quarantined * tried.loaded
    return change.kind == "rules" and tried.after.gold < tried.before.gold


def _nothing(layout: Layout) -> str:
    free = [header for header in layout.unmapped if header.strip()]
    listed = f" of {', '.join(free[:3])}{', …' if len(free) > 3 else ''}" if free else ""
    return f"no free header{listed} looks like it: map it by hand, or let it be empty in the contract"


def _unmapped(layout: Layout, contract: Contract) -> set[str]:
    """The contract's columns that the layout leaves NULL, as far as its dbt model can be read.

    What the yml does not list counts as unmapped, too: dbt takes it for a column that came later.
    """
    written = read_written(layout.path.read_text(encoding="utf-8"))
    found = set(_unknown(layout, contract))
    for name in contract.names:
        if written:
            expression = written.expressions.get(name, "null")
            if " ".join(expression.lower().split()).startswith(("null", "cast(null as ", "cast (null as ")):
                found.add(name)
        elif name in layout.columns and layout.columns[name].get("confidence") is None:
            found.add(name)
    return found


def _recognised(layout: Layout, contract: Contract, name: str) -> str | None:
    """The header that a column is most likely called by, of those that feed no other column; None if none is like it."""
    used = {h for mapping in layout.columns.values() for h in mapping.get("source_columns") or ()}
    column = contract.column(name)
    scores = {h: name_score(h, column, contract) for h in layout.headers.values() if h not in used}
    likely = max(scores, key=lambda h: scores[h], default=None)
    return likely if likely is not None and scores[likely] >= ACCEPT else None


def _reasons_by_column(rows: Rows | None) -> dict[str, str]:
    """Gold column -> what is wrong with it, with how many rows."""
    found: dict[str, list[str]] = {}
    for reason, number in (rows.reasons if rows else {}).items():
        column, colon, what = reason.partition(": ")
        if colon:
            found.setdefault(column, []).append(f"{what} ({number:,} row{'' if number == 1 else 's'})")
    return {column: ", ".join(texts) for column, texts in found.items()}


def _as_json(planned: Planned) -> dict[str, Any]:
    tried = planned.tried
    return {
        "layout": planned.layout.short,
        "dbt_model": planned.layout.dbt_model,
        "verdict": planned.verdict,
        "columns": list(planned.columns),
        "why": list(planned.why),
        "could": dict(planned.could),
        "command": planned.command,
        "files": tried.files if tried else 0,
        "rows_loaded": tried.loaded if tried else 0,
        "before": _rows_json(tried.before) if tried else None,
        "after": _rows_json(tried.after) if tried else None,
    }


def _rows_json(rows: Rows | None) -> dict[str, Any] | None:
    return {"gold": rows.gold, "quarantine": dict(rows.kinds), "reasons": dict(rows.reasons)} if rows else None
