"""Traces and metrics: by the conventions, without a text, and sent only where somebody asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from llm_server import Behaviour, LLMServer, reply, status
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from generator.budget import Limits, Price
from generator.errors import GoldsmithError, UsageError
from generator.llm import telemetry
from generator.llm.calls import Calls
from generator.llm.exporting import exporter
from generator.llm.prompt import Prompt
from generator.matcher.request import ProviderError
from generator.providers.metered import Metered
from generator.providers.openai import OpenAIEndpoint

PROMPT = Prompt("mapping-9", "THE SYSTEM", "THE USER", {"type": "object"}, "shop orders 3f2a9c1e", 2)


class Seen:
    """What is traced and measured in this process: there can be one provider only."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader({Histogram: AggregationTemporality.DELTA})
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(tracers)
        metrics.set_meter_provider(MeterProvider([self.reader]))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that ended since the test began."""
        return self.exporter.get_finished_spans()

    def points(self) -> dict[str, list[tuple[dict[str, Any], HistogramDataPoint]]]:
        """Metric -> the points that came since the last time, with their attributes."""
        data = self.reader.get_metrics_data()
        found: dict[str, list[tuple[dict[str, Any], HistogramDataPoint]]] = {}
        for metric in (m for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for m in s.metrics):
            for point in metric.data.data_points:
                assert isinstance(point, HistogramDataPoint)
                found.setdefault(metric.name, []).append((dict(point.attributes or {}), point))
        return found


@pytest.fixture(scope="module")
def everything() -> Seen:
    return Seen()


@pytest.fixture
def seen(everything: Seen) -> Seen:
    everything.exporter.clear()
    everything.points()
    return everything


def ask(folder: Path, script: Sequence[Behaviour]) -> int:
    """One metered call with that script behind it; returns the server's port."""
    with LLMServer(script) as server:
        endpoint = OpenAIEndpoint("an-llm", server.url, "k", timeout=5, sleep=lambda _: None)
        Metered(endpoint, Calls(folder), Limits(), {"an-llm": Price(10, 50)}).complete(PROMPT)
        return int(server.url.rpartition(":")[2].partition("/")[0])


def test_a_call_is_a_span_by_the_conventions(tmp_path: Path, seen: Seen) -> None:
    port = ask(tmp_path, [reply("{}", usage=(1000, 200))])
    (span,) = seen.spans
    assert (span.name, span.kind, span.status.status_code) == (
        "chat an-llm",
        trace.SpanKind.CLIENT,
        trace.StatusCode.UNSET,
    )
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "an-llm",
        "gen_ai.request.max_tokens": 16_000,
        "gen_ai.output.type": "json",
        "gen_ai.response.model": "an-llm-2031-12-27",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
        "goldsmith.attempt": 2,
        "goldsmith.cost_usd": 0.02,
    }


def test_a_call_is_measured_by_the_conventions(tmp_path: Path, seen: Seen) -> None:
    port = ask(tmp_path, [reply("{}", usage=(1000, 200))])
    points = seen.points()
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "an-llm",
        "gen_ai.response.model": "an-llm-2031-12-27",
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    used = {point[0]["gen_ai.token.type"]: point for point in points["gen_ai.client.token.usage"]}
    for kind, tokens in (("input", 1000), ("output", 200)):
        attributes, point = used[kind]
        assert attributes == {**about, "gen_ai.token.type": kind}
        assert (point.count, point.sum) == (1, tokens)
        assert point.explicit_bounds[:4] == (1, 4, 16, 64)
    ((attributes, point),) = points["gen_ai.client.operation.duration"]
    assert attributes == about
    assert 0 < point.sum < 60
    assert point.explicit_bounds[:3] == (0.01, 0.02, 0.04)


def test_what_is_not_counted_is_not_measured(tmp_path: Path, seen: Seen) -> None:
    ask(tmp_path, [reply("{}", usage=None)])
    assert "gen_ai.client.token.usage" not in seen.points()
    assert "gen_ai.usage.input_tokens" not in (seen.spans[0].attributes or {})


def test_a_call_that_fails_says_what_kind_of_error_and_nothing_more(tmp_path: Path, seen: Seen) -> None:
    with pytest.raises(ProviderError):
        ask(tmp_path, [status(401, message="no such key: sk-0123456789")])
    (span,) = seen.spans
    assert span.attributes
    assert (span.attributes["error.type"], span.status.status_code) == ("401", trace.StatusCode.ERROR)
    assert "gen_ai.response.model" not in span.attributes
    assert (span.events, span.status.description) == ((), None)
    ((attributes, _),) = seen.points()["gen_ai.client.operation.duration"]
    assert attributes["error.type"] == "401"


def test_a_call_that_is_interrupted_is_traced_as_an_error(seen: Seen) -> None:
    with pytest.raises(KeyboardInterrupt), telemetry.chat("openai", "an-llm", "llm.example", 443, 1, 1):
        raise KeyboardInterrupt
    assert (seen.spans[0].attributes or {})["error.type"] == "_OTHER"


def test_the_calls_for_a_layout_are_inside_its_span(tmp_path: Path, seen: Seen) -> None:
    with telemetry.mapping("shop orders 3f2a9c1e", "orders"):
        ask(tmp_path, [reply("{}")])
    call, layout = seen.spans
    assert layout.name == "goldsmith.map_layout"
    assert dict(layout.attributes or {}) == {"goldsmith.layout": "shop orders 3f2a9c1e", "goldsmith.contract": "orders"}
    assert call.parent
    assert call.parent.span_id == layout.context.span_id


def test_a_layout_that_is_blocked_is_an_error_without_its_message(seen: Seen) -> None:
    with pytest.raises(GoldsmithError), telemetry.mapping("a", "b"):
        raise GoldsmithError("Jane Roe is no number")
    (span,) = seen.spans
    assert (span.attributes or {})["error.type"] == "GoldsmithError"
    assert (span.events, span.status.description) == ((), None)


def test_neither_prompt_nor_answer_is_traced(tmp_path: Path, seen: Seen) -> None:
    ask(tmp_path, [reply('{"said": "THE ANSWER"}')])
    traced = "".join(span.to_json() for span in seen.spans)
    assert "chat an-llm" in traced
    assert [text for text in ("THE SYSTEM", "THE USER", "THE ANSWER") if text in traced] == []


# A process with a call in it, as a command would make one.
PROGRAM = """
import os
from generator.llm import telemetry
from generator.llm.exporting import exporter
sending = exporter(os.environ)
with telemetry.mapping("a", "b"), telemetry.chat("openai", "an-llm", "llm.example", 443, 1, 1) as call:
    call.answered("an-llm", "stop", (10, 20), 0.1)
for line in sending.finish():
    print(line)
"""


class Collector:
    """An OTLP endpoint on loopback; `paths` are those that something was sent to."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.paths.append(self.path)
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.http.shutdown()
    made.http.server_close()


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**kept, "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_traces_and_metrics_go_to_the_endpoint_that_is_named(collector: Collector) -> None:
    ran = run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert (ran.stdout, ran.stderr) == ("", "")
    assert sorted(collector.paths) == ["/v1/metrics", "/v1/traces"]
    assert all(b"goldsmith" in body for body in collector.bodies)


def test_an_endpoint_for_traces_alone_gets_no_metrics(collector: Collector) -> None:
    run(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/here", OTEL_SERVICE_NAME="our-service")
    assert collector.paths == ["/here"]
    assert b"our-service" in collector.bodies[0]


def test_nothing_is_sent_where_no_endpoint_is_named(collector: Collector) -> None:
    ran = run()
    assert (ran.stdout, ran.stderr, collector.paths) == ("", "", [])


@pytest.mark.slow
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "no url"])
def test_an_endpoint_that_cannot_be_reached_is_said_in_one_line(url: str) -> None:
    ran = run(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert ran.stdout == "traces or metrics could not be sent; check OTEL_EXPORTER_OTLP_ENDPOINT\n"
    assert ran.stderr == ""


def test_without_the_sdk_an_endpoint_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics", None)
    with pytest.raises(UsageError, match=r"pip install 'goldsmith-csv\[otel\]', or unset it"):
        exporter({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert exporter({}).finish() == ()
