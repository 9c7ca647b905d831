"""A database server whose address nobody tells: it is waited for a while, until a stop at most."""

from __future__ import annotations

import threading

import pytest

from tests.support.fault_server import PATIENCE
from tests.support.inside.core import Interrupted
from tests.support.inside.database import dialect_of, server
from tests.support.places import failures

URLS = [
    "postgresql://me@db.example.com/ledger?connect_timeout=2",
    "mysql://me@db.example.com/ledger?connect_timeout=2",
]


@pytest.mark.usefixtures("silent_name_servers")
@pytest.mark.parametrize("url", URLS)
def test_name_servers_that_do_not_answer_are_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_NAME_PATIENCE", 0.3)
    (message,) = failures(url)
    assert "neither the name servers nor the server" in message
    assert "db.example.com" in message


@pytest.mark.parametrize("url", URLS)
def test_a_stop_ends_the_wait_for_name_servers(
    url: str, silent_name_servers: threading.Event
) -> None:
    stop = threading.Event()

    def stop_it() -> None:
        silent_name_servers.wait(PATIENCE)
        stop.set()

    setter = threading.Thread(target=stop_it)
    setter.start()
    engine = dialect_of(url).writing_engine(stop)
    with pytest.raises(Interrupted):
        engine.connect()
    engine.dispose()
    setter.join()
