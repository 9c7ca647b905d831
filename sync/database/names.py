"""Finds repositories by name: OWNER/NAME, NAME, HOST/OWNER/NAME, or the URL of a page."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection, func, literal, select

from sync.config.structs import suggestion
from sync.core.errors import AmbiguousName, ConfigError, NoSuchHost, NoSuchRepository
from sync.core.origin import host_of, validate_base_url
from sync.core.redaction import scrub
from sync.database.dialects import Dialect
from sync.database.nearest_names import names_near
from sync.database.tables import accounts, repositories, repository_changes

Key = tuple[str, int]
_API_OF_TENANT = r"api\.[^/@]+\.ghe\.com"  # of GitHub Enterprise Cloud with data residency
# The URL may have a user and a password, as for cloning, and a path below the repository.
_ADDRESS = re.compile(
    r"https?://(?:[^/]*@)?"
    rf"(?:(?P<api>api\.github\.com|{_API_OF_TENANT})/repos|(?P<host>[^/@]+?)(?:/api/v3/repos)?)"
    r"/(?P<name>[^/?#]+/[^/?#]+?)(?:\.git)?(?:[/?#].*)?",
    re.IGNORECASE,
)
_OF_GIT = re.compile(
    r"(?:ssh://)?git@(?P<host>[^/:@]+)(?::\d+)?[:/](?P<name>[^/]+/[^/]+?)(?:\.git)?/?"
)
_BARE = re.compile(r"(?P<host>(?!))?(?P<name>[^/:@\s]+)")  # of any owner, as */NAME
_ANY_OWNER = "*/"
_SEVERAL_SHOWN = 10
_NAME = re.compile(r"(?:(?P<host>[^/@]+)/(?=[^/]+/[^/]))?(?P<name>[^/:@]+(?:/[^/]+)+)/?")


class Spelling(NamedTuple):
    """A repository's name as typed by a user; without a host, it may be on any host.

    `full_name` may lack the owner.
    """

    host: str | None
    full_name: str

    @property
    def is_bare(self) -> bool:
        return "/" not in self.full_name


def spelling_of(text: str) -> Spelling:
    """Split a repository's name as typed by a user. Raises NoSuchRepository for another form."""
    if address := _ADDRESS.fullmatch(text.strip()):
        return Spelling(address["api"] or address["host"], address["name"])
    for form in (_OF_GIT, _NAME, _BARE):
        if name := form.fullmatch(text.strip()):
            return Spelling(name["host"], name["name"].removeprefix(_ANY_OWNER))
    raise NoSuchRepository(
        f"{scrub(text)!r} is not the name of a repository; "
        "write OWNER/NAME, NAME, HOST/OWNER/NAME or https://HOST/OWNER/NAME"
    )


def hosts_of(connection: Connection) -> list[str]:
    """Return the hosts of the ledger's repositories, by one look-up in an index for each.

    A server would read all rows to tell the distinct ones.
    """
    host = repositories.c.host
    following, found = select(func.min(host)), list[str]()
    while (after := connection.execute(following).scalar()) is not None:
        found.append(after)
        following = select(func.min(host)).where(host > after)
    return found


def host_called(connection: Connection, text: str) -> str:
    """Return the host that `text` means, as typed by a user. Raises NoSuchHost."""
    of_accounts = connection.execute(select(accounts.c.host).distinct()).scalars()
    return host_among({*hosts_of(connection), *of_accounts}, text)


def host_among(hosts: Collection[str], text: str) -> str:
    """Return the host in `hosts` that `text` means, as typed by a user. Raises NoSuchHost."""
    require_host(text)
    known = sorted(hosts)
    for form in (str.strip, _normalized, _of_pages):
        for host in known:
            if form(host) == form(text):
                return host
    reason = suggestion(text, known) if known else "; it holds nothing yet"
    raise NoSuchHost(f"the ledger knows no host {text}{reason}")


def require_host(text: str) -> None:
    """Raise NoSuchHost unless `text` has the form of a host."""
    if "/" not in text:
        with suppress(ConfigError):
            validate_base_url(_base_url(text))
            return
    raise NoSuchHost(f"{scrub(text)!r} is not a host; write HOST or HOST:PORT, such as github.com")


def _base_url(host: str) -> str:
    return f"https://{host.strip()}"


def _normalized(host: str) -> str:
    """Return `host` in the form in which the ledger holds hosts."""
    return host_of(_base_url(host))


def _of_pages(host: str) -> str:
    """Return the host of the web pages for the host of an API."""
    host = _normalized(host)
    return host.removeprefix("api.") if re.fullmatch(_API_OF_TENANT, host) else host


def repositories_called(connection: Connection, dialect: Dialect, text: str) -> list[Key]:
    """Return the repositories of one host that are or were called `text`, present ones first.

    `text` may lack the owner if one repository is called so. Raises NoSuchRepository,
    NoSuchHost; AmbiguousName where several hosts or owners have one.
    """
    host, full_name, is_bare = None, text, False
    found = _called(connection, dialect, text)  # a forge may give a name of any form
    if not found:
        typed = spelling_of(text)
        full_name, is_bare = typed.full_name, typed.is_bare
        host = None if typed.host is None else host_called(connection, typed.host)
        find = _called_barely if is_bare else _called
        found = [row for row in find(connection, dialect, full_name) if host in (None, row[0][0])]
    if not found:
        raise _no_such(connection, dialect, full_name, host)
    if is_bare:
        found = _of_one_owner(full_name, found)
    spellings = {key[0]: f"{key[0]}/{name}" for key, name in reversed(found)}
    if len(spellings) > 1:
        raise AmbiguousName(
            f"{len(spellings)} hosts have a repository called {full_name}; say which: "
            f"{' or '.join(spellings[host] for host in sorted(spellings))}"
        )
    return list(dict.fromkeys(key for key, _ in found))


def _no_such(
    connection: Connection, dialect: Dialect, full_name: str, host: str | None
) -> NoSuchRepository:
    """Return the error about a name that nothing has, with the nearest names."""
    near = names_near(connection, dialect, full_name, host)
    advice = "`repoledger repos` lists what it holds"
    if near:
        *others, last = near
        advice = f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    at = f" at {host}" if host else ""
    return NoSuchRepository(f"the ledger holds no repository called {full_name}{at}; {advice}")


Found = list[tuple[Key, str]]


def _of_one_owner(name: str, found: Found) -> Found:
    """Return what is `found` of a name without an owner. Raises AmbiguousName."""
    names = list(dict.fromkeys(full_name for _, full_name in found))
    if len({each.lower() for each in names}) > 1:
        shown, more = names[:_SEVERAL_SHOWN], len(names) - _SEVERAL_SHOWN
        rest = f" and {more} more" if more > 0 else ""
        raise AmbiguousName(
            f"{len(names)} repositories are called {name}; say which: {', '.join(shown)}{rest}"
        )
    return found


def _called_barely(connection: Connection, dialect: Dialect, name: str) -> Found:
    """Return the repositories called this by any owner: those that are there, else the removed,
    else those that were called so."""
    table, log = repositories.c, repository_changes.c
    ending = f"/{name.lower()}"
    # First the names, which an index holds: rows are large.
    key = dialect.name_key(table.full_name)
    matching = select(key).select_from(repositories).where(key.endswith(ending, autoescape=True))
    names = {each.lower() for each in connection.execute(matching).scalars()}
    rows = [
        row
        for each in sorted(names)
        for row in connection.execute(
            select(table.host, table.id, table.full_name, table.removed_at).where(
                dialect.is_name(table.full_name, each)
            )
        )
    ]
    present = [row for row in rows if row.removed_at is None] or rows
    if not present:
        of_name = log.field == literal("full_name", literal_execute=True)
        former = dialect.name_key(log.old_value).endswith(ending, autoescape=True)
        present = list(
            connection.execute(
                select(log.host, log.repository_id, log.old_value).where(of_name, former)
            )
        )
    return [((row[0], row[1]), row[2]) for row in present]


def _called(connection: Connection, dialect: Dialect, full_name: str) -> Found:
    """Return the repositories of any host that are or were called this, with that name."""
    table, log = repositories.c, repository_changes.c
    now = (
        select(table.host, table.id, table.full_name)
        .where(dialect.is_name(table.full_name, full_name))
        .order_by(table.removed_at.is_not(None), table.changed_at.desc())
    )
    # A literal, not a parameter, so that the database can use the partial index.
    of_name = log.field == literal("full_name", literal_execute=True)
    before = select(log.host, log.repository_id, log.old_value).where(
        of_name, dialect.is_name(log.old_value, full_name)
    )
    rows = [*connection.execute(now), *connection.execute(before)]
    return [((row[0], row[1]), row[2]) for row in rows]
