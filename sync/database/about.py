"""All that a ledger knows of one repository, for a page about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from sync.database.figures_by_day import figures_of
from sync.database.filters import REPOSITORY_COLUMNS
from sync.database.names import Key
from sync.database.tables import (
    CHILDREN,
    ROWS,
    account_repositories,
    repositories,
    repository_changes,
    repository_metrics,
    resource_states,
)
from sync.resources.downloads import DOWNLOADS, RELEASE_ASSETS
from sync.resources.traffic import TRAFFIC_WINDOWS
from sync.resources.traffic_popular import TRAFFIC_PATHS, TRAFFIC_REFERRERS

if TYPE_CHECKING:
    from sync.database.queries import Ledger

Row = Mapping[str, Any]
DAYS = 30  # of counters
TRAFFIC_DAYS = 14
_POPULAR = {"referrers": TRAFFIC_REFERRERS, "paths": TRAFFIC_PATHS}
_RELEASES = 3
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a repository.

    `row`: REPOSITORY_COLUMNS. `former`: earlier names, the newest first, each with `until`.
    `days`: the counters of the last 30 days and of the day before, as far as they are known.
    `watchers`: the `subscribers_count` of days on which it was told. `traffic`: the newest reading
    of `views` and `clones`; `traffic_days`: the days of it. `states`: of each resource, as the
    accounts read it.
    """

    row: Row
    accounts: Sequence[str]
    former: Sequence[Row]
    days: Sequence[Row]
    watchers: Sequence[Row]
    traffic: Mapping[str, Row]
    traffic_days: Sequence[Row]
    popular: Mapping[str, Sequence[Row]]
    releases: Sequence[Row]
    downloads: int | None
    states: Mapping[str, Sequence[Row]]


def about(ledger: Ledger, repository: str, today: date) -> About:
    """Return what is known of the repository that is called this. Raises what `scope` does."""
    host, id_ = key = next(iter(ledger.scope(repositories=[repository]).keys))
    table = repositories.c
    shown = select(*(table[name] for name in REPOSITORY_COLUMNS))
    (row,) = ledger.rows(shown.where(table.host == host, table.id == id_))
    end = min(today, row["removed_at"].date()) if row["removed_at"] else today
    name = f"{host}/{row['full_name']}"
    releases = list(ledger.rows(_releases(key)))
    states: dict[str, list[Row]] = {}
    for state in ledger.rows(_states(key)):
        states.setdefault(state["resource"], []).append(state)
    windows = {each["kind"]: each for each in ledger.rows(_windows(key, end))}
    return About(
        row=row,
        accounts=[each["account"] for each in ledger.rows(_accounts(key))],
        former=list(ledger.rows(_former(key))),
        days=list(ledger.history(name, since=end - DAYS * _DAY, until=end)),
        watchers=list(ledger.rows(_watchers(key))),
        traffic={kind: windows[kind] for kind in ("views", "clones") if kind in windows},
        traffic_days=list(
            ledger.rows(figures_of("traffic_daily", key, end - TRAFFIC_DAYS * _DAY, end))
        ),
        popular={
            kind: list(ledger.rows(_set(key, kind, windows[kind]["newest_day"])))
            for kind in _POPULAR
            if kind in windows and windows[kind]["newest_day"]
        },
        releases=releases,
        downloads=next(iter(ledger.rows(_downloads(key))))["downloads"],
        states=states,
    )


def _of(table: Any, key: Key) -> tuple[Any, Any]:
    return table.c.host == key[0], table.c.repository_id == key[1]


def _accounts(key: Key) -> Select[Any]:
    member = account_repositories.c
    listed = select(member.account).where(*_of(account_repositories, key))
    return listed.where(member.gone_at.is_(None)).order_by(member.account)


def _former(key: Key) -> Select[Any]:
    log = repository_changes.c
    named = select(log.old_value.label("full_name"), log.observed_at.label("until"))
    return (
        named.where(*_of(repository_changes, key), log.field == "full_name")
        .where(log.old_value.is_not(None))
        .order_by(log.observed_at.desc(), log.id.desc())
    )


def _watchers(key: Key) -> Select[Any]:
    days = repository_metrics.c
    told = select(days.day, days.subscribers_count).where(*_of(repository_metrics, key))
    return told.where(days.subscribers_count.is_not(None)).order_by(days.day)


def _windows(key: Key, end: date) -> Select[Any]:
    """Return a query for the readings of the 14 days before `end`, the newest last."""
    window = ROWS[TRAFFIC_WINDOWS]
    mine = select(*window.c).where(*_of(window, key))
    lately = mine.where(window.c.read_on.between(end - TRAFFIC_DAYS * _DAY, end))
    return lately.order_by(window.c.read_on)


def _set(key: Key, kind: str, day: date) -> Select[Any]:
    table = ROWS[_POPULAR[kind]]
    mine = select(*table.c).where(*_of(table, key), table.c.read_on == day)
    return mine.order_by(table.c.position)


def _releases(key: Key) -> Select[Any]:
    release, assets = CHILDREN[DOWNLOADS.name], CHILDREN[RELEASE_ASSETS.name].c
    downloads = (
        select(func.coalesce(func.sum(assets.download_count), 0))
        .where(assets.host == release.c.host, assets.release_id == release.c.id)
        .scalar_subquery()
    )
    told = ("tag_name", "name", "prerelease", "published_at", "html_url")
    mine = select(*(release.c[name] for name in told), downloads.label("downloads"))
    return (
        mine.where(*_of(release, key), release.c.removed_at.is_(None), release.c.draft.is_(False))
        .order_by(release.c.published_at.desc(), release.c.id.desc())
        .limit(_RELEASES)
    )


def _downloads(key: Key) -> Select[Any]:
    """Return a query for the downloads of all assets that there are or were."""
    assets = CHILDREN[RELEASE_ASSETS.name]
    total: Any = func.sum(assets.c.download_count).label("downloads")
    return select(total).where(*_of(assets, key))


def _states(key: Key) -> Select[Any]:
    state = resource_states.c
    shown = (state.account, state.resource, state.status, state.checked_at, state.detail)
    return select(*shown).where(*_of(resource_states, key)).order_by(state.account)
