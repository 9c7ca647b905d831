"""Servers that are none of the kind, or that ask for what the driver has not: told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.fault_server import FaultServer, Peer, Talk
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import migrate
from tests.support.process import repoledger, write_config


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def greeting() -> bytes:
    """Return how a MySQL server begins: its version, what it can do, a random text."""
    can = (0x00FF_F7FF & 0xFFFF).to_bytes(2, "little"), (0x00FF).to_bytes(2, "little")
    text = b"\x0a10.11.0-MariaDB\0" + bytes(4) + b"12345678\0" + can[0] + b"\x2d\x02\0" + can[1]
    return packet(0, text + b"\x15" + bytes(10) + b"123456789012\0mysql_native_password\0")


def says(*messages: bytes) -> Talk:
    def talk(peer: Peer) -> None:
        for message in messages:
            peer.send(message)
        peer.hold()

    return talk


ED25519 = says(greeting(), packet(2, b"\xfeclient_ed25519\0" + bytes(32)))
UNHEARD_OF = says(greeting(), packet(2, b"\xfenobody_knows\0" + bytes(20)))


@pytest.mark.parametrize(
    ("kind", "talk", "told"),
    [
        ("mysql", ED25519, "pynacl"),
        ("mysql", UNHEARD_OF, "nobody_knows"),
        ("mysql", says(b"SSH-2.0-OpenSSH_9.2\r\n" * 9), "mysql://"),
        ("mysql", says(packet(0, b"\x0a")), "mysql://"),
        ("mysql", says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "mysql://"),
        ("mysql", Peer.hold, "timed out.*; check the host, the port"),
        ("postgresql", Peer.hold, "timeout expired.*; check the host, the port"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_of_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, kind: str, talk: Talk, told: str
) -> None:
    monkeypatch.setitem(sys.modules, "nacl", None)  # another package may have brought it
    with FaultServer(talk=talk) as server:
        url = f"{kind}://me:secret77@127.0.0.1:{server.port}/ledger?connect_timeout=1"
        with pytest.raises(DatabaseError, match=told) as caught:
            migrate.upgrade(url)
    assert "secret77" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_host_that_cannot_be_one_is_told_of(kind: str, host: str) -> None:
    with pytest.raises(DatabaseError, match="check the host"):
        migrate.check(f"{kind}://me@{host}/ledger")


def test_a_build_of_the_driver_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_config(tmp_path, "http://127.0.0.1:9")
    done = repoledger(
        "status",
        cwd=tmp_path,
        PSYCOPG_IMPL="c",
        REPOLEDGER_DATABASE__URL="postgresql://me@127.0.0.1:9/ledger",
    )
    assert done.returncode == 2
    assert (
        "a ledger on PostgreSQL needs a library that cannot be loaded (couldn't import"
        in done.stderr
    )
