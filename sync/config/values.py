"""The types of values in a configuration, each with its check. No I/O here.

`parse` takes a value of TOML or the environment, and raises ValueError with the valid values.
"""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sync.core import origin
from sync.core.errors import ConfigError
from sync.core.redaction import protect

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WEEKDAYS = "sun|mon|tue|wed|thu|fri|sat"
_NO_ZONES = "this system has no database of time zones: pip install tzdata"
_SHORTEST_RHYTHM = 600.0  # seconds
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,100}/[A-Za-z0-9._*?-]{1,100}")
_TELLING_PATH = 16  # characters; a shorter path contains no id to mask
_NO_SUCH_DATE = "never fires: the date does not exist"
_WEEKDAY_FIELD = re.compile(
    rf"(?i)({_WEEKDAYS})(-({_WEEKDAYS}))?(,({_WEEKDAYS})(-({_WEEKDAYS}))?)*"
)


class Seconds(float):
    """A length of time in seconds, written `30s`, `15m`, `1h 30m`, `7d` or as a number."""

    days: ClassVar = (0, 366)  # the shortest and the longest

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
        least, most = cls.days
        if not least * 86400 <= value <= most * 86400:
            shortest = f"{least}d" if least else "0s"
            raise ValueError(f"must be a length of time from {shortest} to {most}d")
        return cls(value)


class Retained(Seconds):
    """A length of time from a day to a century, for which rows are kept."""

    days = (1, 36_525)


class Rhythm(Seconds):
    """A length of time between two readings of a resource, at least ten minutes."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        seconds = super().parse(value)
        if seconds < _SHORTEST_RHYTHM:
            raise ValueError("must be at least 10m")
        return seconds


class RepositoryPattern(str):
    """A pattern of repositories: OWNER/NAME with `*` for any text and `?` for a character."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        if not isinstance(value, str) or not _PATTERN.fullmatch(value):
            raise ValueError(
                'must be patterns OWNER/NAME, such as "octo/*" or "octo/hello"; * stands for any '
                "text, ? for one character"
            )
        return cls(value)


class Cron(str):
    """Five cron fields, restricted so that all programs read them alike.

    Weekdays are names, since 0 is Sunday in cron and Monday in other programs. A day of the
    month excludes a weekday, since cron combines them with "or", other programs with "and".
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
            raise ValueError(_wrong_in_cron(str(error), value)) from None
        except StopIteration:
            raise ValueError(_NO_SUCH_DATE) from None
        return cls(value)


_CRON_FIELDS = {  # by the words of cronsim's errors
    "minute": ("minute", "0 to 59"),
    "hour": ("hour", "0 to 23"),
    "day-of-month": ("day of the month", "1 to 31"),
    "month": ("month", "1 to 12 or jan to dec"),
    "day-of-week": ("weekday", "sun to sat"),
}


def _wrong_in_cron(error: str, value: str) -> str:
    """Return what is wrong with a cron expression, by the error of cronsim."""
    for (told, (name, range_)), given in zip(_CRON_FIELDS.items(), value.split(), strict=True):
        if error == f"Bad {told}" and not (told == "day-of-month" and _is_day(given)):
            return f"is not a cron expression: the {name} must be {range_}, not {given!r}"
    if error == "Bad day-of-month":
        return _NO_SUCH_DATE
    return f"is not a cron expression: {error}"


def _is_day(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= 31


class TimeZone(str):
    """The name of a time zone in the IANA database."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        if not _is_zone(value):
            right = 'must be an IANA time zone such as "UTC" or "Europe/Berlin"'
            known = _is_zone("Europe/Berlin")
            raise ValueError(right if known else f"{right}; {_NO_ZONES}")
        return cls(value)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name, as `TimeZone` has checked it; UTC needs no database."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _is_zone(name: Any) -> bool:
    try:
        zone_of(name)
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return True


class ApiUrl(str):
    """The base URL of an API: https, or http to a loopback address."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        try:
            return cls(origin.validate_base_url(value, "it"))
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("it ")) from None


class PingUrl(str):
    """A URL to request after runs. It is a secret: with it, anybody can report a success."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        try:
            parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else None
            origin.validate_base_url(parts and f"{parts.scheme}://{parts.netloc}", "it")
        except (ConfigError, ValueError):
            raise ValueError("must be an address such as https://ping.example.com/ID") from None
        if parts is not None:
            protect(value, value.replace(parts.netloc, parts.netloc.lower(), 1))  # as it is sent
            if len(parts.path) >= _TELLING_PATH:
                protect(parts.path)
        return cls(value)


class Listen(str):
    """The address to listen at, `HOST:PORT`; empty to not listen."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        right = ValueError('must be "HOST:PORT", such as "127.0.0.1:8787", or "" to not listen')
        if value == "":
            return cls(value)
        if not isinstance(value, str) or not value.isprintable() or "/" in value or "@" in value:
            raise right
        try:
            parts = urlsplit(f"//{value}")
            if parts.netloc != value or not parts.hostname or parts.port is None:
                raise right
        except ValueError:
            raise right from None
        return cls(value)

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port; port 0 is any free port."""
        parts = urlsplit(f"//{self}")
        return parts.hostname or "", parts.port or 0


class Command(tuple[str, ...]):
    """A program and its arguments: a list, or text that is split as in a shell; no shell runs."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        right = ValueError('must be a command such as "gh auth token", or a list of its words')
        try:
            words = shlex.split(value) if isinstance(value, str) else value
        except ValueError:
            raise right from None
        if not isinstance(words, list) or not words or not words[0]:
            raise right
        if not all(isinstance(word, str) and "\0" not in word for word in words):
            raise right
        return cls(words)
