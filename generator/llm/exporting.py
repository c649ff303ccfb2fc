"""Where traces and metrics go: to OTLP endpoints over HTTP, if OpenTelemetry's own environment variables name any."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import metrics, trace

from generator.errors import UsageError

BOTH = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
METRICS = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
# Seconds for which the end of a run waits for an endpoint that does not answer, unless TIMEOUT is set.
PATIENCE = 3.0


class Exporter:
    """Sends what is traced and measured, until it is finished."""

    def __init__(self) -> None:
        self._endings: list[Callable[[], None]] = []
        self._troubles = _Troubles()

    def finish(self) -> tuple[str, ...]:
        """Send the rest, at the end of a run. Returns a line for the person if something could not be sent."""
        while self._endings:
            self._endings.pop()()
        return (f"traces or metrics could not be sent; check {BOTH}",) if self._troubles.met else ()

    def start(self, environ: Mapping[str, str]) -> None:
        """Export from now on. ImportError if the SDK is not installed."""
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # The SDK says what goes wrong to a logger, many times, with what it was sending to whom.
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(self._troubles)
        logger.propagate = False
        options: dict[str, Any] = {} if environ.get(TIMEOUT) else {"timeout": PATIENCE}
        resource = Resource({"service.name": "goldsmith"}).merge(OTELResourceDetector().detect())
        if environ.get(TRACES) or environ.get(BOTH):
            tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
            tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options)))
            trace.set_tracer_provider(tracers)
            self._endings.append(tracers.shutdown)
        if environ.get(METRICS) or environ.get(BOTH):
            meters = MeterProvider(
                [PeriodicExportingMetricReader(OTLPMetricExporter(**options))], resource, shutdown_on_exit=False
            )
            metrics.set_meter_provider(meters)
            self._endings.append(meters.shutdown)


def exporter(environ: Mapping[str, str]) -> Exporter:
    """What sends to the endpoints that the environment names; to nobody if it names none. UsageError without the SDK."""
    made = Exporter()
    if any(environ.get(name) for name in (BOTH, TRACES, METRICS)):
        try:
            made.start(environ)
        except ImportError:
            raise UsageError(
                f"{BOTH} is set, but OpenTelemetry's SDK is missing: pip install 'goldsmith-csv[otel]', or unset it"
            ) from None
    return made


class _Troubles(logging.Handler):
    """Hears of warnings and errors, and repeats none: their texts may hold what was sent."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.met = False

    def emit(self, record: logging.LogRecord) -> None:
        self.met = True
