"""Reading an account's token from where the configuration says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.config import Account, load
from sync.config.tokens import read_token
from sync.errors import ConfigError
from sync.redaction import scrub
from sync.rest import BearerAuth, RestClient
from tests.rest.helpers import everything_said
from tests.support.fault_server import FaultServer

TOKEN = "token-from-elsewhere-" + "z1" * 9


def account(**keys: str) -> Account:
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
    token = read_token(account(token_file=str(file)), {})
    assert token is not None
    with pytest.raises(ConfigError, match="copy it again") as caught:
        BearerAuth(token)
    assert "z1z1" not in everything_said(caught.value)
