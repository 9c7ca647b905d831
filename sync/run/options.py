"""The options of a run, as plain values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from sync.config import Account, Config
from sync.config.sections import Removals, Retention
from sync.forges.forge import AFFILIATIONS, Visibility
from sync.resources import switched_on
from sync.resources.resource import Resource

_REMOVALS = Removals()
_RETENTION = Retention()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of a run of `account`.

    `trigger`: who started it, "backfill" or "schedule". `full`: ignore remembered pages and
    download everything. `wait`: wait for another run of the account. `accept_removals`:
    remove missing repositories, however many. `configured`: accounts of the host whose listings
    keep a repository from being removed; None for all. `retention`: how long rows other than
    history are kept. `resources`: loaded for each listed repository.
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
    resources: tuple[Resource, ...] = ()

    @classmethod
    def of(
        cls,
        account: Account,
        config: Config,
        trigger: str,
        *,
        children: bool = True,
        **asked: bool,
    ) -> Self:
        """Return the options of `account` in `config`, with the flags in `asked`.

        `asked`: `full`, `wait`, `accept_removals`. Without `children`, only the list of
        repositories is synced.
        """
        return cls(
            account=account.name,
            trigger=trigger,
            visibility=account.visibility,
            affiliation=account.affiliation,
            configured=config.accounts_at(config.forge_of(account).host),
            removals=config.removals,
            retention=config.retention,
            resources=switched_on(config.resources_of(account)) if children else (),
            **asked,
        )

    @property
    def listing(self) -> dict[str, Any]:
        """Arguments for `Forge.repository_pages`."""
        return {"visibility": self.visibility, "affiliation": self.affiliation}
