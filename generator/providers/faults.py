"""A try that an endpoint answered with an error, or not at all: what it says, and whether another one makes sense."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import httpx2
import openai
from tenacity import RetryCallState, Retrying, wait_exponential_jitter

from generator.matcher.request import ProviderError

TRIES = 3
# Whoever says to come back later than in a minute is not waited for.
LONGEST = 60.0
BACKOFF = wait_exponential_jitter(multiplier=1, max=10)


class Fault(ProviderError):
    """A try that failed. `passing`: the next may not; `after`: the seconds that the endpoint asks to wait."""

    def __init__(
        self, kind: str, message: str, *, passing: bool = False, after: float | None = None, unknown: int = 0
    ) -> None:
        super().__init__(message, unknown=unknown, kind=kind)
        self.passing = passing and (after is None or after <= LONGEST)
        self.after = after


def tries(sleep: Callable[[float], None], again: Callable[[], bool]) -> Retrying:
    """At most `TRIES` tries; between them the wait that the endpoint asks for, or a growing and random one.

    After a try that may have been charged, `again` says whether there may be another.
    """

    def worth_another(state: RetryCallState) -> bool:
        fault = _fault(state)
        if not fault or not fault.passing or state.attempt_number >= TRIES:
            return False
        return not fault.unknown or again()

    return Retrying(wait=_wait, retry=worth_another, sleep=sleep)


def _wait(state: RetryCallState) -> float:
    fault = _fault(state)
    return fault.after if fault and fault.after is not None else BACKOFF(state)


def _fault(state: RetryCallState) -> Fault | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Fault) else None


def of_status(error: openai.APIStatusError, model: str, cleaned: Callable[[str], str]) -> Fault:
    """What an answer with an error's status means. `cleaned` makes a text of the endpoint fit to be seen."""
    status, after = error.status_code, _retry_after(error.response.headers)
    kind = str(status)
    later = f"not before {_moment(after)}" if after is not None and after > LONGEST else "later"
    if status in (401, 403):
        return Fault(kind, f"refused the key ({status}); set OPENAI_API_KEY to one that may use {model}")
    if status == 404:
        return Fault(kind, f"does not know {model} ({status}); check OPENAI_MODEL, OPENAI_BASE_URL and OPENAI_API")
    if status == 429 and "insufficient_quota" in (error.code, error.type):
        return Fault("quota", f"says that no credit is left ({status}); check the account")
    if status == 429:
        return Fault(kind, f"says too many requests ({status}); try again {later}", passing=True, after=after)
    if status in (408, 409) or status >= 500:
        # A gateway that gave up waiting for the LLM says nothing of what the LLM did.
        unknown = int(status in (504, 524))
        return Fault(kind, f"failed ({status}); try again {later}", passing=True, after=after, unknown=unknown)
    if 300 <= status < 400:
        return Fault(kind, f"sends us elsewhere ({status}); set OPENAI_BASE_URL to the endpoint itself")
    # OpenAI's client leaves out what is said in another form than OpenAI's.
    said = error.message.partition(" - ")[2] or str(error.body)
    return Fault(kind, f"refused the request ({status}: {cleaned(said)}); check OPENAI_MODEL")


def of_loss(error: Exception, timeout: float) -> Fault:
    """No answer, or half of one. What was sent may have been charged."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, httpx2.ConnectTimeout):
        return Fault("unreachable", "cannot be reached in time; check OPENAI_BASE_URL and the network", passing=True)
    if isinstance(cause, (httpx2.TimeoutException, TimeoutError)):
        return Fault("timeout", f"did not answer within {timeout:g} s; raise OPENAI_TIMEOUT, try later", unknown=1)
    if isinstance(cause, (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError, OSError)):
        return Fault("connection", "broke off; try later, check the network", passing=True, unknown=1)
    if isinstance(cause, httpx2.DecodingError):
        return Fault("unreadable", "answered something that cannot be unpacked; check OPENAI_BASE_URL", unknown=1)
    return Fault("unreachable", "cannot be reached; check OPENAI_BASE_URL and the network")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer's headers ask to wait: `retry-after-ms`, `Retry-After` as seconds or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        said = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", said):
            return float(said) / unit
    try:
        until = parsedate_to_datetime(headers.get("retry-after", "")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return max(0.0, math.ceil(until - time.time()))


def _moment(seconds: float) -> str:
    """The local time in so many seconds, with its day if that is not soon."""
    day = "%Y-%m-%d " if seconds > 43_200 else ""
    try:
        return time.strftime(f"{day}%H:%M:%S", time.localtime(time.time() + seconds))
    except (ValueError, OverflowError, OSError):
        return "much later"
