"""What completes words in a shell: repositories, owners and other words of the ledger.

Give one of these functions to an option or an argument as `shell_complete`. None of them fails
or prints: without a ledger, or where it does not answer soon, there is nothing to complete.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from sync.cli.commands import settings_of

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem
    from sqlalchemy import Connection

    from sync.database.dialects import Dialect

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
Ask = Callable[["Connection", "Dialect", str], Iterable[str]]

_PATIENCE = 2.0  # seconds: nobody waits longer for a word
# Values of `field` in the change log besides the fields of a repository.
_OF_THE_LOG = ("account", "created", "removal_reason", "removed_at")


def accounts(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete an account of the configuration."""
    return _silently(
        lambda: _items([each.name for each in settings_of(ctx).load().accounts], begun)
    )


def fields(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete a field of repositories, as in the log of changes."""
    from sync.resources.repositories import REPOSITORIES

    return _items(sorted([*REPOSITORIES.content, *_OF_THE_LOG]), begun)


def resources(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete a resource, or the last one of several with commas."""
    from sync.resources import BY_NAME

    before, comma, _last = begun.rpartition(",")
    return _items((f"{before}{comma}{name}" for name in BY_NAME), begun)


def words_of(words: Iterable[str]) -> Completer:
    """Return what completes the last of several words between commas."""

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        before, comma, last = begun.rpartition(",")
        return _items((f"{before}{comma}{word}" for word in words), f"{before}{comma}{last}")

    return complete


def of_ledger(ask: Ask) -> Completer:
    """Return what completes a word by asking the ledger."""

    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        def found() -> list[CompletionItem]:
            url = settings_of(ctx).load().database.url
            from sync.database.dialects import dialect_of
            from sync.database.queries import Ledger

            with Ledger(url) as ledger, ledger.connect() as connection:
                return _items(ask(connection, dialect_of(url), begun), begun)

        return _silently(found)

    return complete


def _repositories(connection: Connection, dialect: Dialect, begun: str) -> Iterable[str]:
    from sync.database import words

    return words.repositories_beginning(connection, dialect, begun)


def _owners(connection: Connection, dialect: Dialect, begun: str) -> Iterable[str]:
    from sync.database import words

    return words.owners_beginning(connection, dialect, begun)


def _hosts(connection: Connection, _: Dialect, __: str) -> Iterable[str]:
    from sync.database.names import hosts_of

    return hosts_of(connection)


def values_of(column: str) -> Completer:
    """Return what completes a value of a column of repositories, such as a language."""

    def ask(connection: Connection, _: Dialect, begun: str) -> Iterable[str]:
        from sync.database import words

        return words.values_beginning(connection, column, begun)

    return of_ledger(ask)


repositories = of_ledger(_repositories)
owners = of_ledger(_owners)
hosts = of_ledger(_hosts)
languages = values_of("language")
topics = values_of("topics")
licences = values_of("license_spdx_id")


def _items(words: Iterable[str], begun: str) -> list[CompletionItem]:
    """Return the words that begin like this in any case, and that a shell can take as one."""
    from click.shell_completion import CompletionItem

    low = begun.lower()
    wanted = (word for word in words if word.lower().startswith(low))
    return [CompletionItem(word) for word in wanted if word.isprintable()]


def _silently(find: Callable[[], list[CompletionItem]]) -> list[CompletionItem]:
    """Return what `find` does, nothing after an error; end the process where it takes too long."""
    before = signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    try:
        return find()
    except Exception:
        return []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
