"""What a ledger holds after a run, as lines of text: what is asserted is what is shown.

1 octo/one public not_found me(gone) other     a repository: its number, name, visibility,
                                               why it is removed or "-", and who lists it
1 left account me -> -                         a logged change; times are T, a document is
                                               the name in it
me succeeded removed 1                         a run's outcome, with the counts that matter
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tests.support.database import Json, users_engine, values
from tests.support.inside.database import CONTENT, Kind, kind_of, metadata
from tests.support.inside.run import RunOutcome

FIRST = 500_000_000  # the sandbox counts from the next
_FILLER = re.compile(r"octo/fill-\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")

_LASTING = ("repositories", "account_repositories", "repository_changes", "repository_metrics")

Lines = tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """What was, or should be, in a ledger after a step, and what the step has logged."""

    title: str
    ran: Lines
    rows: Lines
    log: Lines = ()

    def __str__(self) -> str:
        parts = (("", self.ran), ("stored", _aligned(self.rows)), ("logged", self.log))
        if not (self.ran or self.rows or self.log):
            return f"  {self.title}: nothing is written"
        told = [f"  {self.title}"]
        for name, lines in parts:
            told += [
                f"    {name:<8}{line}" if i == 0 else f"            {line}"
                for i, line in enumerate(lines)
            ]
        return "\n".join(told)


def _aligned(lines: Lines) -> list[str]:
    """Return rows with their columns below each other."""
    words = [line.split(maxsplit=4) for line in lines]
    widths = [max((len(line[i]) for line in words if i < len(line)), default=0) for i in range(5)]
    return [
        " ".join(word.ljust(width) for word, width in zip(line, widths, strict=False)).rstrip()
        for line in words
    ]


# What a ledger holds


def lasting(url: str) -> Json:
    """Return every row of what a run in which nothing happened must leave as it is."""
    tables = [metadata.tables[name] for name in _LASTING]
    with users_engine(url) as engine, engine.connect() as connection:
        return {
            table.name: [
                dict(row._mapping)
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in tables
        }


def told_rows(url: str) -> Lines:
    """Return every repository and who lists it, or listed it once."""
    found = lasting(url)
    lists: dict[int, list[str]] = {}
    for member in found["account_repositories"]:  # by account
        name = member["account"] + ("(gone)" if member["gone_at"] else "")
        lists.setdefault(member["repository_id"], []).append(name)
    fillers: Counter[str] = Counter()
    lines = []
    for row in found["repositories"]:
        state = f"{row['visibility']} {_removal(row)} {' '.join(lists.get(row['id'], ['nobody']))}"
        if _FILLER.fullmatch(row["full_name"]):
            fillers[state] += 1
        else:
            lines.append(f"{row['id'] - FIRST} {row['full_name']} {state}")
    return (*lines, *(f"+ {number}×octo/fill {state}" for state, number in fillers.items()))


def _removal(row: Json) -> str:
    removed, reason = row["removed_at"] is not None, row["removal_reason"]
    if removed == (reason is not None):
        return reason or "-"
    return f"removed={removed},reason={reason}"


def told_log(url: str, after: int) -> tuple[Lines, int]:
    """Return the changes logged behind the row `after`, by repository; and the last row."""
    statement = (
        "SELECT id, repository_id, field, old_value, new_value FROM repository_changes "
        f"WHERE id > {after} ORDER BY id"
    )
    found = values(url, statement)
    lines = (
        f"{id_ - FIRST} {kind_of(field, old, new)} {field} "
        f"{_told(field, old)} -> {_told(field, new)}"
        for _, id_, field, old, new in found
    )
    return in_order(lines), max((row[0] for row in found), default=after)


def in_order(lines: Iterable[str]) -> Lines:
    """Return lines of a log by the number of the repository, then by what changed."""
    return tuple(sorted(lines, key=lambda line: (int(line.split()[0]), line)))


def _told(field: str, value: str | None) -> str:
    if value is None:
        return "-"
    if field in (Kind.created, Kind.redacted):
        document = json.loads(value)
        odd = sorted(set(CONTENT) ^ set(document))
        return " ".join([f"{{{document.get('full_name')}}}", *odd])
    return "T" if _TIME.fullmatch(value) else value


def told_outcome(outcome: RunOutcome) -> str:
    """Return how a run ended."""
    counts = outcome.counts.as_dict()
    words = [outcome.account, outcome.status]
    words += [f"{n} {counts[n]}" for n in ("removed", "restored", "withheld") if counts[n]]
    words += [type(outcome.error).__name__] if outcome.error else []
    return " ".join(words)


# What it should hold


def amended(before: Iterable[str], changes: Iterable[str]) -> Lines:
    """Return rows with those that have changed instead of what they were."""
    found = {line.split()[0]: line for line in (*before, *changes)}
    kept = [line for line in found.values() if not line.endswith(" no row")]
    return tuple(sorted(kept, key=_number))


def _number(line: str) -> int:
    first = line.split()[0]
    return int(first) if first.isdigit() else 1_000_000


def left(number: int, account: str = "me") -> str:
    return f"{number} left account {account} -> -"


def joined(number: int, account: str = "me") -> str:
    return f"{number} joined account - -> {account}"


def removed(number: int, reason: str) -> Lines:
    return (
        f"{number} removed removed_at - -> T",
        f"{number} changed removal_reason - -> {reason}",
    )


def restored(number: int, reason: str) -> Lines:
    return (
        f"{number} restored removed_at T -> -",
        f"{number} changed removal_reason {reason} -> -",
    )


def gone(number: int, reason: str) -> Lines:
    """What is logged of a repository that the account me alone listed."""
    return (left(number), *removed(number, reason))


def back(number: int, reason: str) -> Lines:
    return (joined(number), *restored(number, reason))


def changed(number: int, field: str, old: Any = "T", new: Any = "T") -> str:
    return f"{number} changed {field} {old} -> {new}"


def moved(number: int, old: str, new: str) -> Lines:
    """What is logged of a repository whose full name is another."""
    page = "https://github.example/"
    lines = [
        changed(number, "full_name", old, new),
        changed(number, "html_url", page + old, page + new),
    ]
    names = old.partition("/")[2], new.partition("/")[2]
    if names[0] != names[1]:
        lines.append(f"{number} renamed name {names[0]} -> {names[1]}")
    return tuple(lines)


def handed(number: int, old: tuple[int, str], new: tuple[int, str]) -> Lines:
    """What is logged of the owner of a repository, by id and login."""
    return (
        f"{number} transferred owner_id {old[0]} -> {new[0]}",
        changed(number, "owner_login", old[1], new[1]),
    )


def redacted(number: int, owner: str = "octo") -> Lines:
    """What is logged of a repository whose content is blanked, as it is private now."""
    return (
        changed(number, "visibility", "public", "private"),
        f"{number} redacted redacted - -> {{{owner}/[redacted-{FIRST + number}]}}",
    )


def told(name: str, stages: Iterable[Stage]) -> str:
    """Return a scenario from its beginning to its end."""
    return "\n".join([name, *map(str, stages)])


def unlike(before: Json, after: Json) -> Iterator[str]:
    """Yield a line for each row that one of two snapshots has and the other has not."""
    for name in before:
        for rows_, others, sign in ((before, after, "-"), (after, before, "+")):
            yield from (f"{sign} {name} {row}" for row in rows_[name] if row not in others[name])
