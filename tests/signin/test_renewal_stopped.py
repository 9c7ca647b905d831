"""A stop while a token is renewed: the old one is spent, so the new one is kept, come what may."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.stand_in import StandIn
from tests.support.daemon import write_daemon_config
from tests.support.inside.config import load
from tests.support.inside.core import Interrupted
from tests.support.inside.signin import client_for
from tests.support.process import start_repoledger
from tests.support.signing_in import CLIENT, end_of, keep, login_config, stored

TERM, INT, HUP, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT
RENEWAL = "/login/oauth/access_token"


@pytest.fixture
def spent(github: StandIn, tmp_path: Path) -> Path:
    """The file of a token that has ended; the configuration is beside it."""
    github.add_oauth_app(CLIENT, expiring=True)
    github.add_repository("octo", "hello")
    login_config(tmp_path, github)
    return keep(tmp_path, stored(github, ends_in=-1))


@pytest.mark.parametrize(
    ("command", "signals"),
    [
        ("backfill", [TERM]),
        ("backfill", [INT, TERM, INT]),
        ("backfill", [HUP]),
        ("backfill", [QUIT]),
        ("check", [TERM, TERM]),
        ("accounts", [INT, INT]),
        ("daemon", [TERM]),
        ("daemon", [TERM, INT, TERM]),
    ],
)
def test_a_renewed_token_is_kept_before_a_signal_ends_the_process(
    github: StandIn, spent: Path, command: str, signals: list[signal.Signals]
) -> None:
    before = spent.read_text()
    folder = spent.parent
    account = '[[accounts]]\nname = "me"\ntoken_file = "token"\n'
    if command == "daemon":
        write_daemon_config(folder, github.url, 'every = "1h"', account)

    def interrupt(request: Any) -> None:
        if request.path == RENEWAL:
            github.delay = 1.5  # GitHub has renewed it, and its answer is under way
            for number in signals:
                process.send_signal(number)

    github.on_request = interrupt
    before_tests = signal.signal(HUP, signal.SIG_DFL)  # they may be run by nohup
    process = start_repoledger(command, cwd=folder)
    signal.signal(HUP, before_tests)
    code, _, said = end_of(process)
    assert code == (130 if command != "daemon" or len(signals) > 1 else 0)
    assert "Traceback" not in said
    assert spent.read_text() != before
    github.delay, github.on_request = 0.0, None
    config = load(folder / "config.toml", {})
    with client_for(config.accounts[0], config, {}, attempts=1) as client:
        assert client.check().user is not None


def test_a_client_that_is_closed_keeps_the_renewal_that_is_under_way(
    github: StandIn, spent: Path
) -> None:
    before = spent.read_text()
    config = load(spent.parent / "config.toml", {})
    client = client_for(config.accounts[0], config, {}, attempts=1)

    closing = threading.Thread(target=client.close)

    def close(request: Any) -> None:
        if request.path == RENEWAL:
            github.delay = 1.0
            closing.start()

    github.on_request = close
    with pytest.raises(Interrupted):
        client.check()
    closing.join()
    assert spent.read_text() != before
