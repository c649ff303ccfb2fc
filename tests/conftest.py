"""What all tests share: hypothesis profiles, and projects to run the real commands in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from projects import SKELETON, LiveProject

# By hand every run tries other cases; CI tries the same ones for the same code, so that a change is judged by itself.
settings.register_profile("ci", derandomize=True, deadline=None)
# Many more cases, for a person with time: see test_pollution.py.
settings.register_profile("long", deadline=None)
if profile := os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else ""):
    settings.load_profile(profile)


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
