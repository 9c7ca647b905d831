"""The resources that a run loaded, in words and as JSON. No I/O here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sync.digest.words import counted, first_loss, repositories
from sync.resources.permission import lacking

if TYPE_CHECKING:
    from sync.load.loading import Loaded
    from sync.load.tally import Tally

_DAYS = {"traffic": "see resource.lost in the log and NULL in traffic_daily"}
_LOST = "see resource.lost in the log"
_WITHOUT = {
    "computing": "GitHub is still computing the answer for",
    "unavailable": "GitHub has been computing for days without an answer for",
    "off": "switched off at GitHub for",
    "too_large": "too large for GitHub to compute for",
}


def sentences(loaded: Loaded, needs: dict[str, str], now: datetime) -> Iterator[str]:
    """Yield what a run read, what waits, what is lost, and what was refused.

    `needs`: the permission of each resource, by its name.
    """
    read = [(name, tally.read) for name, tally in loaded.tallies.items() if tally.read]
    if read:
        yield f"read {of_repositories(read)}"
    if loaded.waiting:
        waiting = f"waiting for quota: {of_repositories(list(loaded.waiting.items()))}"
        if loaded.lost_at is not None:
            waiting += f"; {first_loss(loaded.lost_at, now)}"
        yield waiting
    missing = [
        (name, tally.missing)
        for name, tally in loaded.tallies.items()
        if tally.missing and not tally.is_absent
    ]
    if missing:
        yield (
            f"GitHub answers 404 for {of_repositories(missing)}; a backfill with the list tells "
            "whether that is gone"
        )
    for name, tally in loaded.tallies.items():
        days = loaded.counts[name].lost_days
        if days:
            yield (
                f"lost: {counted(days, 'day')} of {name} of {repositories(tally.lost)}; "
                f"{_DAYS.get(name, _LOST)}"
            )
        problem = refusal(tally, needs[name])
        if problem is not None:
            yield f"{name}: {problem}"
        if tally.failed:
            yield (
                f"{name}: no usable answer for {repositories(tally.failed)}; they are asked "
                "again in an hour or later"
            )
        for status, number in Counter(tally.without.values()).items():
            yield f"{name}: {_WITHOUT[status]} {repositories(number)}"


def refusal(tally: Tally, needs: str) -> str | None:
    """Return why a resource was not read of some repositories; None if it was of all."""
    if tally.refused:
        why = lacking(tally.reason, needs)
        return f"refused for {repositories(tally.refused + tally.paused)}: {why}"
    if tally.is_absent:
        return f"not on this server: it answers 404 for {repositories(tally.missing)}"
    return None


def of_repositories(numbers: list[tuple[str, int]]) -> str:
    """Return "traffic of 12 repositories, stars of 3"."""
    (first, number), *others = numbers
    return ", ".join(
        [f"{first} of {repositories(number)}", *(f"{name} of {n:,}" for name, n in others)]
    )


def as_rows(loaded: Loaded, needs: dict[str, str]) -> list[dict[str, Any]]:
    """Return the same, as an object for each resource."""
    return [
        {
            "resource": name,
            "requests": loaded.counts[name].asked,
            "not_modified": loaded.counts[name].not_modified,
            "read": tally.read,
            "waiting": loaded.waiting.get(name, 0),
            "lost_days": loaded.counts[name].lost_days,
            "lost_repositories": tally.lost,
            "refused": tally.refused + tally.paused if tally.refused else 0,
            "missing": tally.missing,
            "failed": tally.failed,
            "reason": refusal(tally, needs[name]),
        }
        for name, tally in loaded.tallies.items()
    ]
