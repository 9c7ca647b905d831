"""What the environment says of the network: proxies are used, credentials in it are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.matrix.stage import RUN_FINISHED, Stage, expect
from tests.support.certificates import certify, server_context
from tests.support.fault_server import FaultServer
from tests.support.hub import Hub, some_repositories


@pytest.mark.matrix("http.netrc", "always.secret")
def test_a_netrc_that_names_the_host_is_not_read(stage: Stage) -> None:
    netrc = stage.folder / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    expect(stage.run(NETRC=str(netrc)), "succeeded", [RUN_FINISHED], seen=7)
    sent = {request.headers["authorization"] for request in stage.hub.requests}
    assert sent == {f"Bearer {TOKEN}"}


@pytest.mark.matrix("http.proxy")
def test_the_proxy_of_the_environment_is_used(tmp_path: Path) -> None:
    certify(tmp_path, "github.example")
    with Hub(some_repositories(7), context=server_context(tmp_path)) as hub:
        stage = Stage(tmp_path, hub)
        ran = stage.run(
            https_proxy=hub.url,
            REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"),
            REPOLEDGER_GITHUB__API_URL="https://github.example",
        )
    expect(ran, "succeeded", [RUN_FINISHED], seen=7)
    connects = [request for request in hub.requests if request.method == "CONNECT"]
    assert {request.target for request in connects} == {"github.example:443"}
    assert not any("authorization" in request.headers for request in connects)


@pytest.mark.matrix("http.proxy")
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_is_never_asked_for_what_is_on_this_machine(stage: Stage, name: str) -> None:
    with FaultServer() as proxy:
        expect(stage.run(**{name: proxy.url}), "succeeded", [RUN_FINISHED], seen=7)
    assert proxy.connections == 0
