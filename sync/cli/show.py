"""The command show: one page about a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from sync.cli import completion, output
from sync.cli.hosts import host_option, repository_at
from sync.cli.settings import Settings, open_ledger

if TYPE_CHECKING:
    from sync.config import Config
    from sync.database.about import About
    from sync.events.event import Event

_EVENTS = 8


@click.command
@click.argument(
    "repository",
    metavar="OWNER/NAME",
    shell_complete=completion.repositories,
    help="The repository: present or former name, NAME, HOST/OWNER/NAME or address.",
)
@host_option
@click.option("--json", is_flag=True, help="Print one JSON object.")
@click.option("--web", is_flag=True, help="Open the repository's page in a browser instead.")
@click.pass_obj
def show(settings: Settings, repository: str, host: str | None, json: bool, web: bool) -> None:
    """Show all that is known of a repository: facts, counters, traffic, releases, events.

    Unique visitors are of 14 days together, as GitHub counts them. Counters have the last 30 days
    as a row of bars.
    """
    from sync.database.about import about

    name = repository_at(host, repository)
    with open_ledger(settings) as ledger:
        known = about(ledger, name, datetime.now(UTC).date())
        if web:
            from sync.cli.web import open_page

            open_page(known.row["html_url"])
            return
        from sync.database.happened import Scope
        from sync.events.read import Wish, events_in

        scope = Scope(keys=[(known.row["host"], known.row["id"])])
        events = list(islice(events_in(ledger, Wish(scope=scope)), _EVENTS))
    why = _reasons(known, settings.load())
    if json:
        output.print_object(_object(known, events, why))
        return
    from sync.cli import screen
    from sync.cli.page import page_lines
    from sync.cli.past_shown import has_braille

    lines = page_lines(known, events, why, screen.screen(), plain=not has_braille())
    screen.show(lines)


def _reasons(known: About, config: Config) -> dict[str, str]:
    """Return of each resource why nothing is known of it."""
    from sync.resources import BY_NAME
    from sync.resources.permission import lacking

    settings = [config.resources_of(each) for each in config.accounts]
    reasons: dict[str, str] = {}
    for name, resource in BY_NAME.items():
        states = known.states.get(name, ())
        by_status = {state["status"]: state for state in states}
        if any(setting[name].on for setting in settings) or states:
            reasons[name] = _WORDS["unread"]
        else:
            reasons[name] = "off ([resources] in the configuration)"
        for status, words in _WORDS.items():
            if status in by_status:
                detail = by_status[status]["detail"]
                if status == "refused":
                    reasons[name] = f"refused: {lacking(detail, resource.needs)}"
                else:
                    reasons[name] = f"{words}: {detail}" if status == "failed" else words
    return reasons


# What the statuses of a resource mean to people; the last one that applies is told.
_WORDS = {
    "unread": "not read yet",
    "failed": "not read: GitHub's answers failed",
    "missing": "not there for the account that lists it",
    "unavailable": "GitHub is still computing it",
    "computing": "GitHub is still computing it",
    "off": "switched off at GitHub",
    "refused": "",
    "empty": "none",
    "complete": "none",
}


def _object(known: About, events: Sequence[Event], why: Mapping[str, str]) -> dict[str, Any]:
    from sync.events.words import sentence

    def plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {name: row[name] for name in row if name not in ("host", "repository_id")}
            for row in rows
        ]

    return {
        **known.row,
        "accounts": list(known.accounts),
        "former_names": plain(known.former),
        "days": plain(known.days),
        "subscribers": plain(known.watchers),
        "traffic": {kind: plain([window])[0] for kind, window in known.traffic.items()},
        "traffic_days": plain(known.traffic_days),
        **{name: plain(rows) for name, rows in known.popular.items()},
        "releases": plain(known.releases),
        "downloads": known.downloads,
        "events": [
            {"observed_at": each.observed_at, "kind": each.kind, "summary": sentence(each)}
            for each in events
        ],
        "unknown": {
            name: reason
            for name, reason in why.items()
            if not any(state["status"] == "complete" for state in known.states.get(name, ()))
        },
    }
