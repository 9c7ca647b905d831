"""Addresses of databases: what is taken, what is refused, and that nothing secret is repeated."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sync import config
from tests.support.inside.config import DatabaseUrl
from tests.support.inside.core import ConfigError, scrub
from tests.support.inside.database import dialect_of
from tests.support.process import PROJECT

SECRET = "s3cret/W0rd"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sqlite:///ledger.db", "sqlite:///ledger.db"),
        ("sqlite:////data/ledger.db", "sqlite:////data/ledger.db"),
        ("postgres://me@host/db", "postgresql://me@host/db"),
        ("postgresql+psycopg://me@host:5433/db", "postgresql://me@host:5433/db"),
        ("postgresql:///db?host=/run/postgresql", "postgresql:///db?host=/run/postgresql"),
        ("postgresql://me@h/db?options=-c%20search_path%3Da@b", None),
        ("postgresql://me:a:b%20c@[::1]/db?sslmode=verify-full&sslrootcert=/ca.pem", None),
        ("postgresql:///db?host=a:5432&host=b:5433&target_session_attrs=any", None),
        ("postgresql:///db?host=a,b&port=5432,5433", None),
        ("postgresql:///db?host=a,/run/b", None),
        ("postgresql:///db?host=a:5433", None),
        ("postgresql:///db?host=::1&port=5433", None),
        ("postgresql://me@host/db?port=5433", None),
        ("mariadb://me@host/db", "mysql://me@host/db"),
        ("mysql://me@host/db?ssl_ca=/ca.pem&ssl_verify_identity=false&connect_timeout=5", None),
        ("mysql://me@/db?unix_socket=/run/mysqld.sock", None),
    ],
)
def test_an_address_of_a_database_is_taken(given: str, taken: str | None) -> None:
    assert DatabaseUrl.parse(given) == (taken or given)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:///x.db?sslmode=require", "a file has no options"),
        ("sqlite:///x.db#part", "no \\? or #"),
        ("sqlite:///:memory:", "a file, since memory is lost"),
        ("oracle://host/db", "must be"),
        ("postgresql://host", "the name of the database is missing"),
        ("postgresql://host:port/db", "must be"),
        (f"postgresql://me:{SECRET}@host/db", "percent-encode"),
        ("postgresql://me:s3cret@W0rd@host/db", "percent-encode"),
        ("postgresql://me:s3cret#W0rd@host/db", "percent-encode"),
        ("postgresql://me:s3cret?W0rd@host/db", "percent-encode"),
        ("mysql://me:s3cret[W0rd@host/db", "percent-encode"),
        ("postgresql://me@host/db?password=s3cretW0rd", "the option password"),
        ("mysql://me@host/db?passwd=s3cretW0rd", "the option passwd"),
        ("mysql://me:1/2?s3cretW0rd@host/db", "percent-encode"),
        ("postgresql://me:1/2?s3cretW0rd@host/db", "percent-encode"),
        ("mysql://me@host/db?sslmode=require", "unknown option sslmode; known: unix_socket"),
        ("mysql://me@host/db?ssl_verify_cert=yes", "true or false for ssl_verify_cert"),
        ("mysql://me@host/db?connect_timeout=soon", "connect_timeout in seconds"),
        ("postgresql://me@host:/db", '"HOST" or "HOST:PORT"'),
        ("mysql://me@host:/db", '"HOST" or "HOST:PORT"'),
        ("mysql://me@[::1]:/db", '"HOST" or "HOST:PORT"'),
        ("postgresql://me@[::1]x:5432/db", '"HOST" or "HOST:PORT"'),
        ("postgresql://me@host:0/db", '"HOST" or "HOST:PORT"'),
        ("postgresql://me@host:65536/db", "must be"),
        ("postgresql://me@host/db?port=x", "must have ports from 1 to 65535"),
        ("postgresql://me@host/db?port=65536", "must have ports from 1 to 65535"),
        ("postgresql:///db?host=a,b&port=1,x", "must have ports from 1 to 65535"),
        ("postgresql:///db?host=a,b&port=1,2,3", "several hosts as"),
        ("postgresql:///db?host=a,b&port=1", "several hosts as"),
        ("postgresql:///db?host=a&host=b&port=1", "several hosts as"),
        ("postgresql:///db?host=a:1&port=1", "several hosts as"),
        ("postgresql:///db?host=a:1&host=b:x", "several hosts as"),
        ("postgresql:///db?host=a:1&host=b,c", "several hosts as"),
        ("postgresql:///db?host=a,b:1", "several hosts as"),
        ("postgresql:///db?host=a:x", "several hosts as"),
        ("postgresql:///db?port=1&port=2", "several hosts as"),
        ("postgresql://me@host/db?dbname=other", "the option dbname"),
        ("postgresql://me@host/db?autocommit=1", "the option autocommit"),
    ],
)
def test_a_wrong_address_is_refused_with_what_would_be_right_and_without_secrets(
    url: str, complaint: str
) -> None:
    table = {"database": {"url": url}, "accounts": [{"name": "me", "username": "octo"}]}
    with pytest.raises(ConfigError, match=complaint) as caught:
        config.parse(table, {}, source="config.toml", folder=Path())
    told = str(caught.value)
    assert told.startswith("config.toml: database.url: ")
    assert "\n" not in told
    assert "s3cret" not in told
    assert "W0rd" not in told


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("start", ["me@", "me:old@", "", "m%40e@"])
@pytest.mark.parametrize("password", ["p@ss:w/o%rd#?&= %41", "é☃'\"\\", "a\nb", " "])
def test_a_password_from_elsewhere_arrives_as_it_is(kind: str, start: str, password: str) -> None:
    url = DatabaseUrl.parse(f"{kind}://{start}host:99/db?connect_timeout=3")
    found = dialect_of(url.with_password(password)).url  # type: ignore[attr-defined]  # a server's
    assert (found.password, found.host, found.port, found.database) == (password, "host", 99, "db")
    assert (found.username or "") == start.partition("@")[0].partition(":")[0].replace("%40", "@")


def test_the_addresses_and_options_of_the_documentation_are_taken() -> None:
    page = (PROJECT / "docs/databases.md").read_text(encoding="utf-8")
    for sample in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        config.parse(
            {**tomllib.loads(sample)},
            {"REPOLEDGER_DATABASE__PASSWORD_FILE": __file__},
            source="databases.md",
            folder=Path(),
        )
    for url in re.findall(r"`((?:sqlite|postgresql|mysql)://[^`]+)`", page):
        DatabaseUrl.parse(url)
    for option in re.findall(r"`\?([a-z_]+=[^`]+)`", page):
        kind = "mysql" if option.startswith("ssl_") else "postgresql"
        DatabaseUrl.parse(f"{kind}://me@host/db?{option}")


def test_what_people_are_told_of_a_database_holds_no_secret() -> None:
    url = "postgresql://me:s3cretW0rd@host/db?sslpassword=an0therS3cret&host=/run/postgresql"
    where = dialect_of(DatabaseUrl.parse(url)).where
    assert where == "postgresql://me:***@host/db?host=%2Frun%2Fpostgresql"
    assert scrub("the key an0therS3cret and the word s3cretW0rd") == "the key *** and the word ***"
