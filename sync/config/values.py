"""The kinds of values that a configuration holds, each with its own check. No I/O here.

`parse` takes what TOML or the environment gave and raises ValueError with
what would be right.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from sync import origin
from sync.config.reading import suggestion
from sync.errors import ConfigError
from sync.redaction import protect

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WEEKDAYS = "sun|mon|tue|wed|thu|fri|sat"
_TELLING_PATH = 16  # characters: a shorter path holds no id that is worth masking
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


class PingUrl(str):
    """An address to be asked for, which is a secret: whoever knows it can vouch for us."""

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
    """Where to listen: `HOST:PORT`, or nothing to not listen at all."""

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
        """The host and the port; port 0 is any that is free."""
        parts = urlsplit(f"//{self}")
        return parts.hostname or "", parts.port or 0


class DatabaseUrl(str):
    """Where the ledger is: a SQLite file, or a database on a PostgreSQL or MySQL server."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        right = (
            'must be "sqlite:///FILE", such as "sqlite:///repoledger.db", '
            '"postgresql://HOST/DATABASE" or "mysql://HOST/DATABASE"'
        )
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError(right)
        scheme, _, rest = value.partition("://")
        kind = _DATABASES.get(scheme.lower())
        if kind is None:
            raise ValueError(right)
        if kind != "sqlite":
            return cls(_server_url(kind, rest, right))
        path = rest.removeprefix("/")
        if "?" in path or "#" in path:
            raise ValueError(f"{right}: a file takes no options, and its name no ? or #")
        if path == rest or not path or ":memory:" in path:
            raise ValueError(f"{right}: a file, so that it is still there after the run")
        return cls(f"sqlite:///{path}")

    @property
    def is_file(self) -> bool:
        """Whether it is a SQLite file."""
        return self.startswith("sqlite:")

    @property
    def holds_password(self) -> bool:
        """Whether a password stands in it."""
        return urlsplit(self).password is not None

    def with_password(self, password: str) -> Self:
        """Return the URL with `password` in it."""
        parts = urlsplit(self)
        user, _, host = parts.netloc.rpartition("@")
        user = user.partition(":")[0]
        protect(password)
        return type(self)(
            urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))
        )


_PASSWORDS = {"password", "passwd", "sslpassword", "ssl_key_password"}
_DATABASES = {
    "sqlite": "sqlite",
    **dict.fromkeys(("postgresql", "postgres", "postgresql+psycopg"), "postgresql"),
    **dict.fromkeys(("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"), "mysql"),
}


# What a connection to MySQL may be told; libpq, for PostgreSQL, checks its many options itself.
_MYSQL_SWITCHES = ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
_MYSQL_OPTIONS = (
    *("unix_socket", "connect_timeout", *_MYSQL_SWITCHES),
    *("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password"),
)
# What the driver for PostgreSQL takes for more than libpq's options.
_NOT_LIBPQ = {
    **dict.fromkeys(("user", "dbname", "conninfo"), "user and database stand before the ?"),
    **dict.fromkeys(
        ("autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory"),
        "it is none of libpq's",
    ),
}
_PORT = "0*[1-9][0-9]{0,4}"
_PLACE = re.compile(rf"(\[[^\[\]]+\]|[^\[\]:\s]*)(:{_PORT})?")


_SERVER = 'must name the server as "HOST" or "HOST:PORT"'


def _server_url(kind: str, rest: str, right: str) -> str:
    encode = (
        f"{right}; special characters in a name or password are percent-encoded (@ is %40, / is "
        "%2F), or the password stands in password_file or password_env"
    )
    try:
        parts = urlsplit(f"{kind}://{rest}")
        _ = parts.port
    except ValueError:  # what of brackets it refuses depends on the version of Python
        raise ValueError(_SERVER if "[" in rest.rpartition("@")[2] else encode) from None
    if parts.fragment or "#" in rest or parts.netloc.count("@") > 1:
        raise ValueError(encode)
    if "@" not in parts.netloc and "@" in parts.path + ("" if parts.path else parts.query):
        raise ValueError(encode)
    if parts.password:
        protect(unquote(parts.password), parts.password)
    if not parts.path.strip("/"):
        raise ValueError(f"{right}: with the name of the database")
    if not _PLACE.fullmatch(parts.netloc.rpartition("@")[2]):
        raise ValueError(_SERVER)
    options = parse_qsl(parts.query, keep_blank_values=True)
    if any("@" in name for name, _ in options):  # what stands before it may be of a password
        raise ValueError(encode)
    _check_options(kind, options)
    if kind == "postgresql":
        _check_places(
            [value for name, value in options if name == "host" and value],
            [value for name, value in options if name == "port" and value],
        )
    return f"{kind}://{rest}"


def _check_options(kind: str, options: list[tuple[str, str]]) -> None:
    for name, value in options:
        if name in ("sslpassword", "ssl_key_password"):
            protect(value)
        elif name in _PASSWORDS:
            raise ValueError(
                f"holds the option {name}; a password stands before the @, or in password_file "
                "or password_env"
            )
        if kind != "mysql":
            if name in _NOT_LIBPQ:
                raise ValueError(f"must not hold the option {name}; {_NOT_LIBPQ[name]}")
            continue
        if name not in _MYSQL_OPTIONS:
            raise ValueError(f"has the unknown option {name}{suggestion(name, _MYSQL_OPTIONS)}")
        if name in _MYSQL_SWITCHES and value not in ("true", "false"):
            raise ValueError(f"must say true or false for {name}")
        if name == "connect_timeout" and not re.fullmatch("[1-9][0-9]{0,4}", value):
            raise ValueError("must give connect_timeout in seconds")


def _check_places(hosts: list[str], ports: list[str]) -> None:
    """Check libpq's hosts and ports, of which there may be several."""
    numbers = [number for value in ports for number in value.split(",")]
    if not all(re.fullmatch(_PORT, n) and int(n) <= 65535 for n in numbers):
        raise ValueError("must give each port as a number from 1 to 65535")
    if ports:
        names = ",".join(hosts).split(",")
        good = len(hosts) <= 1 and len(ports) == 1 and len(numbers) == len(names)
        good = good and not any(re.fullmatch(r"[^/:]*:[^:]*", name) for name in names)
    elif len(hosts) == 1 and ("," in hosts[0] or hosts[0].count(":") != 1 or hosts[0][0] == "/"):
        good = not any(re.fullmatch(r"[^/:]*:[^:]*", name) for name in hosts[0].split(","))
    else:
        good = all(re.fullmatch(rf"[^:,]+(:{_PORT})?", host) for host in hosts)
    if not good:
        raise ValueError(
            "must name several hosts as ?host=a:5432&host=b:5432 or as ?host=a,b&port=5432,5432"
        )
