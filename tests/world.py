"""A project in which many lives go on, its commands run in this process, and what must hold in it after each of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner
from lives import EDITS, File, Life, Values, edited, effects
from projects import LiveProject
from promises import Promise

from generator.changes.regenerating import regenerate
from generator.cli import cli
from generator.database.dbt_runner import run_dbt
from generator.errors import GoldsmithError
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project, open_project
from generator.providers.offline import OfflineProvider

ANN = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ann"}
ANN |= {"GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "ann@example.com"}


class World:
    """The project: `kept` are the bytes of all dbt models and yml of layouts, as goldsmith or a person left them last."""

    def __init__(self, folder: Path, lives: int) -> None:
        self.folder = folder
        self.database = folder / "world.duckdb"
        self.promises = {"readings": Promise("readings"), "latest": Promise("latest", key=True)}
        self.lives = [Life.born(n, "latest" if n % 4 == 3 else "readings") for n in range(lives)]
        self.kept: dict[Path, bytes] = {}
        self.renamed = False
        LiveProject.copy(folder, "dbt_project.yml", "profiles.yml", "macros")
        for promise in self.promises.values():
            self.promise(promise)
            self.write(f"models/gold/{promise.name}.sql", "{{ gold_rows() }}\n")

    def moved(self, folder: Path) -> World:
        """The same project in another folder, where its files have been copied to."""
        there = copy(self)
        there.folder, there.database = folder, folder / self.database.name
        there.lives, there.promises = deepcopy(self.lives), dict(self.promises)
        there.kept = {folder / path.relative_to(self.folder): content for path, content in self.kept.items()}
        return there

    # ---- what people and files do -----------------------------------------------------------------------------------

    def write(self, path: str, text: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def promise(self, promise: Promise) -> None:
        """A contract as it is from now on."""
        self.promises[promise.name] = promise
        self.write(f"models/gold/{promise.name}.yml", promise.yml)

    def land(self, file: File) -> None:
        """A file comes."""
        self.write(f"landing/{file.name}", file.shape.written(list(file.rows.values())))

    def layouts(self, life: Life) -> list[Layout]:
        """The dbt models that there are of a life's layouts."""
        return [x for x in read_layouts(self.folder) if x.source == life.source]

    def edit(self, layout: Layout, number: int) -> bool:
        """A person changes a dbt model; whether there was something to change."""
        edit = EDITS[number % len(EDITS)]
        text = edited(layout.path.read_text(encoding="utf-8"), edit)
        if text is None:
            return False
        self._by_hand(layout.path, text)
        return True

    def annotate(self, layout: Layout) -> None:
        """A person adds to the yml what dbt knows: a comment, a test, a tag."""
        path = layout.path.with_suffix(".yml")
        text = path.read_text(encoding="utf-8")
        column = "\\g<0>  - name: _source_row # Ann's\n    data_tests: [not_null]\n"
        if "Ann's" not in text:
            self._by_hand(path, "# Ann's.\n" + re.sub(r"(?m)^  columns:\n(?=  - )", column, text, count=1))

    def approve(self, layout: Layout) -> None:
        """A person approves a layout, and nothing but its yml says so."""
        del self.kept[layout.yml]
        self.goldsmith("approve", layout.dbt_model)

    def regenerate(self, layout: Layout) -> None:
        """A candidate is made, if one can be; no file of a person is other than before."""
        self.goldsmith("regenerate", layout.dbt_model, "--provider", "offline", codes=(0, 1, 2))

    def propose(self, layout: Layout) -> None:
        """A candidate is made, and not compared, which takes dbt seconds."""
        project = open_project(self.folder, {"GOLDSMITH_DB": str(self.database)})
        with suppress(GoldsmithError):
            regenerate(project, layout, (), OfflineProvider())
        self.nothing_is_lost()

    def accept(self, layout: Layout) -> None:
        """A person takes the candidate, if there is one and the dbt model is as it was when it was made."""
        candidate = layout.path.with_name(f"{layout.dbt_model}.sql.candidate")
        wanted = candidate.read_bytes() if candidate.exists() else b""
        before = {path: self.kept.pop(path) for path in (layout.path, layout.yml)}
        if self.goldsmith("regenerate", layout.dbt_model, "--accept", codes=(0, 2)) is None:
            assert before == {path: self.kept[path] for path in before}
        else:
            assert self.kept[layout.path] == wanted

    def _by_hand(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        self.kept[path] = path.read_bytes()

    def rename(self, layout: Layout, name: str, folder: str) -> None:
        """A person gives a dbt model another name, or another folder."""
        for path in (layout.path, layout.path.with_suffix(".yml")):
            to = self.folder / "models/staging" / folder / f"{name}{path.suffix}"
            to.parent.mkdir(parents=True, exist_ok=True)
            del self.kept[path]
            path.rename(to)
            text = to.read_text(encoding="utf-8")
            self._by_hand(to, text.replace(f"name: {layout.dbt_model}\n", f"name: {name}\n"))
        self.renamed = True

    def delete(self, layout: Layout, both: bool) -> None:
        """A person deletes a dbt model, with or without its yml: it is to be generated again."""
        for path in (layout.path, layout.path.with_suffix(".yml")):
            if both or path.suffix == ".sql":
                path.unlink()
            del self.kept[path]
        self.renamed = True

    # ---- commands ---------------------------------------------------------------------------------------------------

    def goldsmith(self, *arguments: str, codes: tuple[int, ...] = (0, 1)) -> Any:
        """Run a command, and return what it says as JSON, None for an error: no file of a person is other than before."""
        before = dict(os.environ)
        os.environ |= {"GOLDSMITH_DB": str(self.database), "DO_NOT_TRACK": "1", **ANN}
        try:
            ran = CliRunner().invoke(cli, ["--project-dir", str(self.folder), "--json", *arguments])
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.nothing_is_lost()
        if isinstance(ran.exception, GoldsmithError) and ran.exception.exit_code in codes:
            return None
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        assert ran.exit_code in codes, ran.output
        return json.loads(ran.stdout)

    def build(self, *arguments: str) -> None:
        """Run a command that builds: no failure, and the counts of each file add up."""
        said = self.goldsmith(*arguments)
        assert not said["failures"], said["failures"]
        for file in said["files"]:
            places = ("gold", "superseded", "quarantined", "filtered", "rejected")
            if file["state"] not in ("known", "loaded"):
                assert file["rows_read"] == sum(file[f"rows_{p}"] for p in places), file

    def dbt_run(self) -> None:
        """What a dbt user does."""
        results = run_dbt(self.folder, self.database, ["run"])
        assert not [r for r in results if r.failed], results
        self.nothing_is_lost()

    # ---- what must hold ---------------------------------------------------------------------------------------------

    def nothing_is_lost(self) -> None:
        """Each dbt model of a layout, and its yml, is as it was left; new ones may have come."""
        there = {p: p.read_bytes() for p in (self.folder / "models/staging").glob("*/*") if p.is_file()}
        for path, content in self.kept.items():
            assert path in there, f"{path} is gone"
            assert there[path] == content, f"{path} was overwritten:\n{there[path].decode()}\nwas\n{content.decode()}"
        # What a deleted dbt model has left is to say its next mapping.
        self.kept = {path: content for path, content in there.items() if path.with_suffix(".sql") in there}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def all_holds(self) -> None:
        """Contract, reconciliation, and each record where it belongs, for all contracts and files."""
        for promise in self.promises.values():
            problems = [*self.unlike_contract(promise), *self.unbalanced(promise), *self.unexpected(promise)]
            assert not problems, "\n".join(
                [f"{self.folder}: {len(problems)} problems", *problems[:5], *self.told(problems)]
            )

    def told(self, problems: list[str]) -> list[str]:
        """The lives that problems are about."""
        return [f"{x.source}: {x.story}" for x in self.lives if any(f"/{x.source}/" in p for p in problems)]

    def unlike_contract(self, promise: Promise) -> Iterator[str]:
        """Where a gold table is not what its contract says: columns in order, types, nulls, accepted values, key."""
        described = {name: kind for name, kind, *_ in self.query(f"describe gold.{promise.name}")}
        if list(described.items()) != list(promise.types.items()):
            yield f"gold.{promise.name} has {described}, its contract says {promise.types}"
            return
        wrong = [f"{c} is null" for c in sorted(promise.required)]
        if "kind" in promise.columns:
            wrong.append(f"kind not in {promise.accepted}")
        for condition in wrong:
            if rows := self.query(f"select _source_file, _source_row from gold.{promise.name} where {condition}"):
                yield f"gold.{promise.name}: {condition}: {rows[:3]}"
        if promise.key and (
            twice := self.query(f"from gold.{promise.name} select meter group by 1 having count(*) > 1")
        ):
            yield f"gold.{promise.name}: {twice[:3]} more than once"

    def unbalanced(self, promise: Promise) -> Iterator[str]:
        """Where read = loaded + rejected, or each loaded record in gold or in quarantine, is not so."""
        tables = [
            t for (t,) in self.query(f"select distinct raw_table from raw._files where contract = '{promise.name}'")
        ]
        cells = " union all ".join(f'select _file_id, _source_row from raw."{t}"' for t in tables)
        yield from (
            f"{file}: {why}"
            for file, why in self.query(
                f"""
                with cells as ({cells}),
                placed as (
                    select distinct _file_id, _source_row, 'gold' as place from gold.{promise.name}
                    union all select distinct _file_id, _source_row, 'quarantine' from quarantine.{promise.name}
                ),
                met as (
                    select _file_id, _source_row, count(distinct c._file_id) as here, count(p.place) as places
                    from cells as c full join placed as p using (_file_id, _source_row) group by all
                ),
                counted as (select _file_id, count(*) as loaded from cells group by all),
                refused as (select file_id, count(*) as rejected from raw._rejects group by all)
                select _file_id, 'line ' || _source_row || ' in ' || places || ' places' from met
                where here != 1 or places != 1
                union all
                select source_file, rows_read || ' read, ' || rows_loaded || ' loaded' from raw._files as f
                left join counted on f.file_id = counted._file_id left join refused using (file_id)
                where contract = '{promise.name}' and (rows_loaded, rows_rejected, rows_read)
                    != (coalesce(loaded, 0), coalesce(rejected, 0), coalesce(loaded, 0) + coalesce(rejected, 0))
                """
            )
        )

    def unexpected(self, promise: Promise) -> Iterator[str]:
        """Where gold does not hold what is true: a record that should be there and is not, or says something else."""
        listed = ", ".join(promise.columns)
        found: dict[tuple[str, int], Values] = {
            (file, line): dict(zip(promise.columns, values, strict=True))
            for file, line, *values in self.query(
                f"select _source_file, _source_row, {listed} from gold.{promise.name}"
            )
        }
        sure, unsure = self.expected(promise)
        for place, values in sure.items():
            if place not in found:
                yield f"{place}: {values} is not in gold"
            elif found[place] != values:
                yield f"{place}: {found[place]} in gold, {values} in truth"
        for place in found.keys() - sure.keys() - unsure:
            yield f"{place}: {found[place]} in gold, which should not be there"

    def expected(self, promise: Promise) -> tuple[dict[tuple[str, int], Values], set[tuple[str, int]]]:
        """The records of loaded files that gold must hold, by file and line; and the places of those that it may hold."""
        project, read = self.project, {x.raw_table: x for x in read_layouts(self.folder)}
        contract = project.contracts[promise.name]
        loaded = self.query(
            f"select source_file, raw_table from raw._files where contract = '{promise.name}' order by loaded_at"
        )
        good: dict[tuple[str, int], Values] = {}
        unsure: set[tuple[str, int]] = set()
        meters: set[object] = set()
        files = {name: file for life in self.lives for name, file in life.files.items()}
        for name, raw_table in loaded:
            layout = read.get(raw_table)
            if layout is None or layout.held_because(
                contract, project.min_confidence, hold_unreviewed=project.hold_unreviewed
            ):
                continue
            edits = effects(layout.path.read_text(encoding="utf-8"))
            mapped = {c for c, m in layout.columns.items() if m.get("source_columns")}
            there = {what for _, what in files[name].shape.headers} & {*promise.columns}
            for line, row in files[name].rows.items():
                values: Values | None = row.values
                for edit in edits:
                    values = edit.effect(line, values) if values else None
                if values is None or row.surplus:
                    continue
                given: Values = {c: values.get(c) if c in mapped else None for c in promise.columns}
                if row.wrong.keys() & there & mapped:
                    if "kind" in row.wrong:
                        unsure.add((name, line))
                        meters.add(values["meter"])
                elif promise.keeps(given):
                    good[name, line] = given
        if promise.key:
            latest = {values["meter"]: place for place, values in good.items()}
            # What may be in gold may supersede another.
            unsure |= {place for place, values in good.items() if values["meter"] in meters}
            good = {place: good[place] for place in latest.values() if place not in unsure}
        return good, unsure

    @property
    def project(self) -> Project:
        """The project as goldsmith reads it."""
        return open_project(self.folder, {"GOLDSMITH_DB": str(self.database)})

    # ---- the same gold again ----------------------------------------------------------------------------------------

    def gold(self) -> dict[str, list[tuple[Any, ...]]]:
        """What gold and quarantine hold, row by row."""
        return {
            f"{schema}.{name}": self.query(f"select * from {schema}.{name} order by all")
            for name in self.promises
            for schema in ("gold", "quarantine")
        }
