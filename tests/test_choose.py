"""Which provider a command asks, and the line that says so."""

from __future__ import annotations

import pytest
from llm_server import LLMServer, reply
from projects import LiveProject
from riddle import RIGHT, answer
from test_prompted import REQUEST

from generator.errors import UsageError
from generator.llm.calls import Calls, read_calls
from generator.project.project import Project, open_project
from generator.providers import ProviderError
from generator.providers.choose import choose

KEY = {"OPENAI_API_KEY": "sk-secret-0123456789abcdef", "OPENAI_MODEL": "an-llm"}


@pytest.fixture
def opened(skeleton: LiveProject) -> Project:
    return open_project(skeleton.folder, {})


@pytest.mark.parametrize(
    ("name", "environ", "chosen", "notice"),
    [
        (None, {}, "offline", "provider: offline (no OPENAI_API_KEY: no LLM is asked)"),
        (None, {"OPENAI_API_KEY": " "}, "offline", "provider: offline (no OPENAI_API_KEY: no LLM is asked)"),
        (None, KEY, "openai", "provider: openai (OPENAI_API_KEY is set)"),
        ("offline", KEY, "offline", "provider: offline (as asked)"),
        ("openai", KEY, "openai", "provider: openai (as asked)"),
        ("replay", KEY, "replay", "provider: replay (as asked)"),
        ("replay", {}, "replay", "provider: replay (as asked)"),
    ],
)
def test_without_a_name_the_key_decides_and_it_is_said(
    name: str | None, environ: dict[str, str], chosen: str, notice: str, opened: Project
) -> None:
    provider, said = choose(name, opened, environ, Calls(opened.folder))
    assert (provider.name, said) == (chosen, notice)
    assert provider.at_once == (1 if chosen == "offline" else opened.at_once)


def test_a_missing_key_says_what_to_set_and_how_to_go_on_without(opened: Project) -> None:
    with pytest.raises(UsageError, match=r"OPENAI_API_KEY is not set; set it .*, or use --provider offline"):
        choose("openai", opened, {}, Calls(opened.folder))


@pytest.mark.parametrize(("name", "environ"), [(None, {}), ("offline", KEY), ("replay", KEY)])
def test_only_what_an_llm_answers_can_be_recorded(name: str | None, environ: dict[str, str], opened: Project) -> None:
    with pytest.raises(UsageError, match="--record writes down what an LLM answers, and (offline|replay) asks none"):
        choose(name, opened, environ, Calls(opened.folder), record=True)


def test_openai_is_metered_and_kept_and_recorded_if_asked(opened: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    kept, recorded = opened.folder / "target/goldsmith/paid", opened.folder / "recordings"
    with LLMServer([reply(answer(RIGHT))]) as server:
        provider, _ = choose(None, opened, {**KEY, "OPENAI_BASE_URL": server.url}, Calls(opened.folder), record=True)
        # It answers for another contract, which is paid for all the same.
        with pytest.raises(ProviderError, match="the contract has no columns"):
            provider.propose(REQUEST)
    assert [call.tokens for call in read_calls(opened.folder)] == [1200]
    assert [p.name for p in kept.iterdir()] == [p.name for p in recorded.iterdir()]
    provider.finished()
    assert (len(list(kept.iterdir())), len(list(recorded.iterdir()))) == (0, 1)
