"""What the environment says of the way to a server, and of whom to believe on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE, assert_only_ours
from tests.support.certificates import certify, server_context
from tests.support.fault_server import FaultServer, answer, tunnel
from tests.support.inside.core import ConnectFailed

WHERE = "https://api.example"
AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AUTHORITIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[FaultServer]:
    """A proxy, and api.example behind it, whose authority is an old-fashioned one."""
    certify(tmp_path, "api.example", critical=False)
    behind = answer(200, {"via": "proxy"})
    with FaultServer(tunnel(server_context(tmp_path)), behind) as server:
        yield server


@pytest.mark.matrix("http.proxy")
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    proxy: FaultServer,
    name: str,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv(name, f"http://me:proxypw77@127.0.0.1:{proxy.port}")
    assert connect(WHERE).get("/x").json() == {"via": "proxy"}
    to_proxy, to_server = proxy.requests
    assert (to_proxy.method, to_proxy.target) == ("CONNECT", "api.example:443")
    assert "proxy-authorization" in to_proxy.headers
    assert "proxy-authorization" not in to_server.headers


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_asked_through_a_proxy(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, name: str, host: str
) -> None:
    with FaultServer() as proxy, FaultServer() as server:
        monkeypatch.setenv(name, proxy.url)
        assert connect(f"http://{host}:{server.port}").get("/x").status == 200
    assert (proxy.connections, server.connections) == (0, 1)


def test_no_proxy_of_the_environment_is_honoured(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "192.0.2.0/24,.invalid")
        with pytest.raises(ConnectFailed):
            connect("https://nobody.invalid", retry=ONCE).get("/x")
    assert proxy.connections == 0


def test_a_dead_proxy_is_named_as_the_culprit_without_its_password(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as proxy:
        pass
    monkeypatch.setenv("https_proxy", f"http://me:proxypw77@127.0.0.1:{proxy.port}")
    with pytest.raises(ConnectFailed, match="proxy") as caught:
        connect(WHERE, retry=ONCE).get("/x")
    assert "proxypw77" not in str(caught.value)
    assert_only_ours(caught.value)


@pytest.mark.parametrize("name", AUTHORITIES[:3])
@pytest.mark.parametrize("critical", [True, False])
def test_an_authority_that_the_environment_names_is_believed_also_an_old_fashioned_one(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, critical: bool
) -> None:
    certify(tmp_path, critical=critical)
    monkeypatch.setenv("HOME", str(tmp_path))
    for file in (str(tmp_path / "ca.pem"), "~/ca.pem"):
        monkeypatch.setenv(name, file)
        with FaultServer(context=server_context(tmp_path)) as server:
            assert connect(f"https://localhost:{server.port}").get("/x").status == 200


def test_a_proxy_that_is_reached_by_tls_is_verified_as_a_server_is(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certify(tmp_path, critical=False)
    with FaultServer(answer(407), context=server_context(tmp_path)) as proxy:
        monkeypatch.setenv("https_proxy", f"https://localhost:{proxy.port}")
        for name, asked in (("stranger", 0), ("ca", 1)):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / f"{name}.pem"))
            with pytest.raises(ConnectFailed):
                connect(WHERE, retry=ONCE).get("/x")
            assert len(proxy.requests) == asked


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (None, "set REQUESTS_CA_BUNDLE to its file"),
        ("REQUESTS_CA_BUNDLE", "are those in {file} (REQUESTS_CA_BUNDLE)"),
        ("SSL_CERT_FILE", "are those in {file} (SSL_CERT_FILE)"),
    ],
)
def test_a_certificate_of_a_strange_authority_is_refused_at_once_and_the_variable_is_named(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str | None,
    told: str,
) -> None:
    certify(tmp_path)
    file = tmp_path / "stranger.pem"
    if name is not None:
        monkeypatch.setenv(name, str(file))
    with FaultServer(context=server_context(tmp_path)) as server:
        with pytest.raises(ConnectFailed, match="certificate verify failed") as caught:
            connect(f"https://localhost:{server.port}").get("/x")
        assert server.connections == 1
    assert told.format(file=file) in str(caught.value)
