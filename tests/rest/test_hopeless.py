"""What stands in the way of every request is told at once, each in a sentence of its own."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.rest.conftest import Connect
from tests.rest.helpers import assert_only_ours
from tests.support.fault_server import FaultServer, answer
from tests.support.inside.core import ConfigError, ConnectFailed

WHERE = "https://api.example"


@pytest.mark.parametrize(
    ("status", "told", "asked"),
    [
        (407, r"requires a valid user and password \(407\).* USER:PASSWORD@HOST", 1),
        (403, r"forbids connections to this host \(403\)", 1),
        (404, r"could not connect to this host \(404\)", 1),
        (502, r"could not connect to this host \(502\)", 3),
        (429, r"could not connect to this host \(429\)", 3),
    ],
)
def test_what_a_proxy_answers_is_told_and_what_will_not_pass_is_not_tried_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, status: int, told: str, asked: int
) -> None:
    with FaultServer(answer(status)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:proxypw77@127.0.0.1:{proxy.port}")
        with pytest.raises(
            ConnectFailed, match=f"the proxy 127.0.0.1:{proxy.port} {told}"
        ) as found:
            connect(WHERE).get("/x")
        assert proxy.connections == asked
    assert "proxypw77" not in str(found.value)
    assert_only_ours(found.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://127.0.0.1:{port}", "to the proxy 127.0.0.1:{port}: connection refused"),
        ("http://proxy.invalid:3128", "to the proxy proxy.invalid:3128: the host name cannot"),
    ],
)
def test_a_proxy_that_is_not_there_is_told_apart_from_a_server_that_is_not(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    with FaultServer() as gone:
        pass
    monkeypatch.setenv("https_proxy", address.format(port=gone.port))
    with pytest.raises(ConnectFailed, match=told.format(port=gone.port)):
        connect(WHERE).get("/x")


def test_a_proxy_that_does_not_speak_tls_is_told_with_what_its_address_should_be(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{proxy.getsockname()[1]}")

        def speak() -> None:
            with proxy.accept()[0] as peer:
                peer.recv(1024)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(ConnectFailed, match=r"does not speak TLS.*has to begin with http://"):
            connect(WHERE).get("/x")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("socks5://me:proxypw77@127.0.0.1:1080", "speaks SOCKS.*pip install pysocks"),
        ("socks5h://127.0.0.1:1080", "speaks SOCKS.*pip install pysocks"),
        ("ftp://127.0.0.1:21", "of an unknown kind; use http://HOST:PORT"),
        ("http//proxypw77:3128", "cannot be read; use http://HOST:PORT"),
        ("http://", "cannot be read"),
        ("http://me:proxypw77@:3128", "cannot be read"),
        ("http://127.0.0.1:proxypw77", "cannot be read"),
        ("http://127.0.0.1:99999", "cannot be read"),
        ("http://[::1", "cannot be read"),
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY"])
def test_a_proxy_that_can_never_be_used_is_refused_at_once_and_its_variable_named(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    address: str,
    told: str,
) -> None:
    monkeypatch.setenv(variable, address)
    with pytest.raises(ConfigError, match=rf"api.example \({variable}\).*{told}") as caught:
        connect(WHERE)
    assert "proxypw77" not in str(caught.value)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "No such file"), (b"no certificate", "no certificates in PEM"), (b"", "no cert")],
)
def test_authorities_that_can_never_be_read_are_refused_at_once_and_the_variable_named(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    content: bytes | None,
    told: str,
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(ConfigError, match=rf"{variable} names .*ca.pem, which.*{told}"):
        connect(WHERE)
    connect("http://127.0.0.1:9")  # which needs none
