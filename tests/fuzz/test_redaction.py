"""Whatever the secret and the text around it: masked, on one line, harmless to a terminal."""

from __future__ import annotations

import json
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.strategies import ANY_CHARACTER, TEXT
from tests.support.examples import examples
from tests.support.inside.cli import csv_cell, table_cell
from tests.support.inside.core import MASK, RestError, can_be_masked, printable, protect, scrub
from tests.support.redacting import no_secrets

FORMS: tuple[Callable[[str], str], ...] = (
    str,
    lambda secret: quote(secret, safe=""),
    quote,
    quote_plus,
    lambda secret: b64encode(secret.encode()).decode(),
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    lambda secret: repr(secret)[1:-1],
)
# Not with an asterisk: the mask beside the rest of a text could look like such a secret.
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="*"), min_size=6, max_size=60
).filter(can_be_masked)
AROUND = st.text(max_size=20) | st.sampled_from(
    ["https://me:", "@host/", "?token=", "&", '"', "\\"]
)


@pytest.mark.matrix("always.secret")
@examples(200)
@given(secret=SECRETS, form=st.sampled_from(FORMS), before=AROUND, after=AROUND)
def test_a_secret_survives_in_none_of_its_forms_and_nowhere_in_a_text(
    secret: str, form: Callable[[str], str], before: str, after: str
) -> None:
    with no_secrets():  # but for this one: others may be ordinary words here
        protect(secret)
        written = form(secret)
        told = scrub(f"{before}{written}{after}")
        assert MASK in told
        if written.rstrip("=") not in before + MASK + after:
            assert written.rstrip("=") not in told
        error = RestError(f"{before}{written}{after}", url=f"https://h/{quote(secret)}")
        assert secret not in error.url


# Control characters, C1 included; what turns the direction of a line, or is not to be seen
# (bidirectional overrides, zero width, tags); separators of lines; halves of pairs.
FORBIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}
DANGEROUS = (
    "\x1b]0;x\x07",
    "\x9b31m",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\x85",
    "\U000e0041",
)


@examples(200)
@given(parts=st.lists(TEXT | st.sampled_from(DANGEROUS) | st.text(ANY_CHARACTER), max_size=4))
def test_no_text_moves_the_cursor_or_turns_the_line_of_a_terminal(parts: list[str]) -> None:
    for shown in (printable("".join(parts)), table_cell("".join(parts)), table_cell(parts)):
        assert not {unicodedata.category(c) for c in shown} & FORBIDDEN


@examples(200)
@given(value=TEXT | st.lists(TEXT, max_size=3) | st.text("=+-@\t\r '\n", min_size=1).map(str))
def test_no_text_is_a_formula_to_a_spreadsheet(value: object) -> None:
    cell = csv_cell(value)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
