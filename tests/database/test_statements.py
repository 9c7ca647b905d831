"""The SQL of a page and of a removal is what it was: a statement more, or another, is a decision.

The expected statements stand in `statements/`, a file for each database. After a change that is
meant, `REPOLEDGER_TEST_RECORD=1` writes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from tests.support.database import recorded_statements, repository, store_page
from tests.support.inside.config import Removals
from tests.support.inside.removals import Verdict, apply_verdicts

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

FOLDER = Path(__file__).parent / "statements"


def told(statements: list[tuple[str, Any]]) -> Iterator[str]:
    """Yield each statement on a line, with how many rows it was sent with at once."""
    for line, same in groupby(statements, key=_line):
        times = len(list(same))
        yield line if times == 1 else f"{line}  ({times} times)"


def _line(sent: tuple[str, Any]) -> str:
    statement, parameters = sent
    rows = len(parameters) if isinstance(parameters, list) else 1
    return f"{rows} x {' '.join(statement.split())}"


def remove(store: Store, run: Run, id_: int) -> None:
    verdict = Verdict(id=id_, outcome="remove", reason="not_found")
    store.transact(
        run, lambda page: apply_verdicts(page, [verdict], Removals(), former=(), position=0)
    )


def test_a_page_and_a_removal_send_the_statements_that_they_always_sent(
    store: Store, run: Run
) -> None:
    page = [repository(id_, f"octo/r{id_}") for id_ in (1, 2, 3)]
    changed = [{**page[0], "description": "another"}, *page[1:]]
    found = []
    for title, work in (
        ("a new page", lambda: store_page(store, run, *page)),
        ("an unchanged page", lambda: store_page(store, run, *page)),
        ("a page with one change", lambda: store_page(store, run, *changed)),
        ("a removal", lambda: remove(store, run, 2)),
    ):
        with recorded_statements() as seen:
            work()
        found.append("\n".join((f"-- {title}", *told(seen), "")))
    text = "\n".join(found)
    file = FOLDER / f"{make_url(store.url).get_backend_name()}.sql"
    if os.environ.get("REPOLEDGER_TEST_RECORD"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
