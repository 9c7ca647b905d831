"""The URL of the ledger's database, and its checks."""

from __future__ import annotations

import re
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit, urlunsplit

from sync.config.files import at_home
from sync.config.structs import suggestion
from sync.core.redaction import protect

_PASSWORDS = {"password", "passwd", "sslpassword", "ssl_key_password"}
_DATABASES = {
    "sqlite": "sqlite",
    **dict.fromkeys(("postgresql", "postgres", "postgresql+psycopg"), "postgresql"),
    **dict.fromkeys(("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"), "mysql"),
}
# Options of a connection to MySQL; libpq, for PostgreSQL, checks its many options itself.
_MYSQL_SWITCHES = ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
_MYSQL_OPTIONS = (
    *("unix_socket", "connect_timeout", *_MYSQL_SWITCHES),
    *("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password"),
)
# Parameters of the PostgreSQL driver that are not options of libpq.
_NOT_LIBPQ = {
    **dict.fromkeys(("user", "dbname", "conninfo"), "put user and database before the ?"),
    **dict.fromkeys(
        ("autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory"),
        "libpq does not have it",
    ),
}
_PORT = "0*[1-9][0-9]{0,4}"
_PLACE = re.compile(rf"(\[[^\[\]]+\]|[^\[\]:\s]*)(:{_PORT})?")
# The options of libpq and of MySQL that name a file or a folder.
_PATHS = (
    *("sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "passfile", "host"),
    *("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "unix_socket"),
)
_AT_HOME = re.compile(rf"((?:^|&)(?:{'|'.join(_PATHS)})=)(~[^&]*)")
_SERVER = 'must name the server as "HOST" or "HOST:PORT"'


class DatabaseUrl(str):
    """The ledger's place: a SQLite file, or a database on a PostgreSQL or MySQL server."""

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
            raise ValueError(f"{right}: a file has no options, and no ? or # in its name")
        if path == rest or not path or ":memory:" in path:
            raise ValueError(f"{right}: a file, since memory is lost after the run")
        return cls(f"sqlite:///{path}")

    @property
    def is_file(self) -> bool:
        """Whether it is a SQLite file."""
        return self.startswith("sqlite:")

    @property
    def holds_password(self) -> bool:
        """Whether it contains a password."""
        return urlsplit(self).password is not None

    def at_home(self) -> Self:
        """Return the URL with `~` at the beginning of its paths expanded; see `at_home`."""
        if self.is_file:
            return type(self)(f"sqlite:///{at_home(self.removeprefix('sqlite:///'))}")
        place, mark, options = self.partition("?")
        return type(self)(f"{place}{mark}{_AT_HOME.sub(_expanded, options)}")

    def with_password(self, password: str) -> Self:
        """Return the URL with `password` in it."""
        parts = urlsplit(self)
        user, _, host = parts.netloc.rpartition("@")
        user = user.partition(":")[0]
        protect(password)
        return type(self)(
            urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))
        )


def _expanded(found: re.Match[str]) -> str:
    return found[1] + quote(at_home(unquote_plus(found[2])))


def _server_url(kind: str, rest: str, right: str) -> str:
    encode = (
        f"{right}; percent-encode special characters in a name or password (@ is %40, / is %2F), "
        "or put the password into password_file or password_env"
    )
    try:
        parts = urlsplit(f"{kind}://{rest}")
        _ = parts.port
    except ValueError:  # versions of Python differ in the brackets that they refuse
        raise ValueError(_SERVER if "[" in rest.rpartition("@")[2] else encode) from None
    if parts.fragment or "#" in rest or parts.netloc.count("@") > 1:
        raise ValueError(encode)
    if "@" not in parts.netloc and "@" in parts.path + ("" if parts.path else parts.query):
        raise ValueError(encode)
    if parts.password:
        protect(unquote(parts.password), parts.password)
    if not parts.path.strip("/"):
        raise ValueError(f"{right}: the name of the database is missing")
    if not _PLACE.fullmatch(parts.netloc.rpartition("@")[2]):
        raise ValueError(_SERVER)
    options = parse_qsl(parts.query, keep_blank_values=True)
    if any("@" in name for name, _ in options):  # the text before an @ may be part of a password
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
                f"must not have the option {name}; put the password before the @, or into "
                "password_file or password_env"
            )
        if kind != "mysql":
            if name in _NOT_LIBPQ:
                raise ValueError(f"must not have the option {name}; {_NOT_LIBPQ[name]}")
            continue
        if name not in _MYSQL_OPTIONS:
            raise ValueError(f"has the unknown option {name}{suggestion(name, _MYSQL_OPTIONS)}")
        if name in _MYSQL_SWITCHES and value not in ("true", "false"):
            raise ValueError(f"must have true or false for {name}")
        if name == "connect_timeout" and not re.fullmatch("[1-9][0-9]{0,4}", value):
            raise ValueError("must have connect_timeout in seconds")


def _check_places(hosts: list[str], ports: list[str]) -> None:
    """Check libpq's hosts and ports; there may be several."""
    numbers = [number for value in ports for number in value.split(",")]
    if not all(re.fullmatch(_PORT, n) and int(n) <= 65535 for n in numbers):
        raise ValueError("must have ports from 1 to 65535")
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
