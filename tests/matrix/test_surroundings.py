"""What the environment says of the network: proxies are used, credentials in it are not."""

from __future__ import annotations

import pytest

from tests.conftest import TOKEN
from tests.matrix.stage import RUN_FINISHED, Stage, expect
from tests.support.fault_server import FaultServer


@pytest.mark.matrix("http.netrc", "always.secret")
def test_a_netrc_that_names_the_host_is_not_read(stage: Stage) -> None:
    netrc = stage.folder / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    expect(stage.run(NETRC=str(netrc)), "succeeded", [RUN_FINISHED], seen=7)
    sent = {request.headers["authorization"] for request in stage.hub.requests}
    assert sent == {f"Bearer {TOKEN}"}


@pytest.mark.matrix("http.proxy")
def test_the_proxy_of_the_environment_is_used(stage: Stage) -> None:
    with FaultServer() as gone:
        pass
    variables = {"http_proxy": stage.hub.url, "REPOLEDGER_GITHUB__API_URL": gone.url}
    expect(stage.run(**variables), "succeeded", [RUN_FINISHED], seen=7)
    assert all(request.target.startswith(gone.url) for request in stage.hub.requests)
