"""Fixtures of the end-to-end tests: projects to run the real commands in."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import SKELETON, LiveProject


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of this folder."""
    config.addinivalue_line("markers", "slow: takes tens of seconds")


@pytest.fixture
def skeleton(tmp_path: Path) -> LiveProject:
    """This dbt project without a single layout: what a new user has."""
    return LiveProject.copy(tmp_path / "project", *SKELETON)


@pytest.fixture
def project(tmp_path: Path) -> LiveProject:
    """This dbt project with the committed layouts of the examples."""
    return LiveProject.copy(tmp_path / "project", *SKELETON, "models/staging")
