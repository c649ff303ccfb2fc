"""What gold and quarantine hold: rows by file, and which files and layouts were built under which version."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.database.ledger import Connection

# The kinds of quarantined rows that count against a file.
WAITING = ("violation", "held", "blocked", "frozen")
# A value that was left out of a row in gold: the row itself is counted there.
DISCARDED = "discarded_value"


@dataclass(frozen=True)
class Freezing:
    """What keeps a whole file out of gold: the first violation in a frozen column, and the cells of its row."""

    line: int
    violation: str
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Counts:
    """Distinct source rows of one file in gold, in quarantine by kind, and in both; how often each reason is given.

    A row in gold whose bad values alone are in quarantine is not in both. `freezing` is set where the file is frozen.
    """

    gold: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    both: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    freezing: Freezing | None = None

    @property
    def quarantined(self) -> int:
        """Rows that wait, or that violate the contract; filtered and superseded ones are as they should be."""
        return sum(self.kinds.get(kind, 0) for kind in WAITING)


def count_files(connection: Connection, contract: str, file_ids: Iterable[str]) -> dict[str, Counts]:
    """What gold and quarantine hold of each of these files of a built contract."""
    wanted = sorted(file_ids)
    these = "where _file_id in (select unnest(?))"

    def grouped(sql: str) -> dict[str, list[tuple[Any, ...]]]:
        found = defaultdict(list)
        for file_id, *rest in connection.execute(sql, [wanted] * sql.count("?")).fetchall():
            found[file_id].append(tuple(rest))
        return found

    gold = grouped(f'select _file_id, count(distinct _source_row) from gold."{contract}" {these} group by all')
    kinds = grouped(
        f'select _file_id, kind, count(distinct _source_row) from quarantine."{contract}" {these} group by all'
    )
    # Source rows of which a reshape made several, some good and some not: they count as quarantined.
    both = grouped(
        f"""
        select _file_id, count(distinct _source_row)
        from (select _file_id, _source_row from gold."{contract}" {these})
        inner join (select _file_id, _source_row from quarantine."{contract}" {these} and kind != '{DISCARDED}')
            using (_file_id, _source_row)
        group by all
        """
    )
    reasons = grouped(
        f"""
        select _file_id, reason, count(*) from (
            select _file_id, unnest(reasons) || if(kind = '{DISCARDED}', ' (the value is left out)', '') as reason
            from quarantine."{contract}" {these}
            union all
            select file_id, reason from raw._rejects where file_id in (select unnest(?))
        ) group by all order by count(*) desc, reason
        """
    )
    freezing = grouped(
        f"""
        select _file_id, _source_row, reasons[-1], row from quarantine."{contract}"
        {these} and kind = 'frozen' and starts_with(reasons[-1], 'the file is frozen by line ' || _source_row || ': ')
        """
    )
    return {
        file: Counts(
            sum(n for (n,) in gold[file]),
            dict(kinds[file]),
            sum(n for (n,) in both[file]),
            tuple(reasons[file]),
            next(
                (Freezing(n, why.partition(f"line {n}: ")[2], json.loads(row)) for n, why, row in freezing[file]), None
            ),
        )
        for file in wanted
    }


def count_quarantined(connection: Connection, contract: str) -> dict[str, int]:
    """The rows of each file that wait in quarantine, or violate the contract."""
    marks = ", ".join("?" for _ in WAITING)
    return dict(
        connection.execute(
            f'select _file_id, count(distinct _source_row) from quarantine."{contract}" '
            f"where kind in ({marks}) group by _file_id",
            list(WAITING),
        ).fetchall()
    )


def staged_versions(connection: Connection) -> dict[str, str]:
    """Layout -> the version of its mapping that its staging view in the database has."""
    return dict(connection.execute("select layout, mapping from raw._staged").fetchall())


def built_contracts(connection: Connection) -> frozenset[str]:
    """The contracts whose gold and quarantine tables are in the database."""
    found = connection.execute(
        """
        select table_name from information_schema.tables where table_schema = 'gold'
        intersect
        select table_name from information_schema.tables where table_schema = 'quarantine'
        """
    ).fetchall()
    return frozenset(name for (name,) in found)


def built_files(connection: Connection) -> dict[str, str]:
    """File -> the version of its mapping, of files that both gold and quarantine were built from under one version."""
    return dict(
        connection.execute(
            """
            select built.file_id, min(built.mapping)
            from raw._built as built
            inner join raw._files as files using (file_id)
            where ends_with(built.relation, '."' || files.contract || '"')
            group by built.file_id
            having count(*) = 2 and min(built.mapping) = max(built.mapping)
            """
        ).fetchall()
    )


def outdated_contracts(connection: Connection) -> frozenset[str]:
    """The contracts whose gold or quarantine still hold files that have come to another contract since."""
    found = connection.execute(
        """
        select distinct regexp_extract(built.relation, '"([^"]*)"$', 1) as built_for
        from raw._built as built
        inner join raw._files as files using (file_id)
        where built_for is distinct from files.contract
        """
    ).fetchall()
    return frozenset(name for (name,) in found)
