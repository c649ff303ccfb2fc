"""Wrong mappings made of right ones, and what becomes of them: caught by a check, asked about, or silent.

`python tests/wrong_mappings.py` prints the table for the examples, and for the real files of ../shared/layouts if they
are there. The right ones are the offline matcher's that pass and ask nothing.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

from invented import LAYOUTS, ROOT, shipped
from projects import EXAMPLES, SKELETON, LiveProject

from generator.candidate import Candidate, ColumnMapping
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.database.ledger import connect, read_files
from generator.database.sql_functions import create_functions_sql
from generator.mapping.judging import judge
from generator.mapping.measuring import mapped_sql
from generator.mapping.recognising import profile_of
from generator.mapping.sandbox import Sandbox, SandboxError
from generator.matcher.expressions import decimal, literal, simple
from generator.matcher.matching import type_fit
from generator.matcher.offline import propose

FUNCTIONS = frozenset(
    "clean_text has_value parse_decimal parse_integer parse_date parse_timestamp parse_boolean net_amount".split()
)
NUMBERS, DATES = ("decimal", "double", "integer"), ("date", "timestamp")
# A required column that is less certain is held.
MIN_CONFIDENCE = 0.6


@cache
def functions_sql() -> str:
    """The SQL that creates the project's functions."""
    return create_functions_sql(ROOT / "macros")


@dataclass(frozen=True)
class Right:
    """A layout with a right mapping, and the database that has its rows."""

    contract: Contract
    profile: LayoutProfile
    candidate: Candidate
    database: Path
    raw_table: str
    file_id: str

    def sandbox(self) -> Sandbox:
        """A sandbox with the rows."""
        return Sandbox.of_file(functions_sql(), self.database, f"raw.{self.raw_table}", self.file_id)


def examples() -> dict[str, Path]:
    """The examples, by where they go in a project."""
    return {p.relative_to(ROOT / "examples").as_posix(): p for p in sorted(EXAMPLES.glob("*/*/*.csv"))}


def real_files() -> dict[str, Path]:
    """The real files, if they are there."""
    return {f"landing/{p.parts[-3]}/real/{p.name}": p for p in sorted(LAYOUTS.glob("*/files/*")) if p.is_file()}


def loaded(folder: Path, files: Mapping[str, Path]) -> Iterator[Right]:
    """Files loaded into a project in a folder: those that have a right mapping."""
    project = LiveProject.copy(folder / "project", *SKELETON)
    for name, path in files.items():
        project.put(name, path.read_bytes())
    project.goldsmith("load")
    with connect(project.database, project.folder) as connection:
        rows = [(row, profile_of(connection, row)) for row in read_files(connection, "raw_table <> ''")]
    for row, profile in rows:
        contract = shipped(row.contract or "")
        candidate = propose(profile, contract)
        right = Right(contract, profile, candidate, project.database, row.raw_table, row.file_id)
        with right.sandbox() as sandbox:
            if not candidate.questions and verdict(candidate, right, sandbox) == "silent":
                yield right


def wrong(right: Right) -> Iterator[tuple[str, Candidate]]:
    """Kinds of mistakes, each with the candidate that makes it."""
    contract, profile, good = right.contract, right.profile, right.candidate
    given = [(c, m) for c in contract.columns if (m := good.columns[c.name]).expression]

    def changed(kind: str, name: str, expression: str | None, *sources: str) -> tuple[str, Candidate]:
        mapping = ColumnMapping(
            expression=expression, source_columns=sources or good.columns[name].source_columns, confidence=0.95
        )
        explained = {c.name: "not needed" for c in profile.columns}
        return kind, good.model_copy(update={"columns": {**good.columns, name: mapping}, "unmapped": explained})

    for (one, first), (two, second) in combinations(given, 2):
        if one.base_type == two.base_type and one.accepted_values == two.accepted_values:
            _, half = changed("", one.name, second.expression, *second.source_columns)
            columns = {**half.columns, two.name: first.model_copy(update={"confidence": 0.95})}
            yield "two columns swapped", half.model_copy(update={"columns": columns})
    for gold, mapping in given:
        sql = str(mapping.expression)
        yield changed("null for a column that is there", gold.name, None)
        for column in profile.columns:
            if column.name in mapping.source_columns or not type_fit(column, gold):
                continue
            kind = {**dict.fromkeys(NUMBERS, "another number"), **dict.fromkeys(DATES, "another date")}
            if gold.base_type in kind:
                yield changed(kind[gold.base_type], gold.name, simple(column, gold, profile), column.name)
            elif gold.accepted_values:
                yield changed("another text with these values", gold.name, simple(column, gold, profile), column.name)
        if gold.base_type in DATES:
            swapped = sql.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")
            yield changed("day and month swapped", gold.name, swapped)
            yield changed("date cut to the month", gold.name, f"cast(date_trunc('month', {sql}) as {gold.data_type})")
            yield changed("default date", gold.name, f"coalesce({sql}, cast('2024-01-01' as {gold.data_type}))")
        if gold.base_type in NUMBERS:
            turned = re.sub(r"'([.,])'", lambda m: "','" if m[1] == "." else "'.'", sql)
            yield changed("wrong decimal sign", gold.name, turned)
            yield changed("sign turned", gold.name, f"-({sql})")
            yield changed("sign lost", gold.name, f"abs({sql})")
            yield changed("sign lost", gold.name, f"-abs({sql})")
            for factor in ("* 100", "* 0.01", "* 0.001", "* 1.19", "+ 1"):
                yield changed("arithmetic", gold.name, f"({sql}) {factor}")
            yield changed("default number", gold.name, f"coalesce({sql}, 0)")
            yield changed("constant", gold.name, "1")
            yield changed("greatest of it and zero", gold.name, f"greatest({sql}, 0)")
            for column in profile.columns:
                if column.number and column.name in mapping.source_columns and len(mapping.source_columns) > 1:
                    yield changed("one of two columns", gold.name, decimal(column, profile), column.name)
            if pair := re.fullmatch(r"net_amount\((\w+), (\w+), ('.')\)", sql):
                yield changed("pair reversed", gold.name, f"net_amount({pair[2]}, {pair[1]}, {pair[3]})")
            if "when" in sql:
                yield changed("flag ignored", gold.name, decimal(profile.column(mapping.source_columns[0]), profile))
                yield changed("flag reversed", gold.name, sql.replace("then -", "then +").replace("then p", "then -p"))
        if gold.base_type == "text" and not gold.accepted_values:
            yield changed("text in capitals", gold.name, f"upper({sql})")
            yield changed("text in small letters", gold.name, f"lower({sql})")
            yield changed("text with a word added", gold.name, f"'Payment ' || {sql}")
            yield changed("constant", gold.name, "'unknown'")
            yield changed("default text", gold.name, f"coalesce({sql}, 'unknown')")
        if gold.accepted_values:
            for value in gold.accepted_values[:3]:
                yield changed("constant", gold.name, literal(value))
                yield changed("default value", gold.name, f"coalesce({sql}, {literal(value)})")
                if gold.unit and mapping.source_columns:
                    given_by = f"case when has_value({mapping.source_columns[0]}) then {literal(value)} end"
                    yield changed("constant", gold.name, given_by)
    yield from _filters(right, changed("", contract.names[0], good.columns[contract.names[0]].expression)[1])


def _filters(right: Right, good: Candidate) -> Iterator[tuple[str, Candidate]]:
    """Row filters and reshapes that lose rows or move cells between rows."""
    before = f"({good.row_filter}) and " if good.row_filter else ""
    profile = right.profile
    conditions = ["_source_row % 2 = 0", "_source_row > 5"]
    for gold in right.contract.columns:
        expression = good.columns[gold.name].expression
        if expression and gold.base_type == "decimal":
            conditions += [f"{expression} > 0", f"abs({expression}) < 100", f"{expression} <> 0"]
        if expression and gold.base_type == "date":
            conditions.append(f"{expression} >= cast('2024-01-15' as date)")
    for column in profile.columns:
        if column.filled and not column.date and not column.number:
            value = literal(column.frequent[0][0])
            conditions += [f"clean_text({column.name}) <> {value}", f"length({column.name}) > 6"]
            conditions.append(f"not contains(lower(coalesce({column.name}, '')), 'a')")
    for condition in conditions:
        yield (
            "rows filtered",
            good.model_copy(
                update={"row_filter": f"{before}coalesce({condition}, false)", "row_filter_note": "not needed"}
            ),
        )
    kept = "_file_id, _source_file, _source_row, _preamble, _footer"
    names = [c.name for c in profile.columns]
    window = "over (partition by _file_id order by _source_row)"
    plain = ", ".join(names)
    yield (
        "rows lost in a reshape",
        good.model_copy(update={"reshape": f"select {kept}, {plain} from source where _source_row % 2 = 0"}),
    )
    both = f"select {kept}, {plain} from source"
    yield "rows doubled in a reshape", good.model_copy(update={"reshape": f"{both} union all {both}"})
    for name in names:
        moved = ", ".join(f"lag({n}) {window} as {n}" if n == name else n for n in names)
        yield "cells moved to the next row", good.model_copy(update={"reshape": f"select {kept}, {moved} from source"})


def verdict(candidate: Candidate, right: Right, sandbox: Sandbox) -> str:
    """`caught`, `asked` (or held for its confidence), or `silent`."""
    judgement = judge(candidate, right.profile, right.contract, sandbox, FUNCTIONS)
    if judgement.violations:
        return "caught"
    least = min((candidate.columns[c.name].confidence for c in right.contract.required), default=1.0)
    return "asked" if judgement.questions or candidate.questions or least < MIN_CONFIDENCE else "silent"


def given(candidate: Candidate, right: Right, sandbox: Sandbox, names: tuple[str, ...]) -> Counter[Any] | None:
    """The rows that come out, with these columns; None where nothing can."""
    try:
        return Counter(
            sandbox.fetch(f"select {', '.join(names)} from ({mapped_sql(candidate, right.contract)}\n) as m")
        )
    except SandboxError:
        return None


@dataclass(frozen=True)
class Judged:
    """A wrong mapping: of which file, what kind of mistake, its verdict; whether it changes what is required, or more."""

    file: str
    kind: str
    verdict: str
    changes_required: bool
    changes: bool
    candidate: Candidate


def judged(rights: Iterable[Right]) -> Iterator[Judged]:
    """Every wrong mapping of these layouts that changes anything."""
    for right in rights:
        required = tuple(c.name for c in right.contract.required) or right.contract.names[:1]
        with right.sandbox() as sandbox:
            whole, part = (given(right.candidate, right, sandbox, n) for n in (right.contract.names, required))
            for kind, candidate in wrong(right):
                if given(candidate, right, sandbox, right.contract.names) == whole:
                    continue
                other = given(candidate, right, sandbox, required) != part
                found = verdict(candidate, right, sandbox)
                yield Judged(right.profile.source_file, kind, found, other, True, candidate)


def table(found: list[Judged]) -> str:
    """The result as Markdown."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        silent = "silent, required" if one.changes_required else "silent, other"
        for kind in (one.kind, "all"):
            counts[kind].update(["cases", silent if one.verdict == "silent" else one.verdict])
    columns = ("cases", "caught", "asked", "silent, required", "silent, other")
    lines = [f"| mistake | {' | '.join(columns)} |", "| --- " * (len(columns) + 1) + "|"]
    order = sorted(k for k in counts if k != "all")
    return "\n".join(
        [*lines, *(f"| {k} | {' | '.join(str(counts[k][c]) for c in columns)} |" for k in [*order, "all"])]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        every = list(judged(loaded(Path(folder), examples() | real_files())))
    print(table(every))
    for one in every:
        if one.verdict == "silent" and (one.changes_required or "-v" in sys.argv):
            print(f"{one.file}: {one.kind}")
