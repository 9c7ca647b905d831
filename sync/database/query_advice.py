"""What to say of a statement that names a table or a column that there is not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from sqlalchemy import Engine, inspect
from sqlalchemy.exc import SQLAlchemyError

# As SQLite, PostgreSQL, MySQL and MariaDB say it; a name may have its schema or table before it.
_NO_TABLE = re.compile(
    r"no such table: (?P<name>.+)|relation \"(?P<pg>.+?)\" does not exist"
    r"|Table '(?P<my>.+?)' doesn't exist"
)
_NO_COLUMN = re.compile(
    r"no such column: (?P<name>.+)|column (?P<pg>\S+) does not exist|Unknown column '(?P<my>.+?)'"
)
_TABLES = re.compile(r"\b(?:from|join)\s+([\w.\"`\[\]]+)|,\s*([\w.\"`\[\]]+)", re.IGNORECASE)
_BLANK = re.compile(r"(?:[\s;]|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_SYNONYMS = {
    "stars": "stargazers_count",
    "issues": "open_issues_count",
    "owner": "owner_login",
    "licence": "license_spdx_id",
    "repos": "current_repositories",
    "changes": "repository_changes",
}
_NEAR = 0.5  # of 1.0: how alike a name has to be


def is_blank(sql: str) -> bool:
    """Tell whether a statement is nothing but blanks, semicolons and comments. No I/O here."""
    return _BLANK.fullmatch(sql) is not None


def with_names(engine: Engine, sql: str, reason: str) -> str:
    """Return the reason of a refusal with the names that there are, if a name is the mistake."""
    try:
        if missing := _named(_NO_TABLE, reason):
            return _told(reason, missing, {"the tables and views are": _tables(engine)})
        if missing := _named(_NO_COLUMN, reason):
            tables = tables_in(sql, _tables(engine))
            with engine.connect() as connection:
                inspector = inspect(connection)
                columns = {
                    f"{table} has": [each["name"] for each in inspector.get_columns(table)]
                    for table in tables
                }
            return _told(reason, missing, columns)
    except SQLAlchemyError:  # the names are an addition: their failure is not told instead
        pass
    return reason


def tables_in(sql: str, known: Sequence[str]) -> list[str]:
    """Return those of the `known` tables that a statement reads. No I/O here."""
    found = (_plain(name) for pair in _TABLES.findall(sql) for name in pair if name)
    by_name = {name.lower(): name for name in known}
    return list(dict.fromkeys(by_name[n.lower()] for n in found if n.lower() in by_name))


def nearest_first(missing: str, names: Sequence[str]) -> tuple[list[str], str | None]:
    """Return names in the order of their likeness, and the one that was meant. No I/O here."""
    low = missing.lower()

    def likeness(name: str) -> float:
        if name == _SYNONYMS.get(low):
            return 2.0
        ratio = SequenceMatcher(None, name.lower(), low).ratio()
        return ratio + 0.2 * (len(low) > 2 and low in name.lower())

    scored = sorted(((-likeness(name), at, name) for at, name in enumerate(names)))
    meant = scored[0][2] if scored and -scored[0][0] >= _NEAR else None
    return [name for _, _, name in scored], meant


def _named(pattern: re.Pattern[str], reason: str) -> str | None:
    found = pattern.search(reason)
    return _plain(next(filter(None, found.groups()))) if found else None


def _plain(name: str) -> str:
    """Return a name without its schema or table, and without quotes."""
    return name.rpartition(".")[2].strip("\"`[]' ")


def _told(reason: str, missing: str, names: Mapping[str, Sequence[str]]) -> str:
    everything = [name for some in names.values() for name in some]
    _, meant = nearest_first(missing, everything)
    lines = [f"{reason}; did you mean {meant}?" if meant else reason]
    for what, some in names.items():
        lines.append(f"{what} {', '.join(nearest_first(missing, some)[0])}")
    return "\n".join(lines)


def _tables(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        inspector = inspect(connection)
        return [*inspector.get_view_names(), *inspector.get_table_names()]
