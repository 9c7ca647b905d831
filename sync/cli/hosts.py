"""Hosts in commands: the option --host, and the column host where a ledger has several."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import click

from sync.cli import completion

host_option = click.option(
    "--host",
    metavar="HOST",
    shell_complete=completion.hosts,
    help="Only this host, if the ledger has several.",
)


def repository_at(host: str | None, repository: str) -> str:
    """Return the name of a repository, with the host of --host if given."""
    if host is None:
        return repository
    from sync.database.names import require_host, spelling_of

    require_host(host)
    spelling = spelling_of(repository)
    if spelling.host is not None:
        raise click.BadParameter("the repository's name contains a host", param_hint="--host")
    return f"{host}/{'*/' if spelling.is_bare else ''}{spelling.full_name}"


def is_glob(name: str) -> bool:
    """Return whether a name is a pattern: GitHub's names have neither `*` nor `?`."""
    return "*" in name or "?" in name


def host_columns(hosts: Collection[str]) -> Sequence[str]:
    """Return the first columns of a table: the host, if rows may be of several hosts."""
    return ("host",) if len(hosts) > 1 else ()
