"""docs/living.md is a day that really goes so: an edit, a drift, a changed contract, a review."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from documents import follow
from projects import ROOT

pytestmark = pytest.mark.slow


def test_the_day_of_the_document_goes_as_it_says(tmp_path: Path) -> None:
    for part in ("dbt_project.yml", "profiles.yml", ".gitignore"):
        shutil.copy2(ROOT / part, tmp_path / part)
    shutil.copytree(ROOT / "macros", tmp_path / "macros")
    (tmp_path / "models/gold").mkdir(parents=True)
    for path in (ROOT / "models/gold").glob("bank_transactions.*"):
        shutil.copy2(path, tmp_path / "models/gold" / path.name)
    for words in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("config", "user.name", "Ada Lovelace"),
        ("config", "user.email", "ada@example.com"),
        ("add", "."),
        ("commit", "--quiet", "--message", "A project"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    follow((ROOT / "docs/living.md").read_text(encoding="utf-8"), tmp_path)
