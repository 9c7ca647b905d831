"""Whatever is configured: a configuration, or every problem in words that repeat no secret."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from sync import config
from tests.support.examples import examples
from tests.support.inside.config import (
    Account,
    Cron,
    Database,
    DatabaseUrl,
    ForgeSettings,
    Http,
    Listen,
    Ping,
    PingUrl,
    Removals,
    Resources,
    Schedule,
    Seconds,
)
from tests.support.inside.core import ConfigError
from tests.support.inside.daemon import AccountSchedule

# What could be a secret that stands in the wrong place: in no message, whatever else is wrong.
SECRET = "hunter2-correct-horse"

SECTIONS: dict[str, Any] = {
    "database": Database,
    "schedule": Schedule,
    "github": ForgeSettings,
    "removals": Removals,
    "resources": Resources,
    "http": Http,
    "ping": Ping,
}
KEYS = sorted({key for kind in (Account, *SECTIONS.values()) for key in kind.__struct_fields__})
ODD_TEXTS = (
    *(
        "",
        " ",
        "\0",
        "30s",
        "-1s",
        "0 * * * *",
        "60 * * * *",
        "UTC",
        "h:1",
        "[::1]:1",
        "[",
        "h:1?x",
    ),
    *("sqlite:///a.db", "sqlite://", "postgresql://u@h/d", "mysql://u@h:x/d", "postgresql://[/d"),
    *("https://api.example.com", "http://x", "https://[", "https://h:99999", "owner,collaborator"),
    *("token", "TOKEN", "me", "ME", "octo", "a/b", "𝟝s", "٣m", "1e3s", "\ud800", "x" * 5_000),
)
SECRETS = (
    *(
        f"https://me:{SECRET}@h/",
        f"https://me:{SECRET}℀@h/",
        f"https://{SECRET}@[",
        f"//{SECRET}@h",
    ),
    *(f"postgresql://u:{SECRET}@h:x/d", f"mysql://u:{SECRET}@/", f"mysql://u:1/?{SECRET}@h/d"),
    *(f"mysql://u:1/x?{SECRET}@h/d", f"mysql://u:{SECRET}@h/d?password={SECRET}"),
    *(f"postgresql://u:/{SECRET}@h/d", f"mysql://u:#{SECRET}@h/d", f"mysql://u:{SECRET}℀@h/d"),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.datetimes(),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(SECRETS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
ACCOUNT = {"name": "me", "username": "octo"}
FORGES = ("work", "github", "Work", "a__b", "", SECRETS[0])


def tables_near(kind: Any) -> st.SearchStrategy[Any]:
    """Return tables of keys that mostly are those of the section."""
    keys = st.sampled_from([*kind.__struct_fields__] * 5 + KEYS) | st.text(max_size=8)
    return st.dictionaries(keys, SCALARS | VALUES, max_size=4)


NEAR = st.fixed_dictionaries(
    {"accounts": st.lists(tables_near(Account).map(lambda t: ACCOUNT | t), max_size=2) | VALUES},
    optional={
        "forges": st.dictionaries(st.sampled_from(FORGES), tables_near(ForgeSettings)) | VALUES,
        **{name: tables_near(kind) | VALUES for name, kind in SECTIONS.items()},
    },
)
VARIABLES = st.dictionaries(
    st.lists(
        st.sampled_from(
            [*SECTIONS, "forges", *FORGES, "accounts", "0", "1", "7", "x", "", "REPOLEDGER", *KEYS]
        ),
        min_size=1,
        max_size=4,
    ).map(lambda path: "REPOLEDGER_" + "__".join(path).upper()),
    st.sampled_from([*ODD_TEXTS, *SECRETS]) | st.text(max_size=10),
    max_size=3,
)


@pytest.mark.matrix("process.bad-config")
@examples(300)
@given(tables=NEAR | st.dictionaries(st.text(max_size=5), VALUES, max_size=3), variables=VARIABLES)
def test_any_configuration_is_taken_or_refused_with_all_its_problems(
    tables: dict[str, Any], variables: dict[str, str]
) -> None:
    try:
        config.parse(tables, variables, source="config.toml", folder=Path())
    except ConfigError as error:
        assert error.problems  # noqa: PT017  # whether it raises is not known
        for problem in error.problems:
            assert problem.startswith(("config.toml: ", "REPOLEDGER_", "database: "))
        assert SECRET not in str(error)  # noqa: PT017  # whether it raises is not known


@pytest.mark.matrix("process.bad-config")
@examples(30)
@given(wrong=st.sets(st.sampled_from(sorted(SECTIONS)), min_size=1))
def test_every_section_with_a_mistake_is_named_at_once(wrong: set[str]) -> None:
    tables = {name: {"unheard_of": 1} for name in wrong} | {"accounts": [ACCOUNT]}
    with pytest.raises(ConfigError) as caught:
        config.parse(tables, {}, source="config.toml", folder=Path())
    named = {problem.split(": ")[1] for problem in caught.value.problems}
    assert named == {f"{name}.unheard_of" for name in wrong}


@examples(100)
@given(
    content=st.binary(max_size=60)
    | st.text("[]=\"\\\n'#.{}:1a,\u00e9", max_size=60).map(str.encode)
)
def test_any_file_is_a_configuration_or_a_problem(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with contextlib.suppress(ConfigError):
        config.load(file, {})


# Single values

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@examples(50)
@given(
    parts=st.lists(st.tuples(st.integers(0, 999), st.sampled_from("smh")), min_size=1, max_size=4),
    space=st.sampled_from(["", " "]),
)
def test_a_length_of_time_is_the_sum_of_its_parts(parts: list[tuple[int, str]], space: str) -> None:
    text = space.join(f"{number}{space}{unit}" for number, unit in parts)
    seconds = sum(number * UNITS[unit] for number, unit in parts)
    assert float(Seconds.parse(text)) == float(Seconds.parse(Seconds(seconds))) == seconds


@examples(100)
@given(value=st.floats() | st.integers() | st.text("0123456789.smhd -e", max_size=12))
def test_a_length_of_time_is_never_negative_nor_without_end(value: Any) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= Seconds.parse(value) <= 366 * 86_400
        assert math.isfinite(Seconds.parse(value))


CRON_FIELD = st.one_of(
    st.just("*"),
    st.integers(0, 60).map(str),
    st.integers(1, 70).map("*/{}".format),
    st.tuples(st.integers(0, 31), st.integers(0, 31)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
    st.text("0123456789*,-/LW#?²٣", min_size=1, max_size=5),
)


@examples(100)
@given(
    fields=st.lists(CRON_FIELD, min_size=4, max_size=4),
    weekday=st.sampled_from(["*", "mon", "mon-fri", "SAT,sun", "fri-mon", "mon#1", "l"]),
)
def test_a_cron_expression_that_is_taken_fires(fields: list[str], weekday: str) -> None:
    text = " ".join((*fields, weekday))
    try:
        cron = Cron.parse(text)
    except ValueError as error:
        assert str(error).startswith(("must ", "is not ", "never "))  # noqa: PT017
        return
    assert Cron.parse(cron) == cron == text
    start = datetime(2026, 1, 1, tzinfo=UTC)
    schedule = AccountSchedule.of(Account(name="me", cron=cron), Schedule(), slack=0.0)
    assert schedule.following(start) > start


@examples(200)
@given(
    host=st.sampled_from(["127.0.0.1", "localhost", "[::1]", "[FE80::1%Eth0]", "0.0.0.0", "h"])
    | st.text(max_size=5),
    port=st.integers(0, 70_000).map(str) | st.text(max_size=5),
)
def test_an_address_to_listen_at_is_a_host_and_a_port(host: str, port: str) -> None:
    try:
        address = Listen.parse(f"{host}:{port}").address
    except ValueError:
        assert not (host == "localhost" and port.isascii() and port.isdigit() and int(port) < 65536)
        return
    name, mark, zone = host.strip("[]").partition("%")  # an interface's name keeps its case
    assert address == (name.lower() + mark + zone, int(port))
    assert 0 <= address[1] < 65_536


PASSWORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@examples(100)
@given(
    kind=st.sampled_from(["postgresql", "mysql"]),
    user=st.sampled_from(["me@", "m%40e@", "me:old@", ""]),
    password=PASSWORDS,
)
def test_a_password_arrives_at_the_database_as_it_is(kind: str, user: str, password: str) -> None:
    url = DatabaseUrl.parse(f"{kind}://{user}h:5000/d").with_password(password)
    made = make_url(url)
    assert (made.password, made.host, made.port, made.database) == (password, "h", 5000, "d")
    assert DatabaseUrl.parse(url) == url


PIECES = (
    *("postgresql", "mysql", "sqlite", "://", "/", ":", "@", "?", "#", "=", "&", "[", "]", ","),
    *("host", "u", "h", "5432", "d", "%2F", "%", "ssl_ca", "℀", " ", SECRET),
)
URLISH = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)


@examples(300)
@given(
    text=URLISH | st.tuples(st.sampled_from(["postgresql://u:", "mysql://u:"]), URLISH).map("".join)
)
def test_any_address_of_a_database_is_taken_as_it_is_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        parsed = DatabaseUrl.parse(text)
        assert DatabaseUrl.parse(parsed) == parsed
        make_url(parsed)


@examples(100)
@given(text=URLISH | st.text(max_size=10), start=st.sampled_from(["", f"https://me:{SECRET}"]))
def test_any_address_to_ping_is_taken_or_refused_unseen(text: str, start: str) -> None:
    try:
        assert PingUrl.parse(start + text) == start + text
    except ValueError as error:
        assert SECRET not in str(error)  # noqa: PT017
