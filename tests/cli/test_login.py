"""`repoledger login` and `logout` as somebody meets them who signs in at GitHub."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.stand_in import StandIn
from tests.support import file_keyring
from tests.support.daemon import wait_until
from tests.support.inside.signin import decode_saved
from tests.support.process import (
    repoledger,
    write_config,
)
from tests.support.signing_in import (
    CLIENT,
    end_of,
    keep,
    log_in,
    login_config,
    start_login,
    stored,
)


@pytest.fixture
def folder(github: StandIn, tmp_path: Path) -> Path:
    """A folder whose account keeps its token in the file `token`."""
    github.add_oauth_app(CLIENT, interval=1)
    github.add_repository("octo", "hello")
    login_config(tmp_path, github)
    return tmp_path


def refused(
    folder: Path, *arguments: str, code: int = 2, variables: dict[str, str] | None = None
) -> str:
    """Return the error of a `login` that ends by itself."""
    done = repoledger("login", *arguments, cwd=folder, **(variables or {}))
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_who_logs_in_can_sync_and_the_token_is_for_its_owner_alone(
    github: StandIn, folder: Path
) -> None:
    said = log_in(github, folder)
    assert said == "me: the token is in token, signed in as octo\n"
    file = folder / "token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text("utf-8").startswith("gho_")
    done = repoledger("backfill", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "secret.file_open" not in done.stderr


def test_an_account_that_was_synced_from_another_host_keeps_its_token(
    github: StandIn, folder: Path
) -> None:
    log_in(github, folder)
    assert repoledger("backfill", cwd=folder).returncode == 0
    kept = (folder / "token").read_bytes()
    with StandIn() as other:
        other.add_oauth_app(CLIENT, interval=1)
        login_config(folder, other)
        said = refused(folder)
        assert other.requests == []
    assert said.startswith("error: account me: the account was synced from ")
    assert (folder / "token").read_bytes() == kept


def test_the_code_and_its_address_are_shown_and_nothing_secret(
    github: StandIn, folder: Path
) -> None:
    process, code = start_login(github, folder)
    arguments = Path(f"/proc/{process.pid}/cmdline").read_text("utf-8")
    github.authorize(code, "octo")
    status, out, err = end_of(process)
    assert status == 0
    lines = err.splitlines()
    assert lines[0] == f"Open {github.url}/login/device and enter this code:"
    assert lines[2].strip() == code
    assert lines[-1].startswith("Waiting for you until ")
    device_code = next(r.body for r in github.requests if b"device_code" in r.body).decode()
    for secret in (
        (folder / "token").read_text().strip(),
        device_code.split("device_code=")[1][:40],
    ):
        assert secret not in out + err + arguments


def test_the_keyring_holds_the_token_and_no_file_does(
    github: StandIn, folder: Path, keyring: dict[str, str]
) -> None:
    said = log_in(github, folder, **keyring)
    assert said == "me: the token is in the system's keyring, signed in as octo\n"
    host = github.url.removeprefix("http://")
    held = file_keyring.entries(folder / "keyring.json")
    assert list(held) == [f"repoledger/me at {host}"]
    (token,) = held.values()
    assert repoledger("backfill", cwd=folder, **keyring).returncode == 0
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "keyring.json":
            assert token.encode() not in file.read_bytes()


def test_a_token_in_the_keyring_that_ends_is_renewed_there(
    github: StandIn, folder: Path, keyring: dict[str, str]
) -> None:
    github.add_oauth_app(CLIENT, interval=1, expiring=True)
    log_in(github, folder, **keyring)
    file = folder / "keyring.json"
    ((entry, before),) = file_keyring.entries(file).items()
    kept = decode_saved(before)
    assert kept is not None
    ended = structs.replace(kept, expires_at=datetime.now(UTC)).encode()
    file.write_text(json.dumps({entry: ended}), "utf-8")
    assert repoledger("backfill", cwd=folder, **keyring).returncode == 0
    (after,) = map(decode_saved, file_keyring.entries(file).values())
    assert after is not None
    assert after.token != kept.token


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("keyring.backends.fail.Keyring", "the keyring cannot be used: this machine has none"),
        ("keyring.backends.null.Keyring", "the keyring cannot be used: it does not store entries"),
        ("no.such.Backend", "the keyring cannot be used: "),
        (file_keyring.NAME, "the keyring cannot be used: the collection is locked"),
    ],
)
def test_without_a_keyring_that_keeps_anything_nobody_is_asked(
    github: StandIn, folder: Path, keyring: dict[str, str], backend: str, reason: str
) -> None:
    unusable = {"PYTHON_KEYRING_BACKEND": backend, "KEYRING_FILE": str(folder)}
    error = refused(folder, variables=unusable)
    assert error.startswith(f"error: account me: {reason}")
    assert "to use a file instead, set token_file" in error
    assert github.requests == []
    for command in ("backfill", "check", "accounts", "logout"):
        done = repoledger(command, cwd=folder, **unusable)
        if command != "logout" or "null" not in backend:
            assert done.returncode in (1, 2), command
        assert "Traceback" not in done.stderr


def test_a_place_that_cannot_be_written_is_told_before_anybody_is_asked(
    github: StandIn, folder: Path
) -> None:
    for where, reason in [
        ('token_file = "missing/token"', "missing/token cannot be "),
        ('token_file = "."', "cannot be written: it is a folder"),
        ('token_file = "config.toml/token"', "config.toml: File exists"),
    ]:
        login_config(folder, github, where)
        assert reason in refused(folder), where
    assert github.requests == []
    assert not (folder / "missing").exists()


@pytest.mark.parametrize("expiring", [False, True], ids=["lasting", "ending"])
def test_a_former_token_is_replaced_and_nothing_else_is_left(
    github: StandIn, folder: Path, expiring: bool
) -> None:
    github.add_oauth_app(CLIENT, interval=1, expiring=expiring)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "real").write_text("former", "utf-8")
    (folder / "token").symlink_to("secrets/real")
    log_in(github, folder)
    assert (folder / "token").is_symlink()
    assert sorted(file.name for file in (folder / "secrets").iterdir()) == [".real.lock", "real"]
    kept = (folder / "token").read_text("utf-8")
    assert (decode_saved(kept) is not None) == expiring
    done = repoledger("accounts", "--json", cwd=folder)
    assert f'"renewed":{"true" if expiring else "false"}' in done.stdout


def test_a_token_that_ends_is_renewed_by_a_later_run(github: StandIn, folder: Path) -> None:
    github.add_oauth_app(CLIENT, interval=1, expiring=True)
    log_in(github, folder)
    former = decode_saved((folder / "token").read_text("utf-8"))
    assert former is not None
    keep(folder, stored(github, ends_in=-1))
    for _ in range(2):
        done = repoledger("backfill", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "ghu_" not in done.stderr
        assert "ghr_" not in done.stderr


@pytest.mark.parametrize(("answer", "told"), [("deny", "refused at GitHub"), ("end", "expired")])
def test_a_no_and_an_end_leave_what_was_there(
    github: StandIn, folder: Path, answer: str, told: str
) -> None:
    (folder / "token").write_text("former\n", "utf-8")
    github.add_oauth_app(CLIENT, interval=1, code_expires_in=900 if answer == "deny" else 2)
    process, code = start_login(github, folder)
    if answer == "deny":
        github.deny(code)
    status, out, err = end_of(process)
    assert (status, out) == (1, "")
    assert told in err.splitlines()[-1]
    assert (folder / "token").read_text("utf-8") == "former\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_wait_and_keeps_nothing(
    github: StandIn, folder: Path, number: signal.Signals
) -> None:
    github.add_oauth_app(CLIENT, interval=60)
    process, _ = start_login(github, folder)
    wait_until(lambda: any(r.path == "/login/device/code" for r in github.requests))
    process.send_signal(number)
    status, out, err = end_of(process)
    assert (status, out) == (130, "")
    assert "Traceback" not in err
    assert not (folder / "token").exists()


def test_a_client_id_that_is_wrong_or_missing_is_told(github: StandIn, folder: Path) -> None:
    unknown = refused(folder, "--client-id", "Iv-unknown", code=1)
    assert "GitHub knows no App or OAuth app with this client id" in unknown
    assert "the client id" in refused(folder, "--client-id", "a b")
    write_config(folder, github.url, '[[accounts]]\nname = "me"\ntoken_file = "token"\n')
    assert "set github.client_id or give --client-id" in refused(folder)
    github.add_oauth_app("Iv-off", device_flow=False)
    assert "does not allow the device flow" in refused(folder, "--client-id", "Iv-off", code=1)


@pytest.mark.parametrize("stopped", [False, True])
def test_whom_the_token_belongs_to_is_not_waited_for(
    github: StandIn, folder: Path, stopped: bool
) -> None:
    process, code = start_login(github, folder)
    if stopped:

        def on_request(asked: Any) -> None:
            if asked.path == "/user":
                process.send_signal(signal.SIGINT)

        github.on_request = on_request
        github.fail(times=9, path="/user", status=502)
    else:
        slow = b'{"message": "You have exceeded a secondary rate limit"}'
        github.fail(path="/user", status=403, headers={"Retry-After": "300"}, body=slow)
    github.authorize(code, "octo")
    status, out, _ = end_of(process)
    assert status == 0
    assert out.startswith("me: the token is in token; the test of the token failed: ")
    assert ("rate limit" in out) is not stopped
    assert (folder / "token").exists()
