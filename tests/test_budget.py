"""Limits and prices: what fits, what does not, and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.budget import Limits, Price, Spent, dollars, estimate, over_limit
from generator.errors import UsageError
from generator.project.project import Project, open_project

NOTHING = {"file": Spent(), "run": Spent(), "day": Spent()}
FREE = Limits(None, None, None, None, None, None)
SCOPES = ("file", "run", "day")
amounts = st.integers(0, 10**6)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_call_that_may_take_more_tokens_than_are_left_does_not_fit(scope: str) -> None:
    limits = Limits(**{f"tokens_per_{s}": 100 if s == scope else None for s in SCOPES})
    used = {**NOTHING, scope: Spent(60)}
    assert over_limit(limits, used, Spent(40)) is None
    assert over_limit(limits, used, Spent(41)) == (
        f"not asked: tokens_per_{scope} is 100, 60 used, and one more call may take 41; raise llm_limits: "
        f"tokens_per_{scope} in dbt_project.yml"
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_a_call_that_may_cost_more_money_than_is_left_does_not_fit(scope: str) -> None:
    limits = Limits(None, None, None, **{f"usd_per_{s}": 1.0 if s == scope else None for s in SCOPES})
    used = {**NOTHING, scope: Spent(0, 0.75)}
    assert over_limit(limits, used, Spent(10**9, 0.25)) is None
    assert over_limit(limits, used, Spent(0, 0.26)) == (
        f"not asked: usd_per_{scope} is $1.00, $0.75 used, and one more call may take $0.26; raise llm_limits: "
        f"usd_per_{scope} in dbt_project.yml"
    )


@given(amounts, amounts, amounts)
def test_what_fits_leaves_no_limit_broken(limit: int, used: int, more: int) -> None:
    limits = Limits(tokens_per_file=limit, tokens_per_run=None, tokens_per_day=None)
    fits = over_limit(limits, {**NOTHING, "file": Spent(used)}, Spent(more)) is None
    assert fits == (used + more <= limit)


@given(amounts, amounts)
def test_without_limits_everything_fits(used: int, more: int) -> None:
    assert over_limit(FREE, dict.fromkeys(SCOPES, Spent(used, used)), Spent(more, more)) is None


def test_a_limit_of_nothing_lets_nothing_through() -> None:
    assert over_limit(Limits(tokens_per_day=0), NOTHING, Spent(1)) is not None


def test_prices_are_needed_only_where_a_limit_is_in_money() -> None:
    assert Limits().money
    assert Limits(usd_per_file=None, usd_per_run=None).money
    assert not Limits(usd_per_file=None, usd_per_run=None, usd_per_day=None).money


def test_a_price_is_for_a_million_tokens() -> None:
    assert Price(2, 8).of(500_000, 250_000) == 3.0


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        (0, "$0.00"),
        (1234.5, "$1,234.50"),
        (20, "$20.00"),
        (0.125, "$0.12"),
        (0.041, "$0.041"),
        (0.00012, "$0.00012"),
        (3e-9, "$0.00000000"),
    ],
)
def test_small_amounts_are_told_with_the_digits_they_need(usd: float, words: str) -> None:
    assert dollars(usd) == words


@given(st.text())
def test_a_token_is_taken_for_three_bytes_at_most(text: str) -> None:
    assert len(text.encode("utf-8", "replace")) <= 3 * estimate(text) <= len(text.encode("utf-8", "replace")) + 2


def project(folder: Path, variables: str) -> Project:
    """A project with these dbt vars, one line each, and nothing else."""
    (folder / "models" / "gold").mkdir(parents=True)
    contract = Path(__file__).parents[1] / "models" / "gold" / "bank_transactions.yml"
    (folder / "models" / "gold" / contract.name).write_bytes(contract.read_bytes())
    (folder / "dbt_project.yml").write_text(f"name: p\nvars:\n  archive: archive\n{variables}", encoding="utf-8")
    return open_project(folder, {})


def test_a_project_that_says_nothing_has_the_default_limits(tmp_path: Path) -> None:
    found = project(tmp_path, "")
    assert (found.privacy, found.at_once, found.limits, found.prices) == ("shapes", 4, Limits(), {})
    assert found.limits == Limits(150_000, 2_000_000, 10_000_000, 1, 20, 50)


def test_a_project_names_its_limits_prices_and_privacy(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        "  llm_privacy: headers\n  llm_at_once: 2\n  llm_limits: {tokens_per_file: null, usd_per_day: 2.5}\n"
        "  llm_prices: {our-llm: {input: 0.5, output: 2}}\n",
    )
    assert (found.privacy, found.at_once) == ("headers", 2)
    assert found.limits == Limits(tokens_per_file=None, usd_per_day=2.5)
    assert found.prices == {"our-llm": Price(0.5, 2)}


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("llm_privacy: everything", "vars: llm_privacy is 'everything'; it must be shapes, values or headers"),
        ("llm_privacy: [shapes]", "vars: llm_privacy is ['shapes']; it must be shapes, values or headers"),
        ("llm_at_once: 0", "vars: llm_at_once is 0; it must be a number from 1 to 32"),
        ("llm_limits: 5", "vars: llm_limits is 5; it must be a block of `name: value` lines"),
        (
            "llm_limits: {usd_per_month: 5}",
            "vars: llm_limits: 'usd_per_month' is not known; there are tokens_per_file, ",
        ),
        ("llm_limits: {1: 5}", "vars: llm_limits: 1 is not known; there are tokens_per_file, "),
        ("llm_limits: {tokens_per_file: '5'}", "vars: llm_limits: tokens_per_file is '5'; it must be a whole number"),
        ("llm_limits: {tokens_per_file: 1.5}", "vars: llm_limits: tokens_per_file is 1.5; it must be a whole number"),
        ("llm_limits: {tokens_per_run: true}", "vars: llm_limits: tokens_per_run is True; it must be a whole number"),
        (
            "llm_limits: {tokens_per_day: -1}",
            "vars: llm_limits: tokens_per_day is -1; it must be a whole number from 0",
        ),
        ("llm_limits: {usd_per_file: $1}", "vars: llm_limits: usd_per_file is '$1'; it must be a number from 0 on"),
        ("llm_limits: {usd_per_file: .nan}", "vars: llm_limits: usd_per_file is nan; it must be a number from 0 on"),
        ("llm_limits: {usd_per_file: .inf}", "vars: llm_limits: usd_per_file is inf; it must be a number from 0 on"),
        ("llm_prices: [a]", "vars: llm_prices is ['a']; it must be a block of `name: value` lines"),
        ("llm_prices: {a: 1}", "vars: llm_prices: a is 1; it must be a block of `name: value` lines"),
        ("llm_prices: {a: {input: 1}}", "vars: llm_prices: a: output is None; it must be a number from 0 on"),
        ("llm_prices: {a: {in: 1}}", "vars: llm_prices: a: 'in' is not known; there are input, output"),
        ("llm_prices: {4.1: {}}", "vars: llm_prices: 4.1 is not known; the name of an LLM is a text, in quotes"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_and_key(tmp_path: Path, variable: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        project(tmp_path, f"  {variable}\n")
    assert str(refused.value).startswith(f"{tmp_path / 'dbt_project.yml'}: {said}")
