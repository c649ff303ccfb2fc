"""Map a layout anew that has a dbt model: what comes of it is a candidate beside the dbt model, and replaces nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from generator.changes.shadow import Version, shadow_run_or_why
from generator.contracts.contract import Contract
from generator.database.ledger import connect, has_database, read_files
from generator.difference import Difference
from generator.errors import UsageError
from generator.llm import telemetry
from generator.mapping.cache import Unmapped, bench_of
from generator.mapping.generate import Bench, Generated, generate
from generator.mapping.recognising import example_for, profile_of
from generator.mapping.standing import BenchAmong, standing, start_among
from generator.project import candidate_files
from generator.project.candidate_files import Texts
from generator.project.correcting import corrected_sql
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project
from generator.project.render import LayoutName, mapping_meta, origin, render_sql
from generator.project.renewed import renewed
from generator.providers import Provider
from generator.yml.edit import model_path, value_at

CURRENT, CANDIDATE = "current", "candidate"


@dataclass(frozen=True)
class Regenerated:
    """A candidate and what it would change; `columns` are those that were asked for, () for all.

    `difference` is None where the rows were not compared; `note` says why.
    """

    layout: Layout
    before: Texts
    after: Texts
    columns: tuple[str, ...] = ()
    difference: Difference | None = None
    note: str = ""
    notices: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the mapping is what it was, and asks what it asked; then no candidate is written."""
        return self.after.sql == self.before.sql and _told(self.layout, self.after) == _told(self.layout, self.before)


def regenerate(project: Project, layout: Layout, columns: Sequence[str], provider: Provider) -> Regenerated:
    """Ask for a layout's mapping again, of all gold columns or of these, and write what comes of it beside the dbt model.

    With `columns` the rest of the dbt model stays as it is, edits included. Raises UsageError where nothing is loaded, a
    column is not known, or a person has edited the candidate that is there; Blocked where no mapping passes the checks.
    """
    contract = project.contract(layout.contract)
    if unknown := [c for c in columns if c not in contract.names]:
        raise UsageError(f"{contract.name} has no column {unknown[0]!r}; it has {', '.join(contract.names)}")
    candidate_files.ensure_replaceable(layout)
    before = candidate_files.current(layout)
    unmapped = to_map(project, layout, contract)
    bench = bench_of(project, unmapped)
    with bench.sandbox, telemetry.mapping(layout.dbt_model, contract.name):
        if columns:
            made = _ask_some(project, layout, bench, before, columns, provider)
            sql = _with_columns(before.sql, contract, made, columns)
        else:
            made = generate(bench, provider, project.max_attempts, layout.dbt_model, unmapped.example)
            sql = render_sql(_Names.of(layout), made.candidate, contract)
    after = Texts(sql, _described(layout, contract, before, sql, made, columns))
    result = Regenerated(layout, before, after, tuple(columns), notices=made.notices)
    if result.same:
        candidate_files.drop(layout)
        return result
    candidate_files.write(layout, after, before)
    return result


def _told(layout: Layout, texts: Texts) -> tuple[dict[str, list[str]], list[Any]]:
    """What a yml says of a mapping that is no remark: from which columns each gold column is, and what is asked."""
    meta = value_at(texts.yml, (*model_path(texts.yml, layout.dbt_model), "config", "meta"))
    sources = {name: column.get("source_columns") or [] for name, column in (meta.get("columns") or {}).items()}
    return {name: found for name, found in sources.items() if found}, meta.get("questions") or []


def compared(project: Project, made: Regenerated) -> Regenerated:
    """With what the candidate would change in gold and quarantine; where it does not build, with what dbt says."""
    versions = (
        Version(label, texts.sql, texts.yml) for label, texts in ((CURRENT, made.before), (CANDIDATE, made.after))
    )
    difference, note = shadow_run_or_why(project, made.layout, *versions)
    return replace(made, difference=difference, note=note)


def waiting(project: Project) -> list[Regenerated]:
    """The layouts that have a candidate, not compared yet."""
    found = []
    for layout in read_layouts(project.folder):
        texts = candidate_files.candidate(layout)
        if texts is not None:
            found.append(Regenerated(layout, candidate_files.current(layout), texts))
    return found


@dataclass(frozen=True)
class _Names(LayoutName):
    """The names of a layout as its dbt model has them now: a person may have renamed things."""

    table: str = ""

    @classmethod
    def of(cls, layout: Layout) -> _Names:
        return cls(layout.source, layout.contract, layout.fingerprint, layout.raw_table)

    @property
    def raw_table(self) -> str:
        return self.table


def to_map(project: Project, layout: Layout, contract: Contract) -> Unmapped:
    """The layout as one that has no dbt model: by its file with the most rows, of several the last."""
    if not has_database(project.database):
        raise UsageError(f"{project.database}: nothing is loaded yet; goldsmith run FILE loads and maps a file")
    with connect(project.database, project.folder) as connection:
        rows = read_files(connection, "raw_table = ? and contract = ?", layout.raw_table, layout.contract)
        filled = [row for row in rows if row.rows_loaded]
        if not filled:
            raise UsageError(
                f"{layout.dbt_model}: no rows of it are loaded, so there is nothing to learn a mapping from; goldsmith run "
                "FILE loads some"
            )
        row = max(filled, key=lambda r: (r.rows_loaded, r.loaded_at))
        profile = profile_of(connection, row)
    others = [x for x in read_layouts(project.folder) if x.dbt_model != layout.dbt_model]
    return Unmapped(row, contract, profile, example_for(others, contract, profile))


def _ask_some(
    project: Project, layout: Layout, bench: Bench, before: Texts, columns: Sequence[str], provider: Provider
) -> Generated:
    """What the provider says of these columns, judged among the others as they stand."""
    stands = standing(layout, before.sql, bench.contract)
    among = BenchAmong(
        bench.profile, bench.contract, bench.sandbox, bench.functions, stands=stands, asked=tuple(columns)
    )
    start = start_among(stands, columns, bench.suggestion, layout.provider)
    return generate(among, provider, project.max_attempts, layout.dbt_model, near=start)


def _with_columns(sql: str, contract: Contract, made: Generated, columns: Sequence[str]) -> str:
    for column in contract.columns:
        if column.name in columns:
            sql = corrected_sql(sql, column, made.candidate.columns[column.name])
    return sql


def _described(
    layout: Layout, contract: Contract, before: Texts, sql: str, made: Generated, columns: Sequence[str]
) -> str:
    """The yml with the new mapping in it, pending.

    UsageError where a person has written it in a way that cannot be edited without more.
    """
    told = mapping_meta(made.candidate, contract, layout.headers, made.provenance, sql)
    if columns:
        told = _told_of_some(layout, told, made, columns)
    descriptions = {name: origin(made.candidate.columns[name], layout.headers) for name in columns or contract.names}
    try:
        return renewed(before.yml, layout.dbt_model, told, descriptions, whole=not columns)
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"{layout.yml}: cannot be edited without changing more of it ({error}); write config.meta of "
            f"{layout.dbt_model} as plain `name: value` lines"
        ) from None


def _told_of_some(layout: Layout, told: dict[str, Any], made: Generated, columns: Sequence[str]) -> dict[str, Any]:
    """What the yml shall say where only some columns were asked for. An edited dbt model stays an edited one."""
    by = made.provenance
    mapped = {}
    for name in columns:
        maker = by.others.get(name, by.provider)
        mapped[name] = {k: v for k, v in told["columns"][name].items() if k != "provider"}
        mapped[name] |= {"provider": maker} if maker != layout.provider else {}
    still = [dict(q) for q in layout.questions if q["column"] not in columns]
    found = {
        "columns": mapped,
        "unmapped": {header: layout.unmapped.get(header, why) for header, why in told["unmapped"].items()},
        "questions": still + [q for q in told["questions"] if q["column"] in columns],
    }
    return found if layout.edited else {**found, "body_sha256": told["body_sha256"]}
