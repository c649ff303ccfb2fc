"""Traces and metrics, by OpenTelemetry's conventions for generative AI (1.42, in development). All names are here.

Numbers and names only: no text of a prompt, an answer or a cell. Nothing is sent unless `exporting` says to whom.
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from opentelemetry import metrics, trace

from generator.errors import GoldsmithError

SCOPE = "goldsmith"
MAP_LAYOUT = "goldsmith.map_layout"
LAYOUT = "goldsmith.layout"
CONTRACT = "goldsmith.contract"
ATTEMPT = "goldsmith.attempt"
COST = "goldsmith.cost_usd"
OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
MAX_TOKENS = "gen_ai.request.max_tokens"
OUTPUT_TYPE = "gen_ai.output.type"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
TOKEN_TYPE = "gen_ai.token.type"
TOKEN_USAGE = "gen_ai.client.token.usage"
DURATION = "gen_ai.client.operation.duration"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"
CHAT = "chat"

_tracer = trace.get_tracer(SCOPE)
_meter = metrics.get_meter(SCOPE)
_tokens = _meter.create_histogram(
    TOKEN_USAGE,
    unit="{token}",
    description="Number of input and output tokens used.",
    explicit_bucket_boundaries_advisory=[4**n for n in range(14)],
)
_duration = _meter.create_histogram(
    DURATION,
    unit="s",
    description="GenAI operation duration.",
    explicit_bucket_boundaries_advisory=[0.01 * 2**n for n in range(14)],
)


@contextmanager
def mapping(layout: str, contract: str) -> Iterator[None]:
    """The span of everything that is done to map one layout; calls within it are its children."""
    with _span(MAP_LAYOUT, trace.SpanKind.INTERNAL, {LAYOUT: layout, CONTRACT: contract}) as span:
        try:
            yield
        except GoldsmithError as error:
            span.set_attribute(ERROR_TYPE, type(error).__name__)
            span.set_status(trace.StatusCode.ERROR)
            raise


@dataclass
class Chat:
    """A call that is traced: say how it ended. One that nobody says anything of ended otherwise."""

    span: trace.Span
    asked: Mapping[str, str | int]
    ended: dict[str, str]

    def answered(self, llm: str, finish: str, tokens: tuple[int, int] | None, usd: float | None) -> None:
        """It was answered; `tokens` in and out, None where the endpoint did not count them."""
        self.ended = {RESPONSE_MODEL: llm}
        self.span.set_attribute(FINISH_REASONS, [finish])
        if tokens:
            self.span.set_attributes({INPUT_TOKENS: tokens[0], OUTPUT_TOKENS: tokens[1]})
            for kind, count in zip(("input", "output"), tokens, strict=True):
                _tokens.record(count, {**self.asked, **self.ended, TOKEN_TYPE: kind})
        if usd is not None:
            self.span.set_attribute(COST, usd)

    def failed(self, kind: str) -> None:
        """It was not answered; `kind` of error, a word."""
        self.ended = {ERROR_TYPE: kind}


@contextmanager
def chat(provider: str, llm: str, host: str, port: int, max_tokens: int, attempt: int) -> Iterator[Chat]:
    """The span of one call of an LLM, with its duration as a metric."""
    asked: dict[str, str | int] = {
        OPERATION: CHAT,
        PROVIDER: provider,
        REQUEST_MODEL: llm,
        SERVER_ADDRESS: host,
        SERVER_PORT: port,
    }
    more: dict[str, str | int] = {MAX_TOKENS: max_tokens, OUTPUT_TYPE: "json", ATTEMPT: attempt}
    with _span(f"{CHAT} {llm}", trace.SpanKind.CLIENT, {**asked, **more}) as span:
        call = Chat(span, asked, {ERROR_TYPE: "_OTHER"})
        started = monotonic()
        try:
            yield call
        finally:
            _duration.record(monotonic() - started, {**asked, **call.ended})
            span.set_attributes(call.ended)
            if ERROR_TYPE in call.ended:
                span.set_status(trace.StatusCode.ERROR)


@contextmanager
def _span(name: str, kind: trace.SpanKind, attributes: Mapping[str, str | int]) -> Iterator[trace.Span]:
    # The message of an exception may quote anything: it stays out.
    with _tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span
