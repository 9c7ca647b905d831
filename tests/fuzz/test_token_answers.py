"""Whatever the endpoint answers that gives tokens: a token, or an error of ours."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.checks import check_token
from tests.fuzz.strategies import JSON, SCALARS
from tests.support.examples import examples

NAMES = st.sampled_from(
    ["access_token", "refresh_token", "expires_in", "scope", "error", "error_description"]
)
LIKELY = st.sampled_from(["a-token", "3600", 3600, "invalid_grant", "repo,read:org"])
OBJECTS = st.dictionaries(NAMES, LIKELY | JSON)
FORMS = st.dictionaries(NAMES, LIKELY | SCALARS.filter(lambda value: not isinstance(value, str)))


@examples(300)
@given(
    body=OBJECTS.map(lambda told: json.dumps(told).encode())
    | FORMS.map(lambda told: urlencode(told).encode())
    | st.binary()
)
def test_an_answer_is_a_token_or_an_error_of_ours(body: bytes) -> None:
    check_token(body)
