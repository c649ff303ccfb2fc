"""dbt models that people edit, copy, rename and delete, by the real commands: nothing of them is lost in silence."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from projects import SKELETON, LiveProject
from test_layouts_folder import write

from generator.database.ledger import connect, read_files
from generator.errors import UsageError
from generator.mapping.cache import look_up
from generator.project.layouts import Layout, read_layouts
from generator.project.listing import find_listed
from generator.project.project import open_project

pytestmark = pytest.mark.slow

BANK = "bank_transactions"
HEADER = "Booking date;Payee;Purpose;Amount;Currency;Balance\n"
JANUARY = (
    f"{HEADER}15.01.2024;Bakery Crumb;Rolls REF 8812;-4,20;EUR;995,80\n"
    "17.01.2024;Tin & Wood Ltd;Salary REF 8814;2.100,00;EUR;3.095,80\n"
    "22.01.2024;City Water;Invoice REF 8815;-48,90;EUR;3.046,90\n"
)
FEBRUARY = (
    f"{HEADER}14.02.2024;Bakery Crumb;Rolls REF 1;-4,40;EUR;3.030,00\n"
    "19.02.2024;Tin & Wood Ltd;Salary REF 2;2.100,00;EUR;5.130,00\n"
)


@dataclass(frozen=True)
class Harbour:
    """A project with one statement that was run."""

    live: LiveProject

    @property
    def layout(self) -> Layout:
        (found,) = read_layouts(self.live.folder)
        return found

    def put(self, month: str, text: str) -> None:
        self.live.put(f"landing/{BANK}/harbour/{month}.csv", text)

    def edit(self, path: Path, old: str, new: str) -> None:
        self.live.edit(str(path.relative_to(self.live.folder)), old, new)

    def gold(self, what: str) -> list[tuple[Any, ...]]:
        """What gold says, by file and row."""
        return self.live.query(f"select {what} from gold.{BANK} order by _source_file, _source_row")

    def files(self, *words: str, code: int) -> dict[str, dict[str, Any]]:
        """What a run says of each file, by its month."""
        ran = self.live.goldsmith("run", *words, "--json")
        assert ran.code == code, ran
        return {Path(f["source_file"]).stem: f for f in ran.json["files"]}


@pytest.fixture(scope="module")
def began(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    live = LiveProject.copy(tmp_path_factory.mktemp("harbour") / "project", *SKELETON).keep_contracts(BANK)
    live.put(f"landing/{BANK}/harbour/jan.csv", JANUARY)
    assert live.goldsmith("run").code == 0
    return live


@pytest.fixture
def harbour(began: LiveProject, tmp_path: Path) -> Harbour:
    shutil.copytree(began.folder, tmp_path / "project")
    return Harbour(LiveProject(tmp_path / "project"))


def refused(live: LiveProject, commands: Sequence[Sequence[str]], *said: str) -> None:
    """Each of these commands ends with exit code 2 and says all of this, and nothing else."""
    for words in commands:
        ran = live.goldsmith(*words)
        assert (ran.code, ran.out) == (2, ""), ran
        assert all(text in ran.err for text in said), ran
        assert ran.err.count("\n") == 1, ran


# ---- two of one layout ----------------------------------------------------------------------------------------------


def test_a_copied_dbt_model_doubles_no_row_whoever_builds(harbour: Harbour) -> None:
    layout, before = harbour.layout, harbour.gold("*")
    copy = layout.path.with_name("stg_copy.sql")
    shutil.copy2(layout.path, copy)
    yml = layout.yml.read_text(encoding="utf-8").split("sources:\n")[0]
    copy.with_suffix(".yml").write_text(yml.replace(f"name: {layout.dbt_model}", "name: stg_copy"), encoding="utf-8")
    harbour.put("feb", FEBRUARY)
    commands = (["run"], ["rebuild"], ["layouts"], ["check", "landing"], ["show", layout.short])
    refused(
        harbour.live,
        commands,
        str(copy),
        str(layout.path),
        f"both read raw.{layout.raw_table} for {BANK}",
        "delete one",
    )
    ran = harbour.live.dbt("build", "--exclude-resource-type", "unit_test")
    assert ran.code == 1
    assert f"stg_copy.sql and models/staging/harbour/{layout.path.name}: both read raw.{layout.raw_table}" in ran.said
    assert harbour.gold("*") == before


def test_a_whole_name_is_enough_and_the_beginning_of_several_names_them_with_their_files(skeleton: LiveProject) -> None:
    project = open_project(skeleton.folder, {})
    for source, name in (("a", "bank"), ("b", "bank_2")):
        path = write(skeleton.folder, source=source)
        yml = path.with_suffix(".yml")
        yml.write_text(yml.read_text(encoding="utf-8").replace(f"name: {path.stem}", f"name: {name}"), encoding="utf-8")
        path.rename(path.with_name(f"{name}.sql"))
    assert find_listed(project, "bank").source == "a"
    several = (
        "several layouts: bank (models/staging/a/bank.sql), bank_2 (models/staging/b/bank_2.sql); name one of them"
    )
    for words in ("ban", find_listed(project, "bank").short):
        with pytest.raises(UsageError) as error:
            find_listed(project, words)
        assert str(error.value) == f"{words}: {several}"


# ---- an edit is used as it is ---------------------------------------------------------------------------------------

# Nothing in the column of purposes: the file fits the layout, and has another fingerprint.
MARCH = f"{HEADER}14.03.2024;Bakery Crumb;;-4,40;EUR;3.030,00\n"
PAYEE = "clean_text(payee) as description"
HOUSE = "{% macro house(column) %}upper({{ column }}){% endmacro %}"


def test_an_edit_with_macros_and_vars_is_used_for_a_later_file_that_has_an_empty_column(harbour: Harbour) -> None:
    harbour.live.put("macros/house.sql", HOUSE)
    mine = "{{ house('clean_text(payee)') }} || ' {{ var('min_confidence') }}' as description"
    harbour.edit(harbour.layout.path, PAYEE, mine)
    harbour.put("mar", MARCH)
    files = harbour.files(code=0)
    assert files["mar"]["mapping"] == "cached"
    assert harbour.layout.edited
    assert ("BAKERY CRUMB 0.6",) in harbour.gold("description")[3:]


@pytest.mark.parametrize(
    ("old", "new", "read"),
    [
        (PAYEE, "{{ house('payee') }} as description", True),
        (PAYEE, "(select min(word) from {{ ref('codes') }} where code = payee) as description", True),
        (PAYEE, "(select min(source_file) from {{ source('raw', '_files') }}) as description", True),
        (PAYEE, "{% if target.name == 'prod' %}payee{% else %}upper(payee){% endif %} as description", True),
        (PAYEE, "(select min(word) from seeds.codes) as description", True),
        (PAYEE, "{{ 1 // 0 }} as description", True),
        (PAYEE, "{% set house = 'upper' %}{{ house }}(payee) as description", True),
        ("parse_date(booking_date, '%d.%m.%Y') as booked_on", "cast(null as date) as booked_on", False),
        ("{{ contract_violations", "{{ config(tags=['ours']) }}{{ contract_violations", True),
        ("parse_date(booking_date, '%d.%m.%Y') as booked_on", "strptime(booking_date, '%Y')::date as booked_on", False),
    ],
)
def test_an_edit_is_passed_over_only_where_it_was_tried_and_does_not_read_the_rows(
    harbour: Harbour, old: str, new: str, read: bool
) -> None:
    harbour.edit(harbour.layout.path, old, new)
    harbour.put("mar", MARCH)
    assert harbour.live.goldsmith("load").code == 0
    project = open_project(harbour.live.folder, {"GOLDSMITH_DB": str(harbour.live.database)})
    with connect(project.database, project.folder) as connection:
        (row,) = read_files(connection, "ends_with(source_file, 'mar.csv')")
    assert isinstance(look_up(project, row, BANK, [harbour.layout]), Layout) == read


# ---- one file without the other -------------------------------------------------------------------------------------


def test_a_renamed_dbt_model_is_not_replaced_by_a_new_mapping_and_goes_on_when_its_yml_follows(
    harbour: Harbour,
) -> None:
    layout = harbour.layout
    harbour.edit(layout.path, PAYEE, "upper(clean_text(payee)) as description")
    moved = layout.path.rename(layout.path.with_name("stg_hafen.sql"))
    harbour.put("feb", FEBRUARY)
    before = harbour.live.tree()
    commands = (["run"], ["generate"], ["layouts"], ["status"], ["check", "landing"])
    refused(
        harbour.live, commands, str(moved), str(layout.yml), f"says {layout.dbt_model} does", "write `name: stg_hafen`"
    )
    assert harbour.live.tree() == before
    harbour.edit(layout.yml, f"name: {layout.dbt_model}\n", "name: stg_hafen\n")
    assert {f["state"] for f in harbour.files(code=0).values()} == {"gold"}
    assert all(payee.isupper() for (payee,) in harbour.gold("description"))
    assert len(harbour.gold("1")) == 5


def test_a_deleted_mapping_that_a_new_file_makes_anew_has_the_old_files_too_and_says_so(harbour: Harbour) -> None:
    layout = harbour.layout
    layout.path.unlink()
    layout.yml.unlink()
    blocked = harbour.files(code=1)["jan"]
    assert (blocked["state"], blocked["rows_gold"], blocked["rows_quarantined"]) == ("blocked", 0, 3)
    harbour.put("feb", FEBRUARY)
    files = harbour.files(code=0)
    told = {name: (f["state"], f["mapping"], f["rows_gold"], f["message"]) for name, f in files.items()}
    assert told == {"feb": ("gold", "generated", 2, ""), "jan": ("gold", "cached", 3, "")}
    assert len(harbour.gold("1")) == 5
    assert harbour.live.unbalanced() == []


# ---- what does not build --------------------------------------------------------------------------------------------


def test_an_edit_that_does_not_build_is_failed_with_the_rows_as_before_until_it_is_mended(harbour: Harbour) -> None:
    before = harbour.gold("*")
    harbour.edit(harbour.layout.path, "parse_decimal(amount, ',') as amount", "parse_decimal(amount, as amount")
    harbour.put("feb", FEBRUARY)
    files = harbour.files(code=1)
    as_before = "dbt did not build it as it is now (see what failed), gold has it as before; correct that, and dbt run"
    assert (files["jan"]["state"], files["jan"]["message"], files["jan"]["rows_gold"]) == ("failed", as_before, 3)
    assert (files["feb"]["state"], files["feb"]["rows_gold"]) == ("failed", 0)
    assert harbour.gold("*") == before
    harbour.edit(harbour.layout.path, "parse_decimal(amount, as amount", "-parse_decimal(amount, ',') as amount")
    assert {f["state"] for f in harbour.files(code=0).values()} == {"gold"}


def test_a_test_of_ones_own_fails_until_it_passes_and_meets_the_rows_of_every_later_file(harbour: Harbour) -> None:
    before = harbour.gold("*")
    test = "data_tests:\n    - accepted_values: {arguments: {values: [EUR]}}\n    - not_null"
    harbour.edit(
        harbour.layout.yml, "    description: From `Currency`.\n", f"    description: From `Currency`.\n    {test}\n"
    )
    harbour.edit(harbour.layout.path, PAYEE, "lower(clean_text(payee)) as description")
    pounds = FEBRUARY.replace("EUR", "GBP")
    harbour.put("feb", pounds)
    for _ in range(2):
        files = harbour.files(code=1)
        assert {f["state"] for f in files.values()} == {"failed"}
        assert harbour.gold("*") == before
    harbour.edit(harbour.layout.yml, "values: [EUR]", "values: [EUR, GBP]")
    assert {f["state"] for f in harbour.files(code=0).values()} == {"gold"}
    assert len(harbour.gold("*")) == 5
    harbour.put("mar", FEBRUARY.replace("EUR", "CHF"))
    for _ in range(2):
        assert harbour.files(code=1)["mar"]["state"] == "failed"
    assert len(harbour.gold("*")) == 5


@pytest.mark.parametrize(
    ("line", "test", "tested"),
    [
        ("  config:\n", "", False),
        ("  config:\n", "  data_tests: [ours]\n", True),
        ("  - name: memo\n", "  - data_tests: [not_null]\n    name: memo\n", True),
        ("  - name: memo\n", "  - tests: [not_null]\n    name: memo\n", True),
    ],
)
def test_a_layout_is_tested_by_what_its_yml_says(tmp_path: Path, line: str, test: str, tested: bool) -> None:
    yml = write(tmp_path).with_suffix(".yml")
    new = test if "name" in test else test + line
    yml.write_text(yml.read_text(encoding="utf-8").replace(line, new, 1), encoding="utf-8")
    (layout,) = read_layouts(tmp_path)
    assert layout.tested == tested
