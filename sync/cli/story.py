"""What the daemon says on a terminal: a line for each run of an account, in words. No I/O here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sync.cli.times import age_of

Event = Mapping[str, Any]

# Events about repositories that are part of what a run's line says.
_DETAILS = {
    "repository.renamed": "renamed",
    "repository.transferred": "transferred",
    "repository.restored": "back",
    "repository.removed": "removed",
    "repository.left": "left",
}
_COUNTS = {"inserted": "new", "rejected": "not stored", "withheld": "missing, not removed yet"}
_UNSAID = (
    *("http.request_failed", "http.retry_scheduled", "schedule.run_postponed"),
    *("schedule.reading_postponed", "daemon.stopping"),
)


class Story:
    """Turns events into lines; a run's line waits for the event that tells the next run."""

    def __init__(self) -> None:
        self._happened: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._ended: dict[str, str] = {}

    def told(self, event: Event) -> str | None:
        """Return the line about an event; "" if it has none, None if it is not of the story."""
        kind, account = event["event"], str(event.get("account", ""))
        if kind in _DETAILS:
            self._happened[account][_DETAILS[kind]].append(_named(event))
            return ""
        if kind in ("sync.run_finished", "sync.run_failed"):
            happened = self._happened.pop(account, {})
            self._ended[account] = sentence_of(event, happened)
            return ""
        if kind == "schedule.next_run":
            return self._with_next(account, event)
        if kind in _UNSAID:
            return ""
        words = _WORDS.get(kind)
        if words is not None:
            return _line(event, words(event))
        return "" if event.get("level") in ("debug", "info") else None

    def _with_next(self, account: str, event: Event) -> str:
        ended = self._ended.pop(account, None)
        if ended is None:
            return ""
        now, at = _moment(event["timestamp"]), event.get("at")
        following = f", next in {age_of(_moment(at) - now)}" if at else ""
        return _line(event, f"{account}: {ended}{following}")


def sentence_of(event: Event, happened: Mapping[str, list[str]]) -> str:
    """Return how a run ended: `happened` are the repositories that were renamed and so on."""
    if event["status"] == "failed":
        return f"failed: {event.get('error_message')}"
    if event["status"] == "deferred":
        return "waits for GitHub's quota"
    if event["status"] == "interrupted":
        return "interrupted; what is stored stays"
    if event.get("trigger") == "resources":
        return f"read resources with {event.get('requests', 0)} requests"
    known = sum(int(event.get(name) or 0) for name in ("inserted", "updated", "unchanged"))
    parts = [f"synced {known}"]
    parts += [f"{event[name]} {word}" for name, word in _COUNTS.items() if event.get(name)]
    for word, names in happened.items():
        parts.append(f"{len(names)} {word}" + (f" ({names[0]})" if len(names) == 1 else ""))
    told = sum(map(len, happened.values()))
    if more := max(int(event.get("updated") or 0) - told, 0):
        parts.append(f"{more} changed")
    if event.get("error_message"):
        parts.append(str(event["error_message"]))
    return ", ".join(parts)


def _named(event: Event) -> str:
    name, before = event.get("repository"), event.get("before")
    if name is None:
        return f"id {event.get('id')}"
    return f"{before} → {name}" if before and before != name else str(name)


def _started(event: Event) -> str:
    listens = f", listens at {event['listen']}" if event.get("listen") else ""
    count = event["accounts"]
    accounts = "1 account" if count == 1 else f"{count} accounts"
    return f"repoledger {event['version']}: {accounts}{listens}. Times are UTC; Ctrl-C stops it."


_WORDS: dict[str, Callable[[Event], str]] = {
    "daemon.started": _started,
    "daemon.stopped": lambda _: "stopped",
    "config.reloaded": lambda _: "the configuration was read again",
    "config.refused": lambda e: f"the configuration is wrong, the old one stays: {e['message']}",
    "rate_limit.waiting": lambda e: f"{e.get('account', '')}: waits {e['seconds']:g} s for quota",
    "schedule.run_missed": lambda e: f"{e.get('account')}: a run was left out: {e.get('reason')}",
    "ping.failed": lambda e: f"{e.get('account')}: the ping failed: {e.get('message')}",
}


def _line(event: Event, words: str) -> str:
    return f"{_moment(event['timestamp']):%H:%M} {words}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
