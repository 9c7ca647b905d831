"""Secrets that are waited for: each wait has an end, hears a stop, and says what was waited for."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.daemon import RunningDaemon, wait_until, write_daemon_config
from tests.support.inside.config import Account, load, secrets
from tests.support.inside.core import ConfigError, Interrupted
from tests.support.inside.signin import TokenFile, read_private_key, read_token, token_keyring
from tests.support.process import COMMAND, start_repoledger, write_config
from tests.support.signing_in import end_of, keyring_in

API = "https://api.github.com"
IN_KEYRING = '[[accounts]]\nname = "me"\nkeyring = true\n'


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that nobody writes to, until the test is over."""
    file = tmp_path / "keyring.json"
    os.mkfifo(file)
    yield file
    release(file)


def release(pipe: Path) -> None:
    """Let go of whoever waits for somebody to write to a pipe."""
    with suppress(OSError):  # nobody does
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def is_waited_for(pipe: Path) -> bool:
    """Tell whether somebody has a pipe open to read."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.fixture
def locked_keyring(
    pipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """An account whose token is in a keyring that waits for somebody."""
    for name, value in keyring_in(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(token_keyring, "_PATIENCE", 0.3)
    yield Account(name="me", keyring=True)
    release(pipe)


def test_a_keyring_that_does_not_answer_is_told_and_asked_once(
    locked_keyring: Account, pipe: Path
) -> None:
    for _ in range(3):
        with pytest.raises(ConfigError, match=r"has not answered within 0\.3 s; if it is locked"):
            read_token(locked_keyring, {}, API)
    assert [t.name for t in threading.enumerate()].count("ask") == 1
    release(pipe)
    wait_until(lambda: "ask" not in [t.name for t in threading.enumerate()])
    pipe.unlink()
    with pytest.raises(ConfigError, match="there is no token in the keyring"):
        read_token(locked_keyring, {}, API)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["backfill", "check", "accounts"])
def test_a_signal_ends_the_wait_for_a_keyring(
    github: StandIn, pipe: Path, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    write_config(tmp_path, github.url, IN_KEYRING)
    process = start_repoledger(command, cwd=tmp_path, **keyring_in(tmp_path))
    wait_until(pipe.with_suffix(".asked").exists)
    process.send_signal(number)
    code, _, said = end_of(process)
    assert (code, "Traceback" in said) == (130, False)


@pytest.mark.parametrize("key", ["token_file", "private_key_file"])
def test_a_pipe_that_nobody_writes_to_is_told(
    pipe: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(secrets, "_PATIENCE", 0.3)
    threads = threading.active_count()
    with pytest.raises(ConfigError, match=r"nothing was written to it within 0\.3 s"):
        read(pipe, key)
    assert threading.active_count() == threads


@pytest.mark.parametrize("key", ["token_file", "private_key_file"])
def test_a_secret_may_come_through_a_pipe_in_pieces(pipe: Path, key: str) -> None:
    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            for part in (TOKEN[:5], TOKEN[5:], "\n"):
                stream.write(part.encode())

    writer = threading.Thread(target=write)
    writer.start()
    assert str(read(pipe, key)).removesuffix("\n") == TOKEN
    writer.join()


def read(pipe: Path, key: str, stop: threading.Event | None = None) -> str | None:
    if key == "token_file":
        return read_token(Account(name="me", token_file=str(pipe)), {}, API, stop)
    account = Account(name="me", app_id="1", private_key_file=str(pipe))
    return read_private_key(account, {}, stop)


@pytest.mark.parametrize("key", ["token_file", "private_key_file"])
def test_a_stop_ends_the_wait_for_a_pipe(pipe: Path, key: str) -> None:
    stop = threading.Event()

    def stop_it() -> None:
        wait_until(lambda: is_waited_for(pipe))
        stop.set()

    setter = threading.Thread(target=stop_it)
    setter.start()
    # Whoever looks whether it is waited for is taken for one who writes nothing.
    with pytest.raises((Interrupted, ConfigError)):
        read(pipe, key, stop)
    setter.join()


def test_a_signal_that_another_thread_has_taken_ends_the_wait_for_a_configuration(
    pipe: Path,
) -> None:
    def is_open() -> bool:
        opened = Path("/proc/self/fd").iterdir()
        return any(os.path.realpath(file) == str(pipe) for file in opened)

    def interrupt() -> None:
        try:
            wait_until(is_open)
            # Nothing wakes the thread that reads.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            wait_until(lambda: not is_open())
        finally:
            release(pipe)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        load(pipe, {})
    interrupting.join()


def test_a_configuration_may_come_through_a_pipe_in_pieces(pipe: Path) -> None:
    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            for part in ("[[acc", "ounts]]\nname = ", '"me"\nusername = "me"\n'):
                stream.write(part.encode())

    writer = threading.Thread(target=write)
    writer.start()
    assert [account.name for account in load(pipe, {}).accounts] == ["me"]
    writer.join()


def test_a_stop_ends_the_wait_for_whoever_changes_a_token(tmp_path: Path) -> None:
    file, stop = str(tmp_path / "token"), threading.Event()
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            with TokenFile("me", file, stop).locked():
                pass
        except Interrupted as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    with TokenFile("me", file).locked():
        waiting.start()
        stop.set()
        waiting.join()
    assert len(ended) == 1


def test_the_daemon_goes_on_while_a_keyring_does_not_answer(
    github: StandIn, pipe: Path, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello")
    other = '[[accounts]]\nname = "other"\ntoken_env = "TOKEN"\n'
    write_daemon_config(tmp_path, github.url, 'every = "1s"', other + IN_KEYRING)
    with RunningDaemon(tmp_path, program=COMMAND, **keyring_in(tmp_path)) as daemon:
        daemon.wait_for("sync.run_finished", account="other", times=2)
        assert pipe.with_suffix(".asked").exists()
        assert daemon.json("/livez")[0] == 200
    assert daemon.logged("daemon.stopped")[0]["clean"] is True
