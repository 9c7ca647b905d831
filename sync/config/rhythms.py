"""Finds rhythms at which days of traffic may be lost before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from structlog import get_logger

from sync.config import Config
from sync.config.resources import risky_rhythms


class RiskyRhythm(NamedTuple):
    """A key with too long a time between two readings, and why it is too long."""

    key: str
    message: str


def find_risky(config: Config) -> Iterator[RiskyRhythm]:
    """Yield each rhythm of `config` at which one failed reading loses days."""
    owned = {f"accounts[{n}].resources": each.resources for n, each in enumerate(config.accounts)}
    for key in risky_rhythms({"resources": config.resources, **owned}):
        yield RiskyRhythm(
            key,
            f"{key} is more than 7 days: GitHub forgets traffic after 14 days, so one reading that "
            "fails loses some of it; give at most 7d",
        )


def warn_of(config: Config) -> None:
    """Log a warning for each rhythm of `config` at which one failed reading loses days."""
    for each in find_risky(config):
        get_logger("sync.config").warning("resources.rhythm_loses_days", **each._asdict())
