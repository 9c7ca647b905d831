"""The checks of resources: what the token may read, and what the ledger has of it."""

from __future__ import annotations

from collections.abc import Iterator

from sync.config import Config
from sync.config.resources import ResourceSetting
from sync.core.errors import RateLimited, RestError
from sync.core.redaction import printable
from sync.database.queries import Ledger
from sync.doctor.account import Visit
from sync.doctor.check_list import Finding, ok, warn
from sync.forges.records import Item
from sync.load.fetched import status_of
from sync.resources import BY_NAME, OF_REPOSITORIES
from sync.resources.figures import Figures
from sync.resources.permission import allowing
from sync.resources.resource import Resource

_PUBLIC_HOST = "github.com"  # another one is an Enterprise Server


def check_resources(visit: Visit) -> Iterator[Finding]:
    """Request each resource that is on once, of one repository of the first page."""
    on = [each for each in OF_REPOSITORIES if _setting(visit, each).on]
    if not on or visit.listed is None:
        return
    if not visit.listed:
        yield ok("resources are not tested: the list has no repository yet")
        return
    for resource in on:
        found = _repository_for(resource, visit)
        if found is None:
            yield warn(_without_repository(resource, _setting(visit, resource)))
        else:
            yield _tried(resource, found, visit)


def _setting(visit: Visit, resource: Resource | Figures) -> ResourceSetting:
    return visit.resources.get(resource.name) or ResourceSetting(on=False, by_name=False)


def _repository_for(resource: Resource | Figures, visit: Visit) -> Item | None:
    """Return a repository to try a resource with: one that the account may push to, if any."""
    covers = _setting(visit, resource).covers
    items = [each for each in visit.listed or () if covers(each.record.full_name)]
    pushed = [each for each in items if each.push]
    return next(iter(pushed if pushed or resource.due.needs_push else items), None)


def _without_repository(resource: Resource | Figures, setting: ResourceSetting) -> str:
    which = "that the configuration names" if setting.repositories else "to try it with"
    if resource.due.needs_push:
        which = "that the account may push to, and GitHub shows it to nobody else"
    return f"{resource.name}: the first page of the list has no repository {which}"


def _tried(resource: Resource | Figures, item: Item, visit: Visit) -> Finding:
    """Request a resource of a repository, and say whether the token may read it."""
    name, where = resource.name, printable(item.record.full_name)
    try:
        visit.client.probe(resource, item.record.id)
    except RateLimited:
        return warn(f"{name}: not tested: no requests are left")
    except RestError as error:
        status = status_of(error)
        if status == "refused":
            return warn(f"{name}: refused; {allowing(error.message, resource.needs)}")
        if status == "missing" and visit.client.host != _PUBLIC_HOST:
            finding = warn if _setting(visit, resource).by_name else ok
            return finding(f"{name}: not on this server")
        if status in ("computing", "empty"):
            return ok(f"{name}: may be read (tried with {where})")
        return warn(f"{name}: not read of {where}: {error}")
    return ok(f"{name}: may be read (tried with {where})")


def check_stored(config: Config) -> Iterator[Finding]:
    """Report when each resource that is on was last read, and how many rows it has."""
    settings = {each.name: config.resources_of(each) for each in config.accounts}
    on = {name for theirs in settings.values() for name, each in theirs.items() if each.on}
    if not on & BY_NAME.keys():
        return
    with Ledger(config.database.url) as ledger:
        states, rows = ledger.resources(settings), ledger.resource_rows()
    for name in BY_NAME:
        if name in on:
            read = [each.newest for each in states if each.resource == name and each.newest]
            yield ok(f"{name}: {_last_read(max(read, default=None), rows[name])}")


def _last_read(newest: object, rows: int) -> str:
    held = "no rows" if not rows else "1 row" if rows == 1 else f"{rows:,} rows"
    if newest is None:  # a refusal takes the place of the reading before it
        return f"the last answers are no readings, {held}" if rows else f"never read, {held}"
    return f"last read {newest:%Y-%m-%d %H:%M} UTC, {held}"
