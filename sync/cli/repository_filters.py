"""Options that say which repositories a command is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sync.cli import completion
from sync.cli.hosts import host_option
from sync.cli.times import moment_of

if TYPE_CHECKING:
    from sync.cli.settings import Settings
    from sync.database.queries import Ledger

T = TypeVar("T")
_NONE = "none"

_OPTIONS = (
    click.option(
        "--account",
        metavar="NAME",
        shell_complete=completion.accounts,
        help="Only repositories that this account lists.",
    ),
    host_option,
    click.option(
        "--owner",
        metavar="LOGIN",
        shell_complete=completion.owners,
        help="Only repositories of this owner.",
    ),
    click.option(
        "--language",
        shell_complete=completion.languages,
        help="Only repositories in this language.",
    ),
    click.option(
        "--topic", shell_complete=completion.topics, help="Only repositories with this topic."
    ),
    click.option(
        "--license",
        "license_",
        metavar="SPDX_ID",
        shell_complete=completion.licences,
        help=f"Only repositories with this licence, such as MIT; {_NONE}: without one.",
    ),
    click.option(
        "--visibility",
        shell_complete=completion.values_of("visibility"),
        help="Only public, private or internal repositories.",
    ),
    click.option(
        "--stars",
        metavar="RANGE",
        help="Only repositories with so many stars: 100, 100.. (at least), ..5, or 10..99.",
    ),
    click.option(
        "--pushed-before", metavar="WHEN", help="Only repositories without a push since, as 2y."
    ),
    click.option("--pushed-after", metavar="WHEN", help="Only repositories with a push since."),
    click.option("--name", help="Only repositories whose full name contains this text."),
    click.option(
        "--search",
        metavar="TEXT",
        help="Only repositories with all these words, or words that begin so, in name, "
        "description or topics.",
    ),
    click.option(
        "--archived/--not-archived",
        default=None,
        help="Only archived repositories, or none of them.",
    ),
    click.option("--fork/--not-fork", default=None, help="Only forks, or none of them."),
    click.option("--template/--not-template", default=None, help="Only templates, or none."),
    click.option("--removed", is_flag=True, help="Show removed repositories instead."),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which repositories were asked for: options of `Ledger.repos`."""

    options: dict[str, Any]

    @property
    def removed(self) -> bool:
        return bool(self.options["removed"])

    @property
    def host(self) -> str | None:
        host: str | None = self.options["host"]
        return host

    @property
    def words(self) -> bool:
        """Whether words are searched for."""
        return bool(self.options["words"])

    @property
    def is_filter(self) -> bool:
        """Whether anything but a host was asked for."""
        return any(
            value not in (None, False, (), (None, None))
            for name, value in self.options.items()
            if name != "host"
        )

    def require_account(self, settings: Settings, ledger: Ledger) -> None:
        """Raise ConfigError for an account that is neither synced nor configured."""
        require_account(settings, ledger, self.options["account"])

    def unknown_word(self, ledger: Ledger) -> str | None:
        """Return that a word which was asked for occurs nowhere, with the nearest that does."""
        return unknown_word(ledger, **{name: self.options[name] for name in _WORDS})


# The column of each word that may be mistyped, and that no repository has it.
_WORDS = {
    "owner": ("owner_login", "no repository belongs to {}"),
    "language": ("language", "no repository is in {}"),
    "topic": ("topics", "no repository has the topic {}"),
    "license": ("license_spdx_id", "no repository has the licence {}"),
    "visibility": ("visibility", "no repository is {}"),
}


def require_account(settings: Settings, ledger: Ledger, account: str | None) -> None:
    """Raise ConfigError for an account that is neither synced nor configured."""
    if account is not None and all(
        row["account"] != account for row in ledger.status(counted=False)
    ):
        settings.load().account(account)


def unknown_word(ledger: Ledger, **words: str | None) -> str | None:
    """Return that one of these words occurs nowhere, with the nearest that does."""
    for name, word in words.items():
        if not word:
            continue
        column, told = _WORDS[name]
        known = {each.lower(): each for each in ledger.values(column)}
        if word.lower() not in known:
            near = get_close_matches(word.lower(), known, n=1)
            advice = f"; did you mean {known[near[0]]}?" if near else ""
            return f"{told.format(word)}{advice}"
    return None


def filter_options(command: Callable[..., T]) -> Callable[..., T]:
    """Add the options to a command, which gets what they say as its argument `wanted`."""

    @wraps(command)
    def with_wanted(
        *arguments: Any,
        license_: str | None,
        stars: str | None,
        search: str | None,
        pushed_before: str | None,
        pushed_after: str | None,
        **options: Any,
    ) -> T:
        from sync.database.text_search import words_of

        names = ("account", "host", "owner", "language", "topic", "visibility", "name")
        flags = ("archived", "fork", "template", "removed")
        wanted = {name: options.pop(name) for name in (*names, *flags)}
        without = license_ is not None and license_.lower() == _NONE
        wanted |= {
            "license": "" if without else license_,
            "stars": range_of(stars),
            "words": () if search is None else words_of(search),
            "pushed_before": moment_of(pushed_before, "--pushed-before"),
            "pushed_after": moment_of(pushed_after, "--pushed-after"),
        }
        return command(*arguments, wanted=Wanted(wanted), **options)

    for option in reversed(_OPTIONS):
        with_wanted = option(with_wanted)
    return with_wanted


def range_of(text: str | None) -> tuple[int | None, int | None]:
    """Parse a range of whole numbers, both ends included. Raises BadParameter."""
    if text is None:
        return None, None
    found = re.fullmatch(r"(\d{1,18})?(?:(\.\.)(\d{1,18})?)?", text.strip(), re.ASCII)
    if found is None or not (found[1] or found[3]):
        raise click.BadParameter(
            f"must be a number (100) or a range (100.., ..5, 10..99), not {text[:40]!r}",
            param_hint="--stars",
        )
    least = int(found[1]) if found[1] else None
    most = least if found[2] is None else int(found[3]) if found[3] else None
    if least is not None and most is not None and most < least:
        raise click.BadParameter(f"{text.strip()} ends before it begins", param_hint="--stars")
    return least, most
