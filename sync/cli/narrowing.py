"""The options of backfill that narrow it to some resources or repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sync.cli import completion, output
from sync.core.errors import NoSuchRepository

if TYPE_CHECKING:
    from sync.config import Account, Config

_NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """The part of a backfill that its options leave.

    `lists`: whether the listing is loaded. `resources`: names of the resources; None for all
    that are switched on. `repositories`: names, as typed; none for all.
    """

    lists: bool = True
    resources: tuple[str, ...] | None = None
    repositories: tuple[str, ...] = ()


def narrowing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --only, --resources and --repository."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--only",
        shell_complete=completion.resources,
        metavar="NAME[,NAME]",
        multiple=True,
        help="Read these resources, such as traffic, where they are due; skip the listing. "
        "May be repeated.",
    ),
    click.option(
        "--resources",
        shell_complete=completion.resources,
        metavar="none|NAME[,NAME]",
        multiple=True,
        help="After the listing, read these resources alone, or none.",
    ),
    click.option(
        "--repository",
        shell_complete=completion.repositories,
        metavar="OWNER/NAME",
        multiple=True,
        help="Read the resources of this repository now, due or not; skip the listing. "
        "May be repeated.",
    ),
)


def narrowed(
    only: Sequence[str], resources: Sequence[str], repository: Sequence[str], flags: Iterable[str]
) -> Narrowing:
    """Return what these options leave. `flags`: the other options that are given.

    Raises UsageError for unknown names, and for options that contradict each other.
    """
    if resources:
        for other, given in (("--only", only), ("--repository", repository)):
            if given:
                raise click.UsageError(
                    f"--resources goes with the listing, {other} skips it: give one of the two"
                )
    unlisted = "--only" if only else "--repository" if repository else None
    for flag in flags:
        if unlisted is not None and flag in _OF_LISTING:
            raise click.UsageError(f"{unlisted} skips the listing, which {flag} is about")
    if "--dry-run" in flags and resources and _names(resources, "--resources") != ():
        raise click.UsageError(
            "--dry-run is about the listing alone: write --resources none, or no names"
        )
    return Narrowing(
        lists=unlisted is None,
        resources=_names(only, "--only") if only else _names(resources, "--resources"),
        repositories=tuple(dict.fromkeys(repository)),
    )


_OF_LISTING = ("--dry-run", "--accept-removals")


def _names(given: Sequence[str], option: str) -> tuple[str, ...] | None:
    """Return the names of resources in the values of an option; None without a value."""
    if not given:
        return None
    from sync.config.structs import suggestion
    from sync.resources import BY_NAME

    names = [name.strip().lower() for value in given for name in value.split(",")]
    if option == "--resources" and _NONE in names:
        if set(names) != {_NONE}:
            raise click.BadParameter("none goes with no other name", param_hint=option)
        return ()
    for name in names:
        if name not in BY_NAME:
            known = [*BY_NAME, _NONE] if option == "--resources" else list(BY_NAME)
            raise click.BadParameter(
                f"there is no resource {name!r}{suggestion(name, known)}", param_hint=option
            )
    return tuple(dict.fromkeys(names))


def require_on(config: Config, accounts: Sequence[Account], narrowing: Narrowing) -> list[str]:
    """Return a note for each account for which a chosen resource is off.

    Raises UsageError if it is off for all, or if no resource is on that could be read.
    """
    notes: list[str] = []
    settings = {each.name: config.resources_of(each) for each in accounts}
    for name in narrowing.resources or ():
        off = [account for account, theirs in settings.items() if not theirs[name].on]
        if len(off) == len(settings):
            raise click.UsageError(f"{name} is off{_for(off)}: {_switch(name)}")
        notes += [f"{account}: {name} is off: {_switch(name)}" for account in off]
    if not narrowing.lists and narrowing.resources is None:
        on = [account for account, theirs in settings.items() if any(s.on for s in theirs.values())]
        if not on:
            raise click.UsageError(
                f"every resource is off{_for(list(settings))}: [resources] in the configuration "
                "switches them on"
            )
    return notes


def _switch(name: str) -> str:
    return f"write {name} = true under [resources] in the configuration"


def _for(accounts: Sequence[str]) -> str:
    return f" for account {accounts[0]}" if len(accounts) == 1 else ""


def wanted_by(
    accounts: Mapping[str, bool], narrowing: Narrowing, listing: Callable[[str], Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the repositories to read for each account that lists one of them.

    `accounts`: whether each has been listed yet; an account that has not may have any. `listing`
    returns the accounts that list a repository. Raises NoSuchRepository, AmbiguousName.
    """
    wanted: dict[str, list[str]] = {name: [] for name in accounts}
    unlisted = [name for name, listed in accounts.items() if not listed]
    for repository in narrowing.repositories:
        try:
            theirs = [name for name in listing(repository) if name in accounts]
        except NoSuchRepository:
            if not unlisted:
                raise
            theirs = []
        if not theirs and not unlisted:
            which = (
                f"account {next(iter(accounts))} does" if len(accounts) == 1 else "no account does"
            )
            raise NoSuchRepository(f"{repository}: {which} not list it")
        for name in {*theirs, *unlisted}:
            wanted[name].append(repository)
    return {name: tuple(some) for name, some in wanted.items() if some}


def tell(notes: Iterable[str]) -> None:
    """Print notes to stderr."""
    for note in notes:
        output.print_warning(note)
