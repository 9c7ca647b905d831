"""The daemon's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from sync import __version__
from sync.daemon.accounts import AccountState
from sync.outcome import RunOutcome

# A second series for each counter, of no use here.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it out

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ITEMS = (
    *("inserted", "updated", "unchanged", "removed", "restored", "withheld"),
    *("rejected", "skipped"),
)
_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)


class Metrics:
    """Counts from the start of the process on; each daemon has a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        account = ("account",)
        build = self._gauge("build_info", "The version of the program.", ("version",))
        build.labels(__version__).set(1)
        self._runs = self._counter("runs", "Finished runs.", (*account, "status"))
        self._items = self._counter("items", "Items by what became of them.", (*account, "outcome"))
        self._requests = self._counter(
            "requests",
            "Answers of the API by HTTP status; 304 cost no quota.",
            (*account, "status"),
        )
        self._missed = self._counter(
            "runs_missed",
            "Times of the schedule at which the last run was still going on.",
            account,
        )
        self._waited = self._counter(
            "wait_seconds", "Seconds waited for quota and before retries.", account
        )
        self._duration = Histogram(
            "repoledger_run_duration_seconds",
            "How long runs took.",
            account,
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._quota = self._gauge(
            "rate_limit_remaining", "Requests left this hour, as of the last answer.", account
        )
        self._success = self._gauge(
            "last_success_timestamp_seconds", "When the account was last synced.", account
        )
        self._failures = self._gauge(
            "failures_in_a_row", "Failed runs since the last good one.", account
        )
        self._error = self._gauge(
            "last_error", "1 for the error that the last run ended with.", (*account, "error_type")
        )

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"repoledger_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"repoledger_{name}", text, labels, registry=self._registry)

    def count(self, outcome: RunOutcome, by_status: Mapping[int, int]) -> None:
        """Count a run, and the answers it got by HTTP status."""
        account = outcome.account
        self._runs.labels(account, outcome.status).inc()
        for name in _ITEMS:
            self._items.labels(account, name).inc(getattr(outcome.counts, name))
        for status, number in by_status.items():
            self._requests.labels(account, str(status)).inc(number)
        self._waited.labels(account).inc(outcome.counts.wait_seconds)
        self._duration.labels(account).observe(outcome.seconds)
        if outcome.rate_limit_remaining is not None:
            self._quota.labels(account).set(outcome.rate_limit_remaining)

    def count_missed(self, account: str) -> None:
        """Count a time of the schedule at which the last run was still going on."""
        self._missed.labels(account).inc()

    def exposition(self, states: Iterable[AccountState]) -> bytes:
        """Return everything in Prometheus' text format, with the accounts as they are now."""
        for gauge in (self._success, self._failures, self._error):
            gauge.clear()  # an account that left the configuration leaves the figures too
        for state in states:
            history = state.history
            self._failures.labels(state.name).set(history.failures)
            if history.last_synced_at is not None:
                self._success.labels(state.name).set(history.last_synced_at.timestamp())
            if history.error_type is not None:
                self._error.labels(state.name, history.error_type).set(1)
        return generate_latest(self._registry)
