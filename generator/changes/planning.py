"""What a changed contract means for each layout, before anything is built: it holds, needs repair, or is blocked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from generator.changes.planned import ContractPlan, Planned, Verdict
from generator.changes.trial import Trial, Tried, loaded_rows, try_contracts, unbuilt_contracts
from generator.contracts.contract import Contract, absent, parse_contracts
from generator.contracts.evolution import Change, compare
from generator.errors import UsageError
from generator.matcher.matching import ACCEPT, name_score
from generator.outcome import Progress
from generator.project import history
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project
from generator.project.written import is_null, read_written
from generator.run.counts import WAITING


def plan(project: Project, base: str | None = None) -> tuple[Planned, ...]:
    """What becomes of each layout of the contracts that have changed since `base` (a commit; None: the last one)."""
    return tuple(p for one in plans(project, base) for p in one.layouts)


def plans(
    project: Project, base: str | None = None, name: str | None = None, progress: Progress = lambda *_: None
) -> tuple[ContractPlan, ...]:
    """The plan of each contract that has changed since `base`, that gold is not built from as it is, or that has columns
    which a layout of it does not know; of the one contract that is named, in any case.

    Raises UsageError where git knows no such commit. Outside a git repository the layouts are all there is to compare with.
    """
    wanted = [project.contract(name)] if name else list(project.contracts.values())
    before = _contracts_at(project, base)
    gone = [] if name else [c for c in before.values() if c.name not in project.contracts]
    changes = {c.name: compare(before[c.name], c) if c.name in before else () for c in wanted}
    layouts = read_layouts(project.folder)
    mine = {c.name: [x for x in layouts if x.contract == c.name] for c in wanted}
    grown = {c.name for c in wanted if any(_unknown(x, c) for x in mine[c.name])}
    unbuilt = unbuilt_contracts(project, [x for listed in mine.values() for x in listed])
    wanted = [c for c in wanted if name or changes[c.name] or c.name in grown | unbuilt]
    trial = try_contracts(project, [x for c in wanted for x in mine[c.name]], progress)
    left = loaded_rows(project, [x for c in gone for x in layouts if x.contract == c.name])
    found = [_gone(project, c, layouts, left) for c in gone]
    for c in wanted:
        old = before.get(c.name)
        planned = tuple(_planned(project, x, c, old, changes[c.name], trial) for x in mine[c.name])
        failure = trial.failures.get(c.name, "")
        found.append(ContractPlan(c, old, changes[c.name], planned, c.name not in unbuilt, failure))
    return tuple(found)


def _gone(project: Project, contract: Contract, layouts: Sequence[Layout], left: Mapping[str, Tried]) -> ContractPlan:
    """The plan of a contract that the project does not have any more: what was built of it stays as it is."""
    said = f"{absent(project.folder / 'models' / 'gold', contract.name)}; until then gold stays as it was built before"
    mine = [
        Planned(x, "blocked", (), (said,), tried=left.get(x.dbt_model)) for x in layouts if x.contract == contract.name
    ]
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
    unmapped = _unmapped(layout, contract.names)
    looks = {n: h for n in unmapped if (h := _recognised(layout, contract, n))}
    bad, worse = _bad_columns(tried)
    why = {
        c.name: f"required, and not mapped; {f'{looks[c.name]!r} looks like it' if c.name in looks else _nothing(layout)}"
        for c in contract.required
        if c.name in unmapped
    }
    hopeless = [name for name in why if name not in looks]
    for name in worse:
        why.setdefault(name, bad[name])
    for change in changes:
        if change.kind == "threshold" and _too_many(tried, contract):
            why = bad | why
        elif change.touches and change.column in bad:
            why.setdefault(change.column, bad[change.column])
        elif change.column in unmapped and change.was and not _unmapped(layout, [change.was]):
            why.setdefault(
                change.column, f"{change.was} under a new name, which the layout does not know: NULL for all rows"
            )
    columns = tuple(n for n in contract.names if n in why)
    said = [f"{n}: {why[n]}" for n in (*columns, *sorted(why.keys() - set(columns)))]
    held, was_held = (project.held_because(layout, c) if c else "" for c in (contract, before))
    if held and not was_held:
        said.append(f"it would be held out of gold: {held}")
    if before and before.primary_key != contract.primary_key and (number := _newly_superseded(tried)):
        many = "1 row is superseded by a later one" if number == 1 else f"{number:,} rows are superseded by later ones"
        said.append(f"{many} of the same {', '.join(contract.primary_key)}")
    could = {n: looks[n] for n in _unknown(layout, contract) if n in looks and n not in why}
    unbuildable = contract.name in trial.failures
    verdict: Verdict = "blocked" if hopeless or unbuildable else "repair" if said else "holds"
    return Planned(layout, verdict, columns, tuple(said), could, tried)


def _newly_superseded(tried: Tried | None) -> int:
    """How many more rows give way to later ones with the same key than now."""
    if not tried or not tried.before or not tried.after:
        return 0
    now, then = (rows.kinds.get("superseded", 0) for rows in (tried.before, tried.after))
    return max(then - now, 0)


def _too_many(tried: Tried | None, contract: Contract) -> bool:
    """Whether more rows are bad than the contract bears."""
    if not tried or not tried.after:
        return False
    waiting = sum(tried.after.kinds.get(kind, 0) for kind in WAITING)
    return waiting > contract.max_quarantined * tried.loaded


def _nothing(layout: Layout) -> str:
    free = [header for header in layout.unmapped if header.strip()]
    listed = f" of {', '.join(free[:3])}{', …' if len(free) > 3 else ''}" if free else ""
    return f"no free header{listed} looks like it: map it by hand, or let it be empty in the contract"


def _unmapped(layout: Layout, names: Iterable[str]) -> set[str]:
    """The gold columns that the layout leaves NULL, as far as its dbt model can be read.

    What the yml does not list counts as such, too: dbt takes it for a column that came later.
    """
    written = read_written(layout.path.read_text(encoding="utf-8"))
    mapped = {n for n, mapping in layout.columns.items() if written or mapping.get("confidence") is not None}
    if written:
        said = {n for n, expression in written.expressions.items() if not is_null(expression)}
        mapped = mapped & said if layout.columns else said
    return set(names) - mapped


def _recognised(layout: Layout, contract: Contract, name: str) -> str | None:
    """The header that a column is most likely called by, of those that feed no other column; None if none is like it."""
    used = {h for mapping in layout.columns.values() for h in mapping.get("source_columns") or ()}
    column = contract.column(name)
    scores = {h: name_score(h, column, contract) for h in layout.headers.values() if h not in used}
    likely = max(scores, key=lambda h: scores[h], default=None)
    return likely if likely is not None and scores[likely] >= ACCEPT else None


def _bad_columns(tried: Tried | None) -> tuple[dict[str, str], set[str]]:
    """Gold column -> what is wrong with it under the new contract, in how many rows; and those with more than before."""
    after = tried.after if tried else None
    before = tried.before if tried else None
    found: dict[str, list[str]] = {}
    worse = set()
    for reason, number in (after.reasons if after else {}).items():
        column, colon, what = reason.partition(": ")
        if colon:
            found.setdefault(column, []).append(f"{what} ({number:,} row{'' if number == 1 else 's'})")
            worse |= {column} if before and number > before.reasons.get(reason, 0) else set()
    return {column: ", ".join(texts) for column, texts in found.items()}, worse
