"""Reading an account's token from where the configuration says it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sync.rest import BearerAuth, RestClient
from tests.rest.helpers import everything_said
from tests.support.fault_server import FaultServer
from tests.support.inside.config import Account, Command, load, other_database, parse
from tests.support.inside.core import ConfigError, redaction, scrub
from tests.support.inside.signin import decode_saved, read_token
from tests.support.redacting import no_secrets

TOKEN = "token-from-elsewhere-" + "z1" * 9


def account(**keys: object) -> Account:
    return Account(name="me", **keys)  # type: ignore[arg-type]


def sent_with(token: str | None) -> str | None:
    """Return the Authorization that a server sees."""
    assert token is not None
    with FaultServer() as server, RestClient(server.url, auth=BearerAuth(token)) as client:
        client.get("/x")
    return server.request.headers.get("authorization")


@pytest.mark.matrix("process.odd-token")
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_token_is_read_from_its_file_whatever_its_line_ends_in(
    tmp_path: Path, ending: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes((TOKEN + ending).encode())
    assert sent_with(read_token(account(token_file=str(file)), {})) == f"Bearer {TOKEN}"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_token_is_read_from_its_variable(ending: str) -> None:
    environ = {"MY_TOKEN": TOKEN + ending}
    token = read_token(account(token_env="MY_TOKEN"), environ)
    assert sent_with(token) == f"Bearer {TOKEN}"


def test_a_token_is_masked_from_the_moment_that_it_is_read() -> None:
    secret = "never-before-seen-7781"
    assert scrub(f"a {secret} b") == f"a {secret} b"
    read_token(account(token_env="MY_TOKEN"), {"MY_TOKEN": secret + "\n"})
    assert scrub(f"a {secret} b") == "a *** b"


def test_a_file_relative_to_the_configuration_is_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "etc" / "config.toml"
    config.parent.mkdir()
    config.write_text('[[accounts]]\nname = "me"\ntoken_file = "secret"\n', encoding="utf-8")
    (tmp_path / "etc" / "secret").write_text(TOKEN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert read_token(load(config, {}).accounts[0], {}) == TOKEN


def test_an_account_with_a_username_alone_has_no_token() -> None:
    assert read_token(account(username="octocat"), {"GITHUB_TOKEN": TOKEN}) is None


@pytest.mark.parametrize(
    ("environ", "state"),
    [({}, "not set"), ({"MY_TOKEN": ""}, "empty"), ({"MY_TOKEN": "\n"}, "empty")],
)
def test_a_variable_that_holds_nothing_is_named(environ: dict[str, str], state: str) -> None:
    with pytest.raises(ConfigError, match=rf"account me: .*variable MY_TOKEN is {state}"):
        read_token(account(token_env="MY_TOKEN"), environ)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "no-such-token"
    with pytest.raises(ConfigError, match=r"account me: .*no-such-token cannot be read: No such"):
        read_token(account(token_file=str(file)), {})


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"account me: .*cannot be read: Is a directory"):
        read_token(account(token_file=str(tmp_path)), {})


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    # A link to itself: refused to everybody, also to root, whom permissions do not bind.
    file = tmp_path / "loop"
    file.symlink_to(file)
    with pytest.raises(ConfigError, match=r"account me: .*loop cannot be read: "):
        read_token(account(token_file=str(file)), {})


@pytest.mark.parametrize("content", [b"", b"\n", b"  \r\n\t"])
def test_an_empty_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"account me: .*token is empty"):
        read_token(account(token_file=str(file)), {})


def test_a_file_that_is_not_text_is_named_and_its_content_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(TOKEN.encode() + b"\xff\xfe")
    with pytest.raises(
        ConfigError, match=r"account me: .*cannot be read: it is not text"
    ) as caught:
        read_token(account(token_file=str(file)), {})
    assert "z1z1" not in everything_said(caught.value)


@pytest.mark.matrix("process.odd-token")
@pytest.mark.parametrize("content", [f"GITHUB_TOKEN={TOKEN} #", f"{TOKEN}\n{TOKEN}", f" {TOKEN}"])
def test_a_file_that_holds_more_than_a_token_is_refused_and_not_shown(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"copy (it|the token) again|is NAME=TOKEN") as caught:
        BearerAuth(str(read_token(account(token_file=str(file)), {})))
    assert "z1z1" not in everything_said(caught.value)


def test_tokens_that_are_others_with_each_run_are_forgotten_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", 10)
    file = tmp_path / "token"
    command = Command((sys.executable, "-c", "print(open('token').read())"))
    monkeypatch.chdir(tmp_path)
    accounts = (account(token_command=command), account(token_file="token"))
    with no_secrets():
        for n in range(12):
            for each in accounts:
                token = f"another-token-for-{each.token_file}-{n:02}"
                file.write_text(token, encoding="utf-8")
                BearerAuth(str(read_token(each, {})))
                assert scrub(token) == "***"
        assert scrub("another-token-for-token-01") != "***"
        assert len(redaction._longest_first) < 50


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *((quote, quote) for quote in ['"', "'", "`", '""', "“", "’"]),
        *(("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»"), ("<", ">"), ('"<', '>",')),
        *(('"', ""), ("", '"'), ("", "'"), ("", ","), ("", ";"), ('"', '",')),
    ],
)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_token_is_read_without_what_was_copied_with_it(
    tmp_path: Path, before: str, after: str, ending: str
) -> None:
    written = f"{before}{TOKEN}{after}{ending}"
    file = tmp_path / "token"
    file.write_text(written, encoding="utf-8")
    for each in (account(token_file=str(file)), account(token_env="MY_TOKEN")):
        assert read_token(each, {"MY_TOKEN": written}) == TOKEN
    assert scrub(TOKEN) == "***"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (f"GITHUB_TOKEN={TOKEN}", "is NAME=TOKEN"),
        (f'export GITHUB_TOKEN="{TOKEN}"\n', "is NAME=TOKEN"),
        (f"Bearer {TOKEN}", "is a header"),
        (f"token {TOKEN}", "is a header"),
        (f"Authorization: Bearer {TOKEN}", "is a header"),
        (f'"Bearer {TOKEN}"', "is a header"),
        (f'{{"token": "{TOKEN}"}}', "is JSON"),
        (f'["{TOKEN}"]', "is JSON"),
        (f"https://x:{TOKEN}@github.com", "is a URL"),
        (f"x-access-token:{TOKEN}", "is NAME:TOKEN"),
        (f"github: {TOKEN}", "is NAME:TOKEN"),
        (f'"my-token": "{TOKEN}",', "is NAME:TOKEN"),
        (f'$env:GITHUB_TOKEN = "{TOKEN}"', "is NAME=TOKEN"),
        ('""', "is empty, except for quotes"),
        ("${GITHUB_TOKEN}", "is a variable's name"),
        (f'set TOKEN = "{TOKEN}"', "is NAME=TOKEN"),
        (f"# my token\n{TOKEN}\n", "is a comment"),
        (f"// {TOKEN}", "is a comment"),
        (f"{TOKEN}\\n", "is a token with an escaped line break or tab"),
        (f'"{TOKEN}\\r\\n"', "is a token with an escaped line break or tab"),
        (f"{TOKEN} is my token", "is several words"),
        (f"({TOKEN})", "is a token with a character that no token contains"),
        (f"\u200b{TOKEN}", "is a token with a character that no token contains"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{TOKEN}\n", "is a key; private_key_file"),
    ],
)
def test_what_is_more_than_a_token_is_named_and_not_shown(written: str, told: str) -> None:
    with pytest.raises(ConfigError, match=rf"the text in place of the token {told}") as caught:
        decode_saved(str(read_token(account(token_env="MY_TOKEN"), {"MY_TOKEN": written})))
    assert "z1z1" not in everything_said(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_token_is_read_as_windows_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(f"{TOKEN}\r\n".encode(encoding))
    monkeypatch.chdir(tmp_path)
    program = "import sys; sys.stdout.buffer.write(open('token', 'rb').read())"
    printing = Command((sys.executable, "-c", program))
    for each in (account(token_file="token"), account(token_command=printing)):
        assert sent_with(read_token(each, {})) == f"Bearer {TOKEN}"


def test_a_file_with_nul_characters_is_said_to_be_no_text(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(TOKEN.encode() + b"\0\0abc")
    with pytest.raises(ConfigError, match="it contains NUL characters") as caught:
        read_token(account(token_file=str(file)), {})
    assert "z1z1" not in everything_said(caught.value)


def test_a_configuration_is_read_as_windows_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[accounts]]\nname = "me"\nusername = "octo"\n', encoding="utf-16")
    assert load(file, {}).accounts[0].username == "octo"


HOME = """
[[accounts]]
name = "file"
token_file = "~/secrets/token"
[[accounts]]
name = "command"
token_command = "~/bin/show ~/secrets/token"
[[accounts]]
name = "app"
app_id = "1"
private_key_file = "~/key.pem"
[database]
url = "sqlite:///~/ledger.db"
"""


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_tilde_is_the_home_folder_in_every_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text(HOME, encoding="utf-8")
    named = "~/config.toml"
    if how == "option":
        config = load(Path(named), {})
    else:
        variables = {"REPOLEDGER_CONFIG": named, "REPOLEDGER_ACCOUNTS__0__TOKEN_FILE": "~/other"}
        config = load(None, variables)
    file, command, app = config.accounts
    expected = "secrets/token" if how == "option" else "other"
    assert file.token_file == str(tmp_path / expected)
    assert command.token_command == (str(tmp_path / "bin/show"), str(tmp_path / "secrets/token"))
    assert app.private_key_file == str(tmp_path / "key.pem")
    assert config.database.url == f"sqlite:///{tmp_path}/ledger.db"
    (tmp_path / "pw").write_text("an0ther-pw", encoding="utf-8")
    other = other_database("sqlite:///~/copy.db", None, None, {})
    assert other == f"sqlite:///{tmp_path}/copy.db"
    other = other_database("mysql://me@h/db?ssl_ca=~/ca.pem", None, "~/pw", {})
    assert other == f"mysql://me:an0ther-pw@h/db?ssl_ca={tmp_path}/ca.pem"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "mysql://h/db?ssl_ca=~/a%20b.pem&ssl_key=~/k",
            "mysql://h/db?ssl_ca=/me/a%20b.pem&ssl_key=/me/k",
        ),
        ("mysql://h/db?ssl_key_password=~/x", "mysql://h/db?ssl_key_password=~/x"),
        ("mysql://h/db?unix_socket=~/s", "mysql://h/db?unix_socket=/me/s"),
        ("postgresql://h/db?sslrootcert=~/ca.pem", "postgresql://h/db?sslrootcert=/me/ca.pem"),
        (
            "postgresql:///db?host=~/run&sslmode=prefer",
            "postgresql:///db?host=/me/run&sslmode=prefer",
        ),
        ("postgresql://h/db?sslrootcert=ca~/x", "postgresql://h/db?sslrootcert=ca~/x"),
    ],
)
def test_a_tilde_is_the_home_folder_in_the_paths_of_a_servers_url(
    monkeypatch: pytest.MonkeyPatch, written: str, read: str
) -> None:
    monkeypatch.setenv("HOME", "/me")
    table = {"database": {"url": written}, "accounts": [{"name": "me", "username": "octo"}]}
    assert parse(table, {}, source="config.toml", folder=Path("/etc")).database.url == read
