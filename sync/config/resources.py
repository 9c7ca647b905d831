"""The resources of repositories in a configuration: which are loaded, of what, how often.

No I/O here. A resource is "auto" (loaded wherever the token may), true (asked for by name),
false, or a table, which counts as true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sync.config.structs import Reader
from sync.config.values import RepositoryPattern, Rhythm

# Whether the resources that are on by default are loaded without a line in the configuration.
# Whoever changes it changes `default` in config.toml too.
_ON_WITHOUT_A_LINE = True

# The names of all resources, and whether each is on by default.
RESOURCES: tuple[tuple[str, bool], ...] = (
    ("traffic", True),
    ("traffic_popular", True),
    ("stars", True),
    ("downloads", True),
    ("languages", True),
    ("watchers", False),
    ("forks", False),
)

_FORGOTTEN = ("traffic", "traffic_popular")  # what GitHub keeps for 14 days
_DAY = 86400.0  # seconds
_LONGEST = 13 * _DAY  # a longer rhythm loses days in any case
_SAFE = 7 * _DAY  # a longer one loses days as soon as one reading fails


class ResourceTable(Struct, frozen=True, kw_only=True):
    """A resource asked for by name, of some repositories or in a rhythm of its own (seconds)."""

    repositories: Annotated[
        tuple[RepositoryPattern, ...],
        Meta(
            min_length=1,
            description='a list of patterns such as ["octo/*"]; leave it out for all repositories',
        ),
    ] = ()
    every: Rhythm | None = None


Default = Annotated[bool | Literal["auto"], Meta(description='"auto", true or false')]
Switch = Annotated[
    bool | Literal["auto"] | ResourceTable,
    Meta(description='"auto", true, false or a table such as { every = "1d" }'),
]


class AccountResources(Struct, frozen=True, kw_only=True):
    """The resources of an account: each key that is given overrides the one in `[resources]`."""

    default: Default | None = None
    traffic: Switch | None = None
    traffic_popular: Switch | None = None
    stars: Switch | None = None
    downloads: Switch | None = None
    languages: Switch | None = None
    watchers: Switch | None = None
    forks: Switch | None = None


class Resources(AccountResources, frozen=True, kw_only=True):
    """The resources of all accounts, by their names.

    `default` is the value of those that are on by default and have none of their own.
    """

    default: Default = "auto" if _ON_WITHOUT_A_LINE else False


class ResourceSetting(Struct, frozen=True):
    """The configuration of a resource for an account.

    `by_name`: it was asked for, so that a refusal is a failure. `repositories`: patterns of those
    that it is loaded for; none for all. `every`: the time between two readings in seconds, if
    one is given.
    """

    on: bool
    by_name: bool
    repositories: tuple[str, ...] = ()
    every: float | None = None

    def covers(self, full_name: str) -> bool:
        """Tell whether the resource is loaded for the repository OWNER/NAME."""
        return not self.repositories or bool(_matcher(self.repositories).match(full_name))


@lru_cache(maxsize=128)
def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)), re.IGNORECASE | re.ASCII)


def settings_of(own: AccountResources, shared: Resources) -> dict[str, ResourceSetting]:
    """Return the setting of each resource for an account with the keys `own`."""
    default = shared.default if own.default is None else own.default
    found = {}
    for name, on_by_default in RESOURCES:
        given = (getattr(each, name) for each in (own, shared))
        value = next((value for value in given if value is not None), None)
        if value is None:
            value = on_by_default and default
        found[name] = _setting(value)
    return found


def _setting(value: bool | str | ResourceTable) -> ResourceSetting:
    if isinstance(value, ResourceTable):
        return ResourceSetting(True, True, value.repositories, value.every)
    return ResourceSetting(on=bool(value), by_name=value is True)


def complain_of_loss(reader: Reader, where: str, given: AccountResources, table: Any) -> None:
    """Complain of rhythms at which days of traffic are lost in any case."""
    for name, every in _rhythms(given):
        if every > _LONGEST:
            problem = "traffic is gone after 14 days: give at most 13d"
            reader.complain(f"{where}.{name}.every", problem, table[name]["every"])


def risky_rhythms(places: Mapping[str, AccountResources]) -> Iterator[str]:
    """Yield the keys of rhythms at which days of traffic are lost if a reading fails.

    `places` are tables of resources by their keys.
    """
    for where, given in places.items():
        for name, every in _rhythms(given):
            if every > _SAFE:
                yield f"{where}.{name}.every"


def _rhythms(given: AccountResources) -> Iterator[tuple[str, float]]:
    """Yield the resources that GitHub forgets and the rhythm that is given for each."""
    for name in _FORGOTTEN:
        value = getattr(given, name)
        if isinstance(value, ResourceTable) and value.every is not None:
            yield name, value.every
