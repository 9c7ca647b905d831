"""PostgreSQL gets many rows in one text, but no text that it could not hold."""

from __future__ import annotations

import json

from tests.support.inside.database import LARGEST, texts_of

MIB = 1024 * 1024


def sent(*sizes: int) -> list[list[int]]:
    """Return how rows with texts of these sizes are sent: the sizes in each statement."""
    rows = [(id_, "x" * size) for id_, size in enumerate(sizes)]
    texts = [json.loads(text) for text in texts_of(rows)]
    assert [row["0"] for text in texts for row in text] == list(range(len(sizes)))
    return [[len(row["1"]) for row in text] for text in texts]


def test_the_rows_of_a_usual_page_go_in_one_statement() -> None:
    assert sent(*[6_000] * 100) == [[6_000] * 100]


def test_rows_that_are_large_together_go_in_several_statements() -> None:
    assert sent(*[5 * MIB] * 7) == [[5 * MIB] * 3, [5 * MIB] * 3, [5 * MIB]]


def test_a_row_that_is_larger_than_that_alone_goes_alone() -> None:
    assert sent(10, LARGEST, 10) == [[10], [LARGEST], [10]]
