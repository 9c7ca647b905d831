"""The options of a run, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from sync.config import Account, Config
from sync.config.resources import ResourceSetting
from sync.config.sections import Removals, Retention
from sync.forges.forge import AFFILIATIONS, Visibility
from sync.load.loading import Choice
from sync.resources import OF_REPOSITORIES

_REMOVALS = Removals()
_RETENTION = Retention()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of a run of `account`.

    `trigger`: who started it, "backfill" or "schedule". `full`: ignore remembered pages and
    download everything. `wait`: wait for another run of the account. `accept_removals`:
    remove missing repositories, however many. `configured`: accounts of the host whose listings
    keep a repository from being removed; None for all. `retention`: how long rows other than
    history are kept. `resources`: loaded for each listed repository. `lists`: whether the
    listing is loaded before. `repositories`: the names of those whose resources are loaded;
    none for all. `eager`: also load what is nearly due. `enough`: whether loading resources
    ends here, with the rest left for a later run. `quiet`: leave the run out of the ledger if it
    changed nothing.
    """

    account: str
    trigger: str
    visibility: Visibility = "public"
    affiliation: tuple[str, ...] = AFFILIATIONS
    full: bool = False
    wait: bool = False
    accept_removals: bool = False
    configured: Collection[str] | None = None
    removals: Removals = _REMOVALS
    retention: Retention = _RETENTION
    resources: tuple[Choice, ...] = ()
    lists: bool = True
    repositories: tuple[str, ...] = ()
    eager: bool = False
    quiet: bool = False
    enough: Callable[[], bool] = lambda: False

    @classmethod
    def of(
        cls,
        account: Account,
        config: Config,
        trigger: str,
        *,
        chosen: Collection[str] | None = None,
        **asked: Any,
    ) -> Self:
        """Return the options of `account` in `config`, with the flags in `asked`.

        `chosen`: the names of the resources to load, as if the configuration had them by name;
        None for all that it has. `asked`: fields such as `full`, `wait`, `lists`.
        """
        return cls(
            account=account.name,
            trigger=trigger,
            visibility=account.visibility,
            affiliation=account.affiliation,
            configured=config.accounts_at(config.forge_of(account).host),
            removals=config.removals,
            retention=config.retention,
            resources=_choices(config.resources_of(account), chosen),
            **{"eager": trigger == "backfill", **asked},
        )

    @property
    def listing(self) -> dict[str, Any]:
        """Arguments for `Forge.repository_pages`."""
        return {"visibility": self.visibility, "affiliation": self.affiliation}


def _choices(
    settings: Mapping[str, ResourceSetting], chosen: Collection[str] | None
) -> tuple[Choice, ...]:
    """Return the resources that are switched on, of those that are chosen."""
    known = ((each, settings[each.name]) for each in OF_REPOSITORIES)
    return tuple(
        Choice(
            resource=resource,
            by_name=setting.by_name or chosen is not None,
            covers=setting.covers,
            every=timedelta(seconds=setting.every) if setting.every else None,
        )
        for resource, setting in known
        if setting.on and (chosen is None or resource.name in chosen)
    )
