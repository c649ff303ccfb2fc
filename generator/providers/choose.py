"""Which provider a command asks, by its options and the environment, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from generator.calls import Calls
from generator.errors import UsageError
from generator.project import Project
from generator.providers import Endpoint, Provider
from generator.providers.offline import OfflineProvider
from generator.providers.prompted import PromptedProvider
from generator.providers.recorded import Kept, Recorded
from generator.providers.replay import Replay
from generator.sql_functions import describe_functions

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
    keyed = bool(environ.get("OPENAI_API_KEY", "").strip())
    chosen = name or ("openai" if keyed else "offline")
    if record and chosen != "openai":
        raise UsageError(
            f"--record writes down what an LLM answers, and {chosen} asks none; set OPENAI_API_KEY and use --provider openai"
        )
    why = "as asked" if name else "OPENAI_API_KEY is set" if keyed else "no OPENAI_API_KEY: no LLM is asked"
    notice = f"provider: {chosen} ({why})"
    if chosen == "offline":
        return OfflineProvider(), notice
    endpoint = Replay(project.folder / RECORDINGS) if chosen == "replay" else _openai(project, environ, calls, record)
    functions = describe_functions(project.folder / "macros")
    return PromptedProvider(endpoint, functions, project.privacy, project.at_once), notice


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
