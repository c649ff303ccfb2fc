"""What a candidate's SQL gives on the rows of the sandbox, as counts and as a sample: the checks judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from generator.candidate import Candidate
from generator.checks import ColumnResult, Rows, Sample
from generator.checks.outcome import SAMPLE_CELL
from generator.checks.result_checks import LATEST, earliest, lossless
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column, Contract
from generator.mapping.sandbox import Sandbox, SandboxError
from generator.matcher.directions import Amount
from generator.matcher.expressions import identifier, literal, moment
from generator.project.render import mapped_select

EXAMPLES = 3
EXAMPLE_LENGTH = 200
# The sample: so many rows, fewer of a wide table.
SAMPLE_ROWS = 2_000
_SAMPLE_CELLS = 100_000


def mapped_sql(candidate: Candidate, contract: Contract) -> str:
    """The SELECT over `source` that makes the gold columns of a candidate."""
    select = mapped_select(candidate, contract, "reshaped" if candidate.reshape else "source")
    return f"with reshaped as (\n{candidate.reshape}\n)\n{select}" if candidate.reshape else select


def column_results(
    sandbox: Sandbox, mapped_sql: str, contract: Contract, source_columns: Mapping[str, Sequence[str]]
) -> list[ColumnResult]:
    """What each gold column gives, in two queries over the rows.

    `mapped_sql` is a SELECT of the gold columns and `_raw`, the source row as a struct. `source_columns`: gold column ->
    the columns of `_raw` that it is made from; names that `_raw` does not have, or not as text, are passed over.
    """
    types = dict(sandbox.describe(mapped_sql))
    missing = [name for name in (*contract.names, "_raw") if name not in types]
    if missing:
        raise SandboxError(f"the mapping does not give {', '.join(missing)}")
    described = sandbox.describe(f"select unnest(_raw) from ({mapped_sql}\n) as mapped")
    raw = {name for name, kind in described if kind == "VARCHAR"}
    parts = ["count(*)"]
    for column in contract.columns:
        cells = [f"_raw.{identifier(c)}" for c in source_columns.get(column.name, ()) if c in raw]
        parts += _statistics(column, types[column.name], cells)
    total, *values = sandbox.fetch(f"select {', '.join(parts)} from ({mapped_sql}\n) as mapped")[0]
    results = []
    for number, column in enumerate(contract.columns):
        filled, unreadable, not_accepted, out_of_range, distinct, examples = values[number * 6 : number * 6 + 6]
        results.append(
            ColumnResult(
                name=column.name,
                data_type=types[column.name],
                rows=total,
                nulls=total - filled,
                unreadable=unreadable,
                not_accepted=not_accepted,
                out_of_range=out_of_range,
                distinct=distinct,
                examples=tuple(examples or ()),
            )
        )
    return results


def counted_rows(sandbox: Sandbox, candidate: Candidate, contract: Contract, profile: LayoutProfile) -> Rows:
    """What becomes of the rows."""
    required = " and ".join(f"{c.name} is not null" for c in contract.required) or "true"
    key = ", ".join(contract.primary_key) or "1"
    total, filtered, sound, keys = sandbox.fetch(
        "select count(*), count(*) filter (where not _raw._kept), "
        f"count(*) filter (where not _raw._kept and {required}), "
        f"count(distinct hash({key})) filter (where _raw._kept) "
        f"from ({_unfiltered(candidate, contract)}\n) as mapped"
    )[0]
    if candidate.reshape is None:
        return Rows(total, total, filtered, sound, keys)
    there = {name.lower() for name, _ in sandbox.describe(candidate.reshape)}
    columns = [c.name for c in profile.columns if c.name in there]
    moved = [
        f"count(*) filter (where has_value(source.{c}) and clean_text(source.{c}) "
        f"is distinct from clean_text(cast(reshaped.{c} as varchar)))"
        for c in columns
    ]
    had, left, *changed = sandbox.fetch(
        f"select {', '.join(['(select count(*) from source)', 'count(distinct _source_row)', *moved])} "
        f"from source join (\n{candidate.reshape}\n) as reshaped using (_source_row)"
    )[0]
    golds = ", ".join(["_source_row", *(n for n in contract.names if candidate.columns[n].expression)])
    ((different,),) = sandbox.fetch(
        f"select count(distinct hash({golds})) from ({_unfiltered(candidate, contract)}\n) as mapped"
    )
    moving = {name: count for name, count in zip(columns, changed, strict=True) if count}
    return Rows(had, total, filtered, sound, keys, had - left, total - different, moving)


def sampled_rows(
    sandbox: Sandbox, candidate: Candidate, contract: Contract, profile: LayoutProfile, own: Mapping[str, Amount]
) -> Sample:
    """What a candidate makes of the first rows, beside what we read in the same cells. `own`: see Outcome."""
    relation = f"(\n{candidate.reshape}\n) as reshaped" if candidate.reshape else "source"
    there = {name.lower() for name, kind in sandbox.describe(f"select * from {relation}") if kind == "VARCHAR"}
    columns = [c for c in profile.columns if c.name in there]
    used = {s for m in candidate.columns.values() if m.expression for s in m.source_columns}
    read = [(c.name, sql) for c in columns if c.name in used for sql in _readings(c, profile)]
    signed = {g: str(a.mapping.expression) for g, a in own.items() if set(a.mapping.source_columns) <= there}
    golds = [n for n in contract.names if candidate.columns[n].expression]
    wanted = [
        "_raw._kept",
        *golds,
        *(f"left(_raw.{c.name}, {SAMPLE_CELL})" for c in columns),
        *(f"_raw._read_{i}" for i in range(len(read) + len(signed))),
    ]
    limit = min(SAMPLE_ROWS, max(1, _SAMPLE_CELLS // len(wanted)))
    unfiltered = _unfiltered(candidate, contract, [*(sql for _, sql in read), *signed.values()], limit)
    rows = sandbox.fetch(f"select {', '.join(wanted)} from ({unfiltered}\n) as mapped order by _source_row")
    kept, *values = [list(c) for c in zip(*rows, strict=True)] if rows else [[] for _ in wanted]
    parts = iter(values)
    gold = {name: next(parts) for name in golds}
    cells = {c.name: next(parts) for c in columns}
    readings: dict[str, list[list[object]]] = {}
    for name, _ in read:
        readings.setdefault(name, []).append(next(parts))
    amounts = {name: next(parts) for name in signed}
    return Sample(kept, gold, cells, readings, amounts)


def _unfiltered(
    candidate: Candidate, contract: Contract, readings: Sequence[str] = (), limit: int | None = None
) -> str:
    """The mapping of all rows; `_raw` has `_kept`, what the row filter says, and the readings as `_read_0`, ..."""
    relation = f"(\n{candidate.reshape}\n) as reshaped" if candidate.reshape else "source"
    more = [f"coalesce(({candidate.row_filter or 'true'}), false) as _kept"]
    more += [f"{sql} as _read_{i}" for i, sql in enumerate(readings)]
    first = "" if limit is None else f" order by _source_row limit {limit}"
    select = mapped_select(candidate.model_copy(update={"row_filter": None}), contract, "staged")
    return f"with staged as (select *, {', '.join(more)} from {relation}{first})\n{select}"


def _readings(column: ColumnProfile, profile: LayoutProfile) -> Iterator[str]:
    """The ways to read a column's dates or numbers, as SQL."""
    if column.date:
        kind = Column(column.name, "timestamp" if column.date.has_time else "date")
        for form in column.date.formats:
            yield moment(replace(column, date=replace(column.date, formats=(form,))), kind, profile)
    elif column.number:
        for sign in column.number.separators:
            yield f"parse_decimal({column.name}, {literal(sign)})"


def _statistics(column: Column, data_type: str, cells: Sequence[str]) -> list[str]:
    """Six aggregates of one gold column, in the order in which `column_results` takes them."""
    name = identifier(column.name)
    unreadable, example = "false", "null::varchar"
    if cells:
        unreadable = f"{name} is null and ({' or '.join(f'has_value({cell})' for cell in cells)})"
        choices = ", ".join(f"case when has_value({cell}) then left({cell}, {EXAMPLE_LENGTH}) end" for cell in cells)
        example = f"coalesce({choices})"
    if lossless(column, data_type) and data_type != column.data_type.upper():
        fitted = f"try_cast({name} as {column.data_type})"
        unreadable += f" or ({name} is not null and ({fitted} is null or {fitted} is distinct from {name}))"
    accepted = ", ".join(literal(v) for v in column.accepted_values)
    not_accepted = f"cast({name} as varchar) not in ({accepted})" if accepted else "false"
    out_of_range = "false"
    if data_type in ("DATE", "TIMESTAMP") and column.base_type in ("date", "timestamp"):
        out_of_range = f"cast({name} as date) not between date '{earliest(column)}' and date '{LATEST}'"
    return [
        f"count({name})",
        f"count(*) filter (where {unreadable})",
        f"count(*) filter (where {not_accepted})",
        f"count(*) filter (where {out_of_range})",
        f"count(distinct hash({name})) filter (where {name} is not null)",
        f"min(distinct {example}, {EXAMPLES}) filter (where {unreadable})",
    ]
