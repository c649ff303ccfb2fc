"""A yml that a person owns is edited by one value: every other byte stays."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import ROOT

from generator.yml.edit import add_item, model_path, remove, set_value
from generator.yml.writing import dump_yml, load_yml

OURS = (ROOT / "models/staging/sparkasse/stg_sparkasse__bank_transactions_c5877afd.yml").read_text(encoding="utf-8")
META = ("models", 0, "config", "meta")
OWNED = """\
# Two dbt models in one file, as a person writes them.
version: 2

models:
  - name: other   # not ours
    description: >-
      Folded, "quoted" and
      long.

  - name: 'mine'
    config:
      tags: [generated, unreviewed]  # for selectors
      meta: {contract: sales, review: pending, notes: [a, "b, c"]}
    columns:
      # the day
      - name: sold_on
        description: |
          Two lines,
          kept as they are.

      - name: amount
"""


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, with - and +."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_a_value_is_replaced_in_its_place() -> None:
    text = set_value(OURS, (*META, "review"), "approved")
    assert changed(OURS, text) == ["-      review: pending", "+      review: approved"]


def test_a_new_key_follows_the_one_that_is_named() -> None:
    text = set_value(OURS, (*META, "reviewed"), {"by": "A: B <a@b>", "at": "2026-01-02T03:04:05+00:00"}, after="review")
    assert changed(OURS, text) == [
        "+      reviewed:",
        "+        by: 'A: B <a@b>'",
        "+        at: '2026-01-02T03:04:05+00:00'",
    ]
    assert text.splitlines()[10].strip() == "reviewed:"
    assert remove(text, (*META, "reviewed")) == OURS


def test_what_stands_in_brackets_stays_in_brackets() -> None:
    where = model_path(OWNED, "mine")
    text = set_value(OWNED, (*where, "config", "meta", "reviewed"), {"by": "me", "why": ["x", "y: z"]}, after="review")
    assert changed(OWNED, text)[1].strip("+ ") == (
        "meta: {contract: sales, review: pending, reviewed: {by: me, why: [x, 'y: z']}, notes: [a, \"b, c\"]}"
    )
    assert remove(text, (*where, "config", "meta", "reviewed")) == OWNED
    text = remove(OWNED, (*where, "config", "tags", 1))
    assert changed(OWNED, text)[1] == "+      tags: [generated]  # for selectors"
    assert "tags: []  # for selectors" in remove(text, (*where, "config", "tags", 0))


def test_a_new_last_line_and_a_block_text_before_it() -> None:
    where = model_path(OWNED, "mine")
    text = set_value(OWNED, (*where, "columns", 0, "data_tests"), ["not_null"])
    assert changed(OWNED, text) == ["+        data_tests: [not_null]"]
    text = set_value(OWNED.rstrip("\n"), (*where, "columns", 1, "config", "meta", "unit"), "EUR")
    assert text.endswith("      - name: amount\n        config:\n          meta:\n            unit: EUR\n")
    assert set_value(OWNED, (*where, "columns", 0, "description"), "One.").count("kept as they are") == 0


def test_comments_stay_where_a_value_becomes_lines_and_lines_a_value() -> None:
    text = "a: 1  # why\nb:  # how\n  c: 1  # deep\nd: 2\n"
    assert set_value(text, ("a",), {"x": 1}) == text.replace("a: 1  # why\n", "a:  # why\n  x: 1\n")
    assert load_yml(set_value(text, ("b",), "none"))["b"] == "none"
    assert "# how" in set_value(text, ("b",), "none")
    assert set_value(text, ("b", "c"), 2) == text.replace("c: 1  # deep", "c: 2  # deep")
    assert set_value("- a: 1\n  b: 2\n", (0, "b"), None) == "- a: 1\n  b: null\n"


def test_the_first_entry_of_an_item_leaves_its_dash() -> None:
    assert remove("- a: 1\n  b: 2\n- c: 3\n", (0, "a")) == "- b: 2\n- c: 3\n"
    assert remove("- a: 1  # one\n  b: 2\n", (0, "a")) == "- b: 2\n"
    assert load_yml(remove("- a: 1\n  # two\n  b: 2\n", (0, "a"))) == [{"b": 2}]
    assert remove("x:\n- a: 1\n  b: 2\n- c: 3\ny: 1\n", ("x", 1)) == "x:\n- a: 1\n  b: 2\ny: 1\n"
    assert remove("x:\n- a: 1\ny: 1\n", ("x", 0)) == "x: []\ny: 1\n"
    assert remove("x:\n  z: 1\ny: 1\n", ("x", "z")) == "x: {}\ny: 1\n"


def test_a_key_of_more_than_a_line_goes_too() -> None:
    text = dump_yml({"a": 1, "long " * 40: "why", "b": 2})
    assert text.count("? ") == 1
    assert remove(text, ("long " * 40,)) == "a: 1\nb: 2\n"


def test_an_item_is_added_in_the_style_around_it() -> None:
    assert add_item("a: [x, y]\n", ("a",), "z, z") == "a: [x, y, 'z, z']\n"
    assert add_item("a: []\n", ("a",), "z") == "a: [z]\n"
    assert add_item("a:\nb: 1\n", ("a",), "z") == "a: [z]\nb: 1\n"
    assert add_item("b: 1\n", ("a",), "z") == "b: 1\na: [z]\n"
    assert add_item("a:\n  - x\n  # end\nb: 1\n", ("a",), "y") == "a:\n  - x\n  - y\n  # end\nb: 1\n"
    assert add_item("a:\n- x\nb: 1\n", ("a",), "y: z") == "a:\n- x\n- 'y: z'\nb: 1\n"
    assert add_item("a: [x]\n", ("a",), "x") == "a: [x]\n"
    wrapped = "a:\n  [one, two,\n   three, four]\n"
    assert add_item(wrapped, ("a",), "five") == "a:\n  [one, two,\n   three, four,\n   five]\n"
    lines = "a: [\n  one two three,\n  four,\n]\n"
    assert add_item(lines, ("a",), "five") == "a: [\n  one two three,\n  four,\n  five,\n]\n"
    with pytest.raises(ValueError, match="is not a list"):
        add_item("a: text\n", ("a",), "z")


@pytest.mark.parametrize("path", sorted((ROOT / "models" / "gold").glob("*.yml")), ids=lambda p: p.stem)
def test_an_alias_is_one_more_line_at_most_in_every_contract_that_ships(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    columns = load_yml(text)["models"][0]["columns"]
    for number, column in enumerate(columns):
        if not column["name"].startswith("_"):
            after = add_item(text, ("models", 0, "columns", number, "config", "meta", "aliases"), "Was, auch: immer")
            assert len(changed(text, after)) <= 4
            assert max(map(len, after.splitlines())) <= max(120, *map(len, text.splitlines()))


def test_line_ends_of_windows_a_byte_order_mark_and_emoji_stay() -> None:
    text = "\ufeffa: '🤷'  # 🤷\r\nb:\r\n- c: 1\r\n"
    assert set_value(text, ("b", 0, "d"), {"x": 1}) == f"{text}  d:\r\n    x: 1\r\n"
    assert set_value(text, ("a",), "z") == text.replace("'🤷'", "z")


def test_an_edit_that_would_change_something_else_is_refused() -> None:
    shared = "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n"
    for key in ("a", "b"):
        with pytest.raises(ValueError, match="cannot be edited|is no block"):
            set_value(shared, (key, "k"), 2)
    assert set_value(shared, ("b",), 2) == shared.replace("b: *x", "b: 2")
    assert load_yml(set_value(shared, ("c", "n"), 2))["c"] == {"k": 1, "n": 2}
    for text, path in (("a: [", ("a",)), ("a: 1\n---\nb: 1\n", ("a",)), ("a: 1\n", ("a", "b")), ("- 1\n", (3,))):
        with pytest.raises(ValueError, match="not valid YAML|is not there|is no block"):
            set_value(text, path, 2)
    with pytest.raises(KeyError):
        remove("a: 1\n", ("b",))
    with pytest.raises(KeyError):
        model_path("models: []\n", "mine")


def test_jinja_in_a_value_is_inert() -> None:
    text = set_value("a: 1\n", ("a",), "{{ env_var('X') }}")
    assert "{{" not in text
    assert load_yml(text)["a"] == "{{ env_var('X') }}"
    text = set_value(text, ("{{ b }}",), "{% c %}")
    assert set_value(text, ("{{ b }}",), "d").count("%") == 0


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "null", "1", "yes", "a: b", "# c", "- d", "{{ e }}", "[f", "long " * 40, "a\nb\n", "'", '"', "\x85", "? g"]
)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-9, 9)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for k, v in inner for p in paths_of(v, (*path, k)))]


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


@settings(max_examples=300)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), VALUES, TEXTS, st.data())
def test_what_is_written_by_us_can_be_edited_anywhere(
    document: dict[str, Any], value: Any, key: str, data: Any
) -> None:
    text = dump_yml(document)
    path = data.draw(st.sampled_from(paths_of(document)[1:]))
    wanted = copy.deepcopy(document)
    at(wanted, path[:-1])[path[-1]] = value
    assert load_yml(set_value(text, path, value)) == wanted
    wanted = copy.deepcopy(document)
    del at(wanted, path[:-1])[path[-1]]
    if len(path) > 1 or wanted:
        assert load_yml(remove(text, path)) == wanted
    if isinstance(at(document, path), dict):
        wanted = copy.deepcopy(document)
        at(wanted, path)[key] = value
        assert load_yml(set_value(text, (*path, key), value)) == wanted
