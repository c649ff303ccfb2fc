"""Whether a known layout's dbt model reads a file whose formats may be another variant's: the second half of step 5."""

from __future__ import annotations

from jinja2 import StrictUndefined, TemplateError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.database.ledger import LedgerRow
from generator.mapping.sandbox import Sandbox, SandboxError
from generator.matcher.expressions import identifier, literal
from generator.project.layouts import Layout
from generator.project.project import Project


def reads(project: Project, row: LedgerRow, contract: Contract, layout: Layout, profile: LayoutProfile) -> bool:
    """Whether a layout's dbt model, as it is now, reads this file's rows: required columns filled on enough of them, and
    half of the cells of any other column that holds dates now and did not before.

    What people write may need dbt or the whole database (macros, vars, other tables): an edited dbt model that cannot be
    tried here is used as it is, and dbt says what it makes of the rows.
    """
    required = " and ".join(f"{c.name} is not null" for c in contract.required) or "true"
    filled = _filled(layout, contract, profile)
    names = ", ".join(f"if({holds}, {literal(name)}, null)" for name, holds in filled.items())
    half = " and ".join(
        f"2 * count({name}) >= count(*) filter (where list_contains(_violations, {literal(name)}))" for name in filled
    )
    sql = _rendered(layout, f"[{names}]")
    if sql is None:
        return layout.edited
    rows_of = "with layout_rows as (select * from source)"
    try:
        with Sandbox.of_file(project.functions_sql, project.database, f"raw.{row.raw_table}", row.file_id) as sandbox:
            if layout.edited and not _binds(sandbox, f"{rows_of} select * from (\n{sql}\n) as staged"):
                return True
            (rows, good, read), *_ = sandbox.fetch(
                f"{rows_of} select count(*), count(*) filter (where {required}), {half or 'true'} "
                f"from (\n{sql}\n) as staged"
            )
    except SandboxError:
        return False
    return bool(rows and read) and good >= (1 - contract.max_quarantined) * rows


def _rendered(layout: Layout, violations: str) -> str | None:
    """A layout's SQL over its rows in `layout_rows`; None where its Jinja takes more than what is generated."""

    def source(*names: str) -> str:
        if names != ("raw", layout.raw_table):
            raise UndefinedError(f"{names} is not here")
        return "layout_rows"

    try:
        template = SandboxedEnvironment(undefined=StrictUndefined).from_string(layout.path.read_text(encoding="utf-8"))
        return template.render(source=source, contract_violations=lambda *_: violations, config=lambda *_, **__: "")
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError):
        return None


def _binds(sandbox: Sandbox, sql: str) -> bool:
    """Whether the sandbox has all that a SELECT reads."""
    try:
        sandbox.describe(sql)
    except SandboxError:
        return False
    return True


def _filled(layout: Layout, contract: Contract, profile: LayoutProfile) -> dict[str, str]:
    """For each column that may be NULL and is fed by such a one, whether a cell of these holds something, as SQL.

    No other format can be told from the rows: of numbers `find_layout` has told it, and a word that is not known is none.
    """
    pairs = zip(profile.columns, layout.headers.items(), layout.shapes, strict=True)
    dated = [(raw, header) for c, (raw, header), known in pairs if c.date and c.shape != known]
    found = {}
    for gold in contract.columns:
        headers = (layout.columns.get(gold.name) or {}).get("source_columns") or ()
        cells = [f"has_value(_raw.{identifier(raw)})" for raw, header in dated if header in headers]
        if cells and not gold.not_null:
            found[gold.name] = " or ".join(cells)
    return found
