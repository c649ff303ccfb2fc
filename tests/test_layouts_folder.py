"""The cache is a folder: what was written is found again, what a person wrote is never overwritten."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from invented import layout, shipped

from generator.candidate import Provenance
from generator.columns.fingerprint import fingerprint
from generator.columns.profile import LayoutProfile
from generator.errors import UsageError
from generator.matcher.offline import propose
from generator.project.layouts import Layout, find_layout, read_layouts
from generator.project.render import LayoutName, render_sql, render_yml
from generator.project.staging_files import write_contract_models, write_layout

BANK = shipped("bank_transactions")
STATEMENT = layout("Date,Payee,Amount\n2024-01-31,Baker,-5.40\n2024-01-30,Butcher,-8.00\n")
HOSTILE = layout("Date,{{ Payee }},Amount\n2024-01-31,Baker,-5.40\n")


def write(project: Path, profile: LayoutProfile = STATEMENT, source: str = "bank", contract: str = BANK.name) -> Path:
    """Map a layout onto the bank contract and write it as if for a contract of that name."""
    name = LayoutName(source, contract, fingerprint(profile.headers, profile.shapes))
    candidate = propose(profile, BANK)
    sql = render_sql(name, candidate, BANK)
    return write_layout(
        project, name, sql, render_yml(name, candidate, BANK, profile, Provenance(provider="offline"), sql)
    )


def found(
    project: Path, headers: Sequence[str], shapes: Sequence[str], contract: str | None = BANK.name, source: str = "bank"
) -> Layout | None:
    return find_layout(read_layouts(project), contract, headers, shapes, source)


# ---- writing and reading --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [STATEMENT, HOSTILE])
def test_what_was_written_is_read_back(tmp_path: Path, profile: LayoutProfile) -> None:
    path = write(tmp_path, profile)
    (read,) = read_layouts(tmp_path)
    assert path == read.path == tmp_path / f"models/staging/bank/{read.dbt_model}.sql"
    assert path.with_suffix(".yml").exists()
    assert (read.source, read.contract, read.review, read.provider) == ("bank", BANK.name, "pending", "offline")
    assert read.fingerprint == fingerprint(profile.headers, profile.shapes)
    assert (read.short, read.raw_table) == (read.fingerprint[:8], f"bank_{read.fingerprint[:8]}")
    assert (tuple(read.headers.values()), read.shapes) == (profile.headers, profile.shapes)
    assert read.columns["amount"]["source_columns"] == ["Amount"]
    assert not read.edited


def test_an_empty_project_has_no_layouts(tmp_path: Path) -> None:
    assert read_layouts(tmp_path) == []


def test_a_dbt_model_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text("-- mine\nselect 1 from {{ source('raw', 'bank_x') }}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already, and may have been edited; put back the yml .* delete it"):
        write(tmp_path)
    assert path.read_text(encoding="utf-8").startswith("-- mine")


def test_a_hand_edit_shows_and_is_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "-- looked at\n", encoding="utf-8")
    (read,) = read_layouts(tmp_path)
    assert read.edited


def test_a_yml_that_changes_is_read_anew(tmp_path: Path) -> None:
    yml = write(tmp_path).with_suffix(".yml")
    assert [x.review for x in read_layouts(tmp_path)] == ["pending"]
    yml.write_text(yml.read_text(encoding="utf-8").replace("review: pending", "review: approved"), encoding="utf-8")
    os.utime(yml, ns=(1, 1))
    assert [x.review for x in read_layouts(tmp_path)] == ["approved"]


def test_files_that_are_no_layouts_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    folder = tmp_path / "models/staging"
    (folder / "unit_tests.yml").write_text("unit_tests: []\n", encoding="utf-8")
    (folder / "empty.yml").write_text("", encoding="utf-8")
    (folder / "other.yml").write_text("models:\n- name: other\n", encoding="utf-8")
    (folder / "bank" / "notes.sql").write_text("select 1", encoding="utf-8")
    assert len(read_layouts(tmp_path)) == 1


def test_a_yml_without_its_dbt_model_is_no_layout(tmp_path: Path) -> None:
    write(tmp_path).unlink()
    assert read_layouts(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("models:", "models: [", r"\.yml:\d+: not valid YAML; correct it$"),
        ("      headers:", "      heads:", r"config\.meta\.headers: field required; restore it or delete both files$"),
    ],
)
def test_a_yml_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    yml = write(tmp_path).with_suffix(".yml")
    yml.write_text(yml.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=message) as error:
        read_layouts(tmp_path)
    assert str(yml) in str(error.value)


def test_a_dbt_model_that_reads_no_raw_table_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text("select 1", encoding="utf-8")
    with pytest.raises(UsageError, match=r"reads no raw table; it must select from \{\{ source\('raw'"):
        read_layouts(tmp_path)


def copied(path: Path, to: str) -> Path:
    """The same layout once more under another name, as who copies its two files and renames them has it."""
    copy = path.with_name(f"{to}.sql")
    copy.write_bytes(path.read_bytes())
    text = path.with_suffix(".yml").read_text(encoding="utf-8").split("sources:\n")[0]
    copy.with_suffix(".yml").write_text(text.replace(f"name: {path.stem}", f"name: {to}"), encoding="utf-8")
    return copy


def test_two_dbt_models_of_one_raw_table_and_contract_are_named_for_their_rows_would_be_in_gold_twice(
    tmp_path: Path,
) -> None:
    path = write(tmp_path)
    copy = copied(path, "a_copy")
    with pytest.raises(UsageError) as error:
        read_layouts(tmp_path)
    assert str(error.value).startswith(f"{copy} and {path}: both read raw.bank_")
    # Another contract's rows are others.
    yml = copy.with_suffix(".yml")
    yml.write_text(yml.read_text(encoding="utf-8").replace("contract: bank_transactions", "contract: orders"), "utf-8")
    assert {x.contract for x in read_layouts(tmp_path)} == {"bank_transactions", "orders"}


def test_a_copy_of_a_dbt_model_that_no_yml_describes_is_a_draft(tmp_path: Path) -> None:
    path = write(tmp_path)
    copied(path, "draft").with_suffix(".yml").unlink()
    assert [x.path for x in read_layouts(tmp_path)] == [path]


def test_two_files_of_one_name_are_named_as_dbt_refuses_them(tmp_path: Path) -> None:
    path = write(tmp_path)
    again = tmp_path / "models/staging/zoo" / path.name
    again.parent.mkdir()
    again.write_bytes(path.read_bytes())
    with pytest.raises(UsageError) as error:
        read_layouts(tmp_path)
    assert str(error.value) == f"{path} and {again}: two dbt models of one name, which dbt refuses; delete one"
    again.unlink()
    yml = again.with_suffix(".yaml")
    yml.write_bytes(path.with_suffix(".yml").read_bytes())
    with pytest.raises(UsageError) as error:
        read_layouts(tmp_path)
    assert str(error.value) == (
        f"{path.with_suffix('.yml')} and {yml}: both describe {path.stem}, which dbt refuses; keep one"
    )


@pytest.mark.parametrize("rename_the_yml", [False, True])
def test_a_dbt_model_that_was_renamed_without_its_yml_or_the_other_way_round_is_named_with_both(
    tmp_path: Path, rename_the_yml: bool
) -> None:
    path = write(tmp_path)
    yml = path.with_suffix(".yml")
    moved = path if rename_the_yml else path.rename(path.with_name("stg_hafen.sql"))
    said = "stg_hafen" if rename_the_yml else path.stem
    yml.write_text(yml.read_text(encoding="utf-8").replace(f"name: {path.stem}", f"name: {said}"), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        read_layouts(tmp_path)
    name = LayoutName("bank", BANK.name, fingerprint(STATEMENT.headers, STATEMENT.shapes))
    assert str(error.value) == (
        f"{moved}: reads raw.{name.raw_table}, which {yml} says {said} does; write `name: {moved.stem}` there, or rename the "
        "file, or delete it to have it generated again"
    )
    # As it says.
    yml.write_text(yml.read_text(encoding="utf-8").replace(f"name: {said}", f"name: {moved.stem}"), encoding="utf-8")
    os.utime(yml, ns=(1, 1))
    assert [x.path for x in read_layouts(tmp_path)] == [moved]


@pytest.mark.parametrize("name", ["stg_hafen", ""])
def test_a_dbt_model_whose_yml_was_deleted_is_named_under_any_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path)
    path.with_suffix(".yml").unlink()
    path = path.rename(path.with_name(f"{name}.sql")) if name else path
    # Without the macro it is still known by the column that gold asks for.
    path.write_text(
        path.read_text(encoding="utf-8").replace("{{ contract_violations('bank_transactions') }}", "[]"), "utf-8"
    )
    with pytest.raises(
        UsageError, match=r"\.sql: reads raw\.bank_\w+, and no yml describes it; put its yml back"
    ) as error:
        read_layouts(tmp_path)
    assert str(error.value).startswith(str(path))


def test_other_dbt_models_that_read_a_raw_table_are_peoples_own(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.with_suffix(".yml").unlink()
    path.write_text("select count(*) from {{ source('raw', 'bank_12345678') }}\n", encoding="utf-8")
    assert read_layouts(tmp_path) == []


# ---- finding --------------------------------------------------------------------------------------------------------


def test_a_file_finds_the_layout_of_its_headers_and_formats(tmp_path: Path) -> None:
    write(tmp_path)
    headers, shapes = STATEMENT.headers, STATEMENT.shapes
    assert found(tmp_path, headers, shapes) is not None
    assert found(tmp_path, headers, shapes, contract=None, source="other") is not None
    assert found(tmp_path, headers, ("empty", "text", "integer")) is not None
    assert found(tmp_path, headers, shapes, contract="orders") is None
    assert found(tmp_path, headers[::-1], shapes[::-1]) is None
    assert found(tmp_path, [*headers, "Memo"], [*shapes, "text"]) is None
    assert found(tmp_path, headers, ("DD.MM.YYYY", "text", "1,234.56")) is None


def test_the_same_headers_with_other_formats_are_another_variant(tmp_path: Path) -> None:
    other = layout('Date,Payee,Amount\n31.01.2024,Baker,"-5,40"\n')
    write(tmp_path)
    write(tmp_path, other)
    assert len(read_layouts(tmp_path)) == 2
    for profile in (STATEMENT, other):
        layout_ = found(tmp_path, profile.headers, profile.shapes)
        assert layout_ is not None
        assert layout_.shapes == profile.shapes


def test_decimals_where_there_were_whole_numbers_or_none_are_taken_by_a_dbt_model_of_their_decimal_sign(
    tmp_path: Path,
) -> None:
    profile = layout("Date,Payee,Amount,Balance\n2024-01-31,Baker,-5,\n")
    path = write(tmp_path, profile)

    def takes(amount: str, balance: str = "empty", payee: str = "text") -> bool:
        return found(tmp_path, profile.headers, ("YYYY-MM-DD", payee, amount, balance)) is not None

    assert takes("1,234.56", "1,234.56") and takes("integer", "integer")
    assert not takes("1.234,56") and not takes("integer", "1.234,56")
    # `1.350`: nobody knows; a text is no number, whatever it looks like.
    assert not takes("1.234") and not takes("integer", "1.234")
    assert takes("integer", payee="1.234")
    path.write_text(path.read_text(encoding="utf-8").replace("'.'", "','"), encoding="utf-8")
    assert takes("1.234,56") and not takes("1,234.56") and not takes("1.234")


def test_of_several_that_fit_the_most_exact_is_taken_then_that_of_the_source(tmp_path: Path) -> None:
    write(tmp_path, layout("Date,Payee,Amount\n2024-01-31,Baker,-5\n"), source="a_whole_numbers")
    write(tmp_path, STATEMENT, source="b_bank")
    write(tmp_path, STATEMENT, source="c_bank")

    def source_of(shapes: Sequence[str], source: str) -> str | None:
        layout_ = found(tmp_path, STATEMENT.headers, shapes, source=source)
        return layout_.source if layout_ else None

    assert source_of(STATEMENT.shapes, "zzz") == "b_bank"
    assert source_of(STATEMENT.shapes, "c_bank") == "c_bank"
    assert source_of(("YYYY-MM-DD", "text", "integer"), "c_bank") == "a_whole_numbers"


def test_a_file_without_header_belongs_to_a_layout_of_its_own_source_only(tmp_path: Path) -> None:
    profile = layout("2024-01-31,Baker,-5.40\n2024-01-30,Butcher,-8.00\n", has_header=False)
    write(tmp_path, profile)
    assert found(tmp_path, profile.headers, profile.shapes, source="bank") is not None
    assert found(tmp_path, profile.headers, profile.shapes, source="other") is None


# ---- held -----------------------------------------------------------------------------------------------------------


def test_a_layout_is_held_for_an_open_question_or_an_unsure_required_column_until_it_is_approved(
    tmp_path: Path,
) -> None:
    write(tmp_path, layout("Date,Payee,Amount\n2024-01-31,Baker,5.40\n2024-01-30,Butcher,8.00\n"))
    (held,) = read_layouts(tmp_path)
    assert held.held_because(BANK, 0.6, hold_unreviewed=False).startswith("amount: is a number without a minus")
    yml = held.path.with_suffix(".yml")
    yml.write_text(yml.read_text(encoding="utf-8").replace("review: pending", "review: approved"), encoding="utf-8")
    os.utime(yml, ns=(1, 1))
    (approved,) = read_layouts(tmp_path)
    assert approved.held_because(BANK, 0.6, hold_unreviewed=False) == ""


def test_confidence_counts_for_required_columns_only(tmp_path: Path) -> None:
    write(tmp_path)
    (sure,) = read_layouts(tmp_path)
    assert sure.held_because(BANK, 0.6, hold_unreviewed=False) == ""
    assert sure.held_because(BANK, 0.99, hold_unreviewed=False).startswith("booked_on: mapped with confidence ")


# ---- what every contract has beside gold ----------------------------------------------------------------------------


def test_each_contract_lists_its_own_layouts_and_files_that_did_not_change_are_not_touched(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, source="shop", contract="orders")
    layouts = read_layouts(tmp_path)
    write_contract_models(tmp_path, [BANK.name, "orders", "contacts"], layouts)
    staging = tmp_path / "models/staging"
    union = (staging / f"stg_{BANK.name}.sql").read_text(encoding="utf-8")
    assert "stg_bank__" in union
    assert "stg_shop__" not in union
    assert "[]" in (staging / "stg_contacts.sql").read_text(encoding="utf-8")
    assert (tmp_path / "models/quarantine/quarantine_orders.sql").exists()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    write_contract_models(tmp_path, [BANK.name, "orders", "contacts"], layouts)
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
