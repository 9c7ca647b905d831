"""docs/environment.md names what libraries read by themselves."""

from __future__ import annotations

from psycopg.pq import Conninfo

from tests.support.inside.rest import VARIABLES
from tests.support.process import PROJECT

PAGE = (PROJECT / "docs" / "environment.md").read_text(encoding="utf-8")


def test_every_variable_of_postgresqls_library_is_named() -> None:
    variables = {option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar}
    assert len(variables) > 30
    assert [name for name in sorted(variables) if f"`{name}`" not in PAGE] == []


def test_every_variable_that_names_authorities_is_named_in_the_order_in_which_they_count() -> None:
    places = [PAGE.index(f"`{name}`") for name in VARIABLES]
    assert places == sorted(places)
