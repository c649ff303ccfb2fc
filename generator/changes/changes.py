"""The layouts that a pull request adds, changes or removes, and those that its files would need, as `check` shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from generator.changes.past import found_at
from generator.changes.shadow import Version, shadow_run_or_why
from generator.changes.touched import Touched
from generator.finding import LayoutChange, shown
from generator.outcome import LayoutOutcome, RunOutcome
from generator.project.history import text_at
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project
from generator.run.results import layout_outcomes

# A comparison takes dbt two builds.
COMPARED = 5
TOO_MANY = f"not compared: only the first {COMPARED} are; goldsmith diff compares one"


def layout_changes(
    project: Project, copy: Project, outcome: RunOutcome, touched: Touched | None, root: Path
) -> tuple[LayoutChange, ...]:
    """What a run of the checked files in the throw-away `copy` shows of layouts that are new, added, changed or removed."""
    known = read_layouts(project.folder)
    committed = {x.dbt_model for x in known}
    found = [
        LayoutChange("new", x.dbt_model, shown(root, project.folder / x.path), x)
        for x in outcome.layouts
        if x.dbt_model not in committed
    ]
    if touched is None:
        return tuple(found)
    mapped = {x.dbt_model: x for x in outcome.layouts}
    left = COMPARED
    for layout in known:
        if layout.dbt_model in touched.layouts or (layout.contract in touched.contracts and layout.dbt_model in mapped):
            change = _change(project, copy, layout, mapped.get(layout.dbt_model), touched, root, compare=left > 0)
            left -= change.how == "changed" and layout.dbt_model in mapped
            found.append(change)
    renamed = {change.was for change in found}
    removed = sorted((name, path) for name, path in touched.removed.items() if name not in renamed)
    found += [LayoutChange("removed", name, shown(root, path)) for name, path in removed]
    return tuple(found)


def _change(
    project: Project,
    copy: Project,
    layout: Layout,
    mapped: LayoutOutcome | None,
    touched: Touched,
    root: Path,
    *,
    compare: bool,
) -> LayoutChange:
    """One layout that is touched, with what that does to the rows of its files, if one of them was checked."""
    (outcome,) = [mapped] if mapped else layout_outcomes(project, [layout], samples=False)
    name, before = _before(project, layout, touched)
    difference, note = None, ""
    if before and not mapped:
        note = "not compared: no file of it is among those that were checked"
    elif before and not compare:
        note = TOO_MANY
    elif before:
        now = Version("now", layout.path.read_text(encoding="utf-8"), layout.yml.read_text(encoding="utf-8"))
        (loaded,) = [x for x in read_layouts(copy.folder) if x.dbt_model == layout.dbt_model]
        difference, why = shadow_run_or_why(copy, loaded, before, now)
        note = f"not compared: {why}" if why else ""
    return LayoutChange(
        "changed" if before else "added",
        layout.dbt_model,
        shown(root, layout.path),
        outcome,
        difference,
        note,
        was=name if name != layout.dbt_model else "",
    )


def _before(project: Project, layout: Layout, touched: Touched) -> tuple[str, Version | None]:
    """What the layout's dbt model was called where the pull request began, and as what it was there; None if it was not."""
    name, before = found_at(project, layout, touched.fork) or ("", None)
    # A layout that is still there under its name is another one: without a header, several have the same fingerprint.
    if before is None or (name != layout.dbt_model and name not in touched.removed):
        return "", None
    contract = None
    if layout.contract in touched.contracts:
        contract = text_at(project.folder, touched.fork, project.folder / "models" / "gold" / f"{layout.contract}.yml")
    return name, replace(before, label="before", contract_yml=contract)
