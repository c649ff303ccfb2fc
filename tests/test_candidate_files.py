"""A candidate takes the place of a dbt model as it is, and never that of an edit that it was not made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from test_layouts_folder import write

from generator.errors import UsageError
from generator.project import candidate_files, texts
from generator.project.candidate_files import Texts
from generator.project.layouts import Layout, read_layouts


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    write(tmp_path)
    (found,) = read_layouts(tmp_path)
    return found


def proposal(layout: Layout) -> Texts:
    """Another version of both files."""
    now = candidate_files.current(layout)
    return Texts(now.sql.replace("clean_text(", "upper("), now.yml + "# made anew\n")


def propose(layout: Layout) -> Texts:
    made = proposal(layout)
    candidate_files.write(layout, made, candidate_files.current(layout))
    return made


def files(layout: Layout) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in layout.path.parent.iterdir()}


def test_a_candidate_lies_beside_the_dbt_model_where_dbt_does_not_look(layout: Layout) -> None:
    before = files(layout)
    made = propose(layout)
    assert candidate_files.candidate(layout) == made
    added = set(files(layout)) - set(before)
    assert {Path(name).suffix for name in added} == {".candidate"}
    assert {n: b for n, b in files(layout).items() if n in before} == before
    assert read_layouts(layout.path.parents[3]) == [layout]


def test_accepting_puts_both_files_in_place_byte_for_byte_and_leaves_nothing(layout: Layout) -> None:
    made = propose(layout)
    assert candidate_files.accept(layout) == (layout.path, layout.yml)
    assert candidate_files.current(layout) == made
    assert set(files(layout)) == {layout.path.name, layout.yml.name}


def test_line_ends_of_a_person_stay(layout: Layout) -> None:
    layout.path.write_bytes(layout.path.read_bytes().replace(b"\n", b"\r\n"))
    made = propose(layout)
    candidate_files.accept(layout)
    assert layout.path.read_bytes() == made.sql.encode()
    assert b"\r\n" in layout.path.read_bytes()


@pytest.mark.parametrize("part", ["path", "yml"])
def test_a_file_that_was_edited_since_is_not_replaced(layout: Layout, part: str) -> None:
    propose(layout)
    path: Path = getattr(layout, part)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    before = files(layout)
    with pytest.raises(UsageError, match="was changed since the candidate was made; nothing is replaced"):
        candidate_files.accept(layout)
    assert files(layout) == before


@pytest.mark.parametrize("ending", ["sql", "yml"])
def test_an_edited_candidate_is_not_made_anew_but_can_be_accepted_as_it_is(layout: Layout, ending: str) -> None:
    made = propose(layout)
    path = layout.path.with_name(f"{layout.dbt_model}.{ending}.candidate")
    edit = "-- mine\n" if ending == "sql" else "# mine\n"
    path.write_text(path.read_text(encoding="utf-8") + edit, encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"\.candidate: was edited; goldsmith regenerate \w{8} --accept takes it as it is"
    ):
        candidate_files.write(layout, made, candidate_files.current(layout))
    candidate_files.accept(layout)
    now = candidate_files.current(layout)
    assert getattr(now, ending) == getattr(made, ending) + edit


def test_a_candidate_that_nobody_edited_is_made_anew(layout: Layout) -> None:
    propose(layout)
    now = candidate_files.current(layout)
    candidate_files.write(layout, Texts(now.sql + "-- 2\n", now.yml), now)
    found = candidate_files.candidate(layout)
    assert found is not None and found.sql.endswith("-- 2\n")


@pytest.mark.parametrize(
    ("ending", "spoil", "message"),
    [
        ("yml", lambda t: "models: [", r"yml\.candidate: line \d+: not valid YAML; correct it"),
        ("yml", lambda t: "models: []\n", "does not describe stg_bank__"),
        ("sql", lambda t: "select 1\n", r"does not select from raw\.bank_"),
    ],
)
def test_a_candidate_that_would_lose_the_layout_is_not_accepted(
    layout: Layout, ending: str, spoil: Callable[[str], str], message: str
) -> None:
    propose(layout)
    before = candidate_files.current(layout)
    path = layout.path.with_name(f"{layout.dbt_model}.{ending}.candidate")
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        candidate_files.accept(layout)
    assert candidate_files.current(layout) == before


def test_without_a_candidate_there_is_nothing_to_accept(layout: Layout) -> None:
    with pytest.raises(UsageError, match=r"has no candidate; goldsmith regenerate \w{8} makes one"):
        candidate_files.accept(layout)
    layout.path.with_name(f"{layout.dbt_model}.sql.candidate").write_text("select 1", encoding="utf-8")
    with pytest.raises(UsageError, match="has no candidate"):
        candidate_files.accept(layout)


def test_a_candidate_that_a_person_wrote_is_theirs(layout: Layout) -> None:
    path = layout.path.with_name(f"{layout.dbt_model}.sql.candidate")
    path.write_text("select 1 -- mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match="was edited"):
        propose(layout)
    assert path.read_text(encoding="utf-8") == "select 1 -- mine\n"


@pytest.mark.parametrize("steps", range(5))
def test_cut_short_anywhere_it_is_accepted_by_saying_it_again(
    layout: Layout, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, before = propose(layout), candidate_files.current(layout)
    left = [steps]

    def counted(work: Callable[..., None]) -> Callable[..., None]:
        def step(*arguments: object, **named: object) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            work(*arguments, **named)

        return step

    with monkeypatch.context() as cut:
        cut.setattr(candidate_files, "replace_exactly", counted(texts.replace_exactly))
        cut.setattr(Path, "unlink", counted(Path.unlink))
        with pytest.raises(KeyboardInterrupt):
            candidate_files.accept(layout)
    now = candidate_files.current(layout)
    assert now in (before, Texts(before.sql, made.yml), made)
    if steps < 3:
        candidate_files.accept(layout)
    assert candidate_files.current(layout) == made
