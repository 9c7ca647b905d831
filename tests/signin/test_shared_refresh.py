"""A token that ends is renewed for all who use it, whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rest.helpers import everything_said
from tests.stand_in import StandIn
from tests.support.inside.config import Config, load
from tests.support.inside.core import BadCredentials, ConfigError, scrub
from tests.support.inside.github import Forge
from tests.support.inside.signin import SavedToken, client_for, decode_saved
from tests.support.ledger import rows
from tests.support.process import repoledger, start_repoledger
from tests.support.signing_in import CLIENT, end_of, keep, login_config, stored

Open = Callable[[], Forge]


@pytest.fixture
def config(github: StandIn, tmp_path: Path) -> Config:
    github.add_oauth_app(CLIENT, expiring=True)
    github.add_repository("octo", "hello")
    login_config(tmp_path, github)
    return load(tmp_path / "config.toml", {})


@pytest.fixture
def opened(config: Config) -> Iterator[Open]:
    """Opens clients of the account, as many as are wanted."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(client_for(config.accounts[0], config, {}, attempts=1))


def kept(folder: Path) -> SavedToken:
    found = decode_saved((folder / "token").read_text("utf-8"))
    assert found is not None
    return found


def renewals(github: StandIn) -> list[int]:
    return [r.status for r in github.requests if r.path == "/login/oauth/access_token"]


def test_a_token_that_holds_is_used_as_it_is(github: StandIn, opened: Open, tmp_path: Path) -> None:
    keep(tmp_path, stored(github, ends_in=600))
    assert opened().check().user.login == "octo"  # type: ignore[union-attr]  # it answers
    assert renewals(github) == []


def test_one_that_has_ended_is_renewed_and_what_renews_it_next_is_kept(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    before = stored(github, ends_in=-1)
    file = keep(tmp_path, before)
    assert opened().check().user.login == "octo"  # type: ignore[union-attr]  # it answers
    after = kept(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert after.token != before.token
    assert after.refresh_token != before.refresh_token
    assert after.expires_at > before.expires_at
    assert (after.client_id, after.signed_in_at) == (before.client_id, before.signed_in_at)
    assert opened().check().user is not None
    assert renewals(github) == [200]


def test_one_that_is_refused_before_its_end_is_renewed(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    before = stored(github, ends_in=600)
    keep(tmp_path, before)
    github.revoke_token(before.token)
    assert opened().check().user is not None
    assert kept(tmp_path).token != before.token


def test_who_comes_second_takes_what_the_first_has_got(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    keep(tmp_path, stored(github, ends_in=-1))
    clients = [opened() for _ in range(8)]
    threads = [threading.Thread(target=each.check) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renewals(github) == [200]
    assert {each.check().user.login for each in clients} == {"octo"}  # type: ignore[union-attr]  # they answer


def test_a_client_that_was_there_before_goes_on_after_another_has_renewed(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    before = stored(github, ends_in=600)
    keep(tmp_path, before)
    first, second = opened(), opened()
    first.check()
    github.revoke_token(before.token)
    second.check()
    first.check()
    assert renewals(github) == [200]


def test_processes_that_start_together_renew_once_and_all_succeed(
    github: StandIn, config: Config, tmp_path: Path
) -> None:
    keep(tmp_path, stored(github, ends_in=-1))
    github.delay = 0.2
    processes = [start_repoledger("accounts", "--json", cwd=tmp_path) for _ in range(4)]
    for process in processes:
        status, out, err = end_of(process)
        assert (status, err) == (0, "")
        assert '"login":"octo"' in out
    assert renewals(github) == [200]


def test_what_was_renewed_is_kept_also_if_the_run_fails_later(
    github: StandIn, config: Config, tmp_path: Path
) -> None:
    before = stored(github, ends_in=-1)
    keep(tmp_path, before)
    github.fail(times=9, status=422, path="/user/repos")
    done = repoledger("backfill", cwd=tmp_path)
    assert done.returncode == 1
    assert kept(tmp_path).token != before.token
    assert rows(tmp_path / "ledger.db", "SELECT status FROM sync_runs") == [("failed",)]
    for text in (before.token, before.refresh_token, kept(tmp_path).token):
        assert text not in done.stdout + done.stderr


def test_what_github_renews_no_longer_says_how_to_get_another(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    keep(tmp_path, stored(github, ends_in=-1))
    github.revoke_authorization(CLIENT, "octo")
    before = (tmp_path / "token").read_bytes()
    with pytest.raises(
        BadCredentials, match="get a new one with `repoledger login --account me`"
    ) as caught:
        opened().check()
    assert "ghr_" not in everything_said(caught.value)
    assert (tmp_path / "token").read_bytes() == before


def test_what_was_logged_out_meanwhile_does_not_come_back(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    keep(tmp_path, stored(github, ends_in=-1))
    client = opened()
    (tmp_path / "token").unlink()
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        client.check()
    assert not (tmp_path / "token").exists()
    assert renewals(github) == []


def test_who_logged_in_anew_meanwhile_is_followed(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    keep(tmp_path, stored(github, ends_in=-1))
    client = opened()
    github.add_oauth_app("Ov-plain")
    (tmp_path / "token").write_text(github.grant("Ov-plain", "octo").access + "\n", "utf-8")
    assert client.check().user is not None
    assert renewals(github) == []


def test_no_new_token_is_asked_for_that_could_not_be_kept(
    github: StandIn, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, stored(github, ends_in=-1))
    client = opened()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)  # the system's, not ours
    with pytest.raises(ConfigError, match="token cannot be written: No space left on device"):
        client.check()
    monkeypatch.undo()
    assert renewals(github) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        ".token.lock",
        "config.toml",
        "token",
    ]
    assert client.check().user is not None


def test_another_sign_in_remembers_other_pages(
    github: StandIn, opened: Open, tmp_path: Path
) -> None:
    keep(tmp_path, stored(github, ends_in=600))
    first = opened().page_key("x")
    assert opened().page_key("x") == first
    keep(tmp_path, stored(github, ends_in=600))
    assert opened().page_key("x") != first


@pytest.mark.parametrize("text", ["{", "{}", '{"token": "ghu_secretsecret00"}', "[" * 9 + "{"])
def test_what_cannot_be_read_is_told_and_not_shown(
    config: Config, tmp_path: Path, text: str, opened: Open
) -> None:
    (tmp_path / "token").write_text("{" + text, "utf-8")
    with pytest.raises(
        ConfigError, match=r"account me: the text in place of the token is JSON"
    ) as caught:
        opened()
    assert "secretsecret" not in everything_said(caught.value)


def test_a_token_that_is_renewed_cannot_come_from_a_variable(
    github: StandIn, config: Config, tmp_path: Path
) -> None:
    text = stored(github, ends_in=600).encode()
    login_config(tmp_path, github, 'token_env = "T"')
    config = load(tmp_path / "config.toml", {})
    with pytest.raises(ConfigError, match="in token_file or the keyring"):
        client_for(config.accounts[0], config, {"T": text})


def test_every_secret_of_it_is_masked() -> None:
    text = '{"token":"ordinary-1","expires_at":"2026-01-01T00:00:00Z","refresh_token":"ordinary-2"'
    rest = ',"client_id":"x","signed_in_at":"2026-01-01T00:00:00Z"}'
    decode_saved(text + rest)
    assert scrub("ordinary-1 ordinary-2") == "*** ***"
