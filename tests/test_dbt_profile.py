"""Which database the profile names, so that goldsmith and a person's dbt have one and the same environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from invented import ROOT

from generator.database.dbt_profile import names_database


def test_the_profile_names_the_database_of_the_project_from_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOLDSMITH_DB", raising=False)
    monkeypatch.chdir(ROOT)
    assert names_database(ROOT, ROOT / "goldsmith.duckdb")
    assert not names_database(ROOT, ROOT / "other.duckdb")


def test_from_elsewhere_dbt_would_write_to_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GOLDSMITH_DB", raising=False)
    monkeypatch.chdir(tmp_path)
    assert not names_database(ROOT, ROOT / "goldsmith.duckdb")


def test_the_environment_names_it_wherever_we_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOLDSMITH_DB", str(tmp_path / "a.duckdb"))
    monkeypatch.chdir(tmp_path)
    assert names_database(ROOT, tmp_path / "a.duckdb")
    assert not names_database(ROOT, tmp_path / "b.duckdb")


def test_a_project_without_a_profile_names_none(tmp_path: Path) -> None:
    assert not names_database(tmp_path, tmp_path / "goldsmith.duckdb")
