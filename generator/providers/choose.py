"""Which provider a command asks, by its options and the environment, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from generator.database.sql_functions import describe_functions
from generator.errors import UsageError
from generator.llm.calls import Calls
from generator.project.project import Project
from generator.providers import Endpoint, Provider
from generator.providers.offline import OfflineProvider
from generator.providers.on_demand import OnDemand
from generator.providers.prompted import PromptedProvider
from generator.providers.recorded import Kept, Recorded
from generator.providers.replay import Replay

PROVIDERS = ("offline", "openai", "replay")
# In the project: answers that people keep and commit, and those that only an interrupted run leaves.
RECORDINGS = "recordings"
PAID = "target/goldsmith/paid"


def choose(
    name: str | None, project: Project, environ: Mapping[str, str], calls: Calls, *, record: bool = False
) -> tuple[Provider, str]:
    """The provider of that name, and the line that says which it is and why.

    Without a name: openai if there is a key for it. UsageError for what is missing, and for an answer to `record` of
    what answers nothing new.
    """
    chosen, why = _named(name, environ)
    if record and chosen != "openai":
        raise UsageError(
            f"--record writes down what an LLM answers, and {chosen} asks none; set OPENAI_API_KEY and use --provider openai"
        )
    notice = f"provider: {chosen} ({why})"
    if chosen == "offline":
        return OfflineProvider(), notice
    endpoint = Replay(project.folder / RECORDINGS) if chosen == "replay" else _openai(project, environ, calls, record)
    functions = describe_functions(project.folder / "macros")
    return PromptedProvider(endpoint, functions, project.privacy, project.at_once), notice


def choose_on_demand(name: str | None, project: Project, environ: Mapping[str, str], calls: Calls) -> Provider:
    """The same provider, which says what is missing only when a layout must be asked about."""
    chosen, _ = _named(name, environ)
    at_once = OfflineProvider.at_once if chosen == "offline" else project.at_once
    return OnDemand(chosen, at_once, lambda: choose(name, project, environ, calls)[0])


def _named(name: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Which provider it is, and why."""
    if name:
        return name, "as asked"
    if environ.get("OPENAI_API_KEY", "").strip():
        return "openai", "OPENAI_API_KEY is set"
    return "offline", "no OPENAI_API_KEY: no LLM is asked"


def _openai(project: Project, environ: Mapping[str, str], calls: Calls, record: bool) -> Endpoint:
    try:
        from generator.providers.metered import Metered
        from generator.providers.openai import from_environment
    except ImportError:
        raise UsageError(
            "the openai package is missing: pip install 'goldsmith-csv[openai]', or --provider offline"
        ) from None
    metered = Metered(from_environment(environ), calls, project.limits, project.prices)
    kept = Kept(metered, project.folder / PAID)
    return Recorded(kept, project.folder / RECORDINGS) if record else kept
