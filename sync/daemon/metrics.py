"""The daemon's metrics for Prometheus."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from sync import __version__
from sync.core.clock import Clock, utc_now
from sync.daemon.accounts import AccountState
from sync.run.outcome import RunOutcome

# Without the second series `_created` of each counter.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it out

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ITEMS = (
    *("inserted", "updated", "unchanged", "removed", "restored", "withheld"),
    *("rejected", "skipped"),
)
_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)


class _Accounts:
    """Collects the accounts' gauges at each scrape, from their present states."""

    def __init__(self, states: Callable[[], Collection[AccountState]], clock: Clock) -> None:
        self._states = states
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        success = _family(
            "last_success_timestamp_seconds", "When the account was last synced.", "account"
        )
        failures = _family("failures_in_a_row", "Failed runs since the last good one.", "account")
        error = _family(
            "last_error", "1 for the error that the last run ended with.", "account", "error_type"
        )
        for state in self._states():
            history = state.history
            failures.add_metric([state.name], history.failures)
            if history.last_synced_at is not None:
                success.add_metric([state.name], history.last_synced_at.timestamp())
            if history.error_type is not None:
                error.add_metric([state.name, history.error_type], 1)
        yield from (success, failures, error)
        yield from self._resources()

    def _resources(self) -> Iterator[GaugeMetricFamily]:
        of = ("account", "resource")
        waiting = _family(
            "resource_waiting", "Repositories that the last run left for a later one.", *of
        )
        refused = _family(
            "resource_refused", "Repositories of which GitHub refuses the resource.", *of
        )
        oldest = _family(
            "resource_oldest_reading_age_seconds", "The age of the oldest last good reading.", *of
        )
        now = self._clock()
        for state in self._states():
            for name, each in state.standing.resources.items():
                waiting.add_metric([state.name, name], state.waiting.get(name, 0))
                refused.add_metric([state.name, name], each.refused)
                if each.oldest_at is not None:
                    age = max((now - each.oldest_at).total_seconds(), 0)
                    oldest.add_metric([state.name, name], age)
        yield from (waiting, refused, oldest)


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"repoledger_{name}", text, labels=labels)


class Metrics:
    """The metrics of one daemon, in a registry of its own, for the accounts given to `keep`.

    `states` returns the accounts' present states.
    """

    def __init__(
        self, states: Callable[[], Collection[AccountState]], clock: Clock = utc_now
    ) -> None:
        self._registry = CollectorRegistry()
        self._accounts: frozenset[str] = frozenset()
        self._lock = threading.Lock()  # no run is counted while `keep` removes its account
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
        resource = (*account, "resource")
        self._asked = self._counter("resource_requests", "Answers about a resource.", resource)
        self._same = self._counter(
            "resource_not_modified", "Answers about a resource that cost no quota: 304.", resource
        )
        self._lost = self._counter(
            "resource_lost_days", "Days whose figures were not read before GitHub forgot.", resource
        )
        self._registry.register(_Accounts(states, clock))
        self._of_accounts = (
            *(self._runs, self._items, self._requests, self._missed, self._waited),
            *(self._duration, self._quota, self._asked, self._same, self._lost),
        )

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"repoledger_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"repoledger_{name}", text, labels, registry=self._registry)

    def keep(self, accounts: Collection[str]) -> None:
        """Count for `accounts`; remove the series of other accounts."""
        with self._lock:
            gone, self._accounts = self._accounts.difference(accounts), frozenset(accounts)
            for account in gone:
                for metric in self._of_accounts:
                    metric.remove_by_labels({"account": account})

    def count(self, outcome: RunOutcome, by_status: Mapping[int, int]) -> None:
        """Count a run, and its answers by HTTP status."""
        account = outcome.account
        with self._lock:
            if account not in self._accounts:  # it left the configuration meanwhile
                return
            self._runs.labels(account, outcome.status).inc()
            for name in _ITEMS:
                self._items.labels(account, name).inc(getattr(outcome.counts, name))
            self._duration.labels(account).observe(outcome.seconds)
            self._count_requests(outcome, by_status)

    def count_reading(self, outcome: RunOutcome, by_status: Mapping[int, int]) -> None:
        """Count what a run without the listing requested; it does not count as a run."""
        with self._lock:
            if outcome.account in self._accounts:
                self._count_requests(outcome, by_status)

    def _count_requests(self, outcome: RunOutcome, by_status: Mapping[int, int]) -> None:
        account = outcome.account
        for status, number in by_status.items():
            self._requests.labels(account, str(status)).inc(number)
        self._waited.labels(account).inc(outcome.counts.wait_seconds)
        if outcome.rate_limit_remaining is not None:
            self._quota.labels(account).set(outcome.rate_limit_remaining)
        for name, counts in outcome.loaded.counts.items():
            self._asked.labels(account, name).inc(counts.asked)
            self._same.labels(account, name).inc(counts.not_modified)
            self._lost.labels(account, name).inc(counts.lost_days)

    def count_missed(self, account: str) -> None:
        """Count a scheduled time at which the last run was still going on."""
        with self._lock:
            if account in self._accounts:
                self._missed.labels(account).inc()

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
