"""The kinds of values that a configuration holds, each with its own check. No I/O here.

`parse` takes what TOML or the environment gave and raises ValueError with
what would be right.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from sync import origin
from sync.errors import ConfigError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WEEKDAYS = "sun|mon|tue|wed|thu|fri|sat"
_WEEKDAY_FIELD = re.compile(
    rf"(?i)({_WEEKDAYS})(-({_WEEKDAYS}))?(,({_WEEKDAYS})(-({_WEEKDAYS}))?)*"
)


class Seconds(float):
    """A length of time in seconds, written `30s`, `15m`, `1h 30m`, `7d` or as a number."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        wrong = ValueError('must be a length of time such as "30s", "15m", "1h" or "7d"')
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise wrong
        if isinstance(value, str):
            parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd])", value)
            if not parts or re.sub(r"(\d+(?:\.\d+)?)\s*([smhd])|\s", "", value):
                raise wrong
            value = sum(float(number) * _UNITS[unit] for number, unit in parts)
        if not 0 <= value <= 366 * 86400:
            raise ValueError("must be a length of time from 0s to 366d")
        return cls(value)


class Cron(str):
    """Five cron fields, restricted so that they mean the same to every program that reads them.

    Weekdays are names, because 0 is Sunday to cron and Monday to others.
    Day-of-month and weekday are not both given, because cron combines them
    with "or" and others with "and".
    """

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        from cronsim import CronSim, CronSimError

        if not isinstance(value, str) or len(value.split()) != 5:
            raise ValueError(
                'must be five cron fields (minute hour day month weekday), such as "0 * * * *"'
            )
        _, _, day, _, weekday = value.split()
        if weekday != "*" and not _WEEKDAY_FIELD.fullmatch(weekday):
            raise ValueError("must name weekdays, such as mon or mon-fri, in the fifth field")
        if weekday != "*" and day != "*":
            raise ValueError("must not restrict both the day of the month and the weekday")
        try:
            next(CronSim(value, datetime(2024, 1, 1, tzinfo=UTC)))
        except CronSimError as error:
            raise ValueError(f"is not a cron expression that ever fires ({error})") from None
        except StopIteration:
            raise ValueError("never fires: there is no such date") from None
        return cls(value)


class TimeZone(str):
    """The name of a time zone in the IANA database."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, TypeError, KeyError):
            raise ValueError('must be an IANA time zone such as "UTC" or "Europe/Berlin"') from None
        return cls(value)


class ApiUrl(str):
    """The base URL of an API: https, or http to a loopback address."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        try:
            return cls(origin.validate_base_url(value, "it"))
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("it ")) from None


class DatabaseUrl(str):
    """Where the ledger is: `sqlite:///FILE`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        right = 'must be "sqlite:///FILE", such as "sqlite:///repoledger.db"'
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError(right)
        scheme = value.partition("://")[0].lower()
        if scheme.startswith(("postgres", "mysql", "mariadb")):
            raise ValueError(f"{right}; database servers are not supported by this version")
        if scheme != "sqlite":
            raise ValueError(right)
        path = value.partition(":///")[2]
        if not path or "?" in path or ":memory:" in path:
            raise ValueError(f"{right}: a file, so that it is still there after the run")
        return cls(value)
