"""YAML is read as PyYAML's safe loader reads it, whatever is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.yml.reading import read_yml
from generator.yml.writing import dump_yml

ROOT = Path(__file__).parents[1]
ODD = """
|a: &x 1
|b: *x
|---
|a: !!str 1
|---
|<<: {a: 1}
|b: 2
|---
|base: &b {a: 1}
|<<: *b
|---
|[a, b]: 1
|---
|a: 1
|a: 2
|---
|on: yes
|off: No
|null: ~
|e: 1e3
|f: .inf
|h: 0x1F
|o: 0o17
|z: 017
|s: 1:30
|u: 1_000
|d: 2024-01-02
|t: 2024-01-02T03:04:05Z
|eq: =
|---
|!!python/object/apply:os.system [ls]
|---
|? a
|: b
|---
|- {a: [1, {b: 'null'}], c: "\\u2060 \\n"}
|- |
|  text
|- >-
|  folded
|  text
|-
|---
|just a text
|---
|''
|---
""".replace("\n|", "\n").split("---\n")
BROKEN = (
    "a: [1\n",
    "a: 'x\n",
    "a: 1\n b: 2\n",
    "\tx: 1\n",
    "a: @x\n",
    "--- 1\n--- 2\n",
    "a: \x07\n",
    "*x\n",
    "{1: 2}: 3\n",
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


def read(text: str, loads: Any) -> Any:
    """What a text is read as, or the kind of error that it is."""
    try:
        return loads(text)
    except (yaml.YAMLError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("text", [*ODD, *BROKEN, "", "\n", "# only a comment\n", "...\n", "a: 2024-99-99\n"])
def test_an_odd_text_is_read_or_refused_as_the_safe_loader_does(text: str) -> None:
    assert read(text, read_yml) == read(text, lambda t: yaml.load(t, yaml.CSafeLoader))


@given(values)
def test_what_is_written_is_read_back(document: Any) -> None:
    for text in (yaml.safe_dump(document, allow_unicode=True), dump_yml(document)):
        assert read_yml(text) == yaml.safe_load(text)


@given(st.text(alphabet="ab1.-:#&*!|>'\"%@[]{},? \n~<=", max_size=25))
def test_any_text_is_read_or_refused_as_the_safe_loader_does(text: str) -> None:
    assert read(text, read_yml) == read(text, lambda t: yaml.load(t, yaml.CSafeLoader))


def test_a_text_that_is_nested_deeper_than_calls_may_be_is_left_to_the_loader() -> None:
    assert isinstance(read_yml("[" * 5000 + "]" * 5000), list)


def test_all_yml_files_of_this_repository_are_read_alike() -> None:
    for path in [*ROOT.glob("models/**/*.yml"), *ROOT.glob(".github/workflows/*.yml"), ROOT / "dbt_project.yml"]:
        text = path.read_text(encoding="utf-8")
        assert read_yml(text) == yaml.safe_load(text), path
