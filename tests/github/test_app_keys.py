"""An App's private key is read however it was pasted, or it is told what stands there instead."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import QUICK
from tests.rest.helpers import everything_said
from tests.stand_in import StandIn
from tests.support.app_keys import key_pair
from tests.support.inside.core import ConfigError, scrub
from tests.support.inside.github import GitHubClient, Installation, InstallationAuth
from tests.support.inside.rest import rsa_private_key
from tests.support.redacting import no_secrets
from tests.support.signing_in import installed_app

PEM = key_pair().private
LOADED = serialization.load_pem_private_key(PEM.encode(), None)
PKCS8 = LOADED.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
BODY = "".join(PEM.splitlines()[1:-1])


@pytest.mark.parametrize("pem", [PEM, PKCS8], ids=["PKCS #1", "PKCS #8"])
@pytest.mark.parametrize(
    "pasted",
    [
        lambda pem: pem,
        lambda pem: pem.replace("\n", "\\n"),
        lambda pem: pem.replace("\n", "\\\\n"),
        lambda pem: pem.replace("\n", "\\r\\n"),
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: f'"{pem.strip()}"',
        lambda pem: "'" + pem.replace("\n", "\\n") + "'\n",
        lambda pem: pem.replace("\n", " "),
        lambda pem: pem.replace("\n", ""),
        lambda pem: pem.replace("\n", "\n    "),
        lambda pem: "the key of octocat's App\n\n" + pem + "\nkeep it secret\n",
        lambda pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + pem,
        lambda pem: b64encode(pem.encode()).decode(),
        lambda pem: '"' + b64encode(pem.encode()).decode() + '"\n',
        lambda pem: b64encode(pem.replace("\n", "\\n").encode()).decode(),
        lambda pem: "".join(pem.splitlines()[1:-1]),
        lambda pem: "\n".join(pem.splitlines()[1:-1]) + "\n",
    ],
    ids=lambda _: "",
)
def test_a_key_is_read_however_it_was_pasted(pem: str, pasted: Callable[[str], str]) -> None:
    key = rsa_private_key(pasted(pem), "it")
    assert key.private_numbers() == LOADED.private_numbers()  # type: ignore[union-attr]  # RSA


def test_an_app_signs_in_with_a_key_whose_line_breaks_are_spelled_out(github: StandIn) -> None:
    app = installed_app(github)
    pasted = '"' + PEM.replace("\n", "\\n") + '"'
    auth = InstallationAuth(app.id, pasted, app.installation, api_url=github.url, retry=QUICK)
    with GitHubClient(credentials=Installation(auth), api_url=github.url) as client:
        assert client.check().user is not None


def _elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _locked() -> str:
    return LOADED.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"sesame77"),
    ).decode()


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        (_locked(), "this key has a password"),
        (_elliptic(), "this is a key of another kind"),
        (key_pair().public, "this is a public key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "this is a certificate"),
        (PEM[:400], "the end of this key is missing"),
        (PEM.replace(PEM.splitlines()[5], ""), "this key is damaged"),
        ("/etc/keys/app.pem", "this is the name of a file"),
        ("no key", "this is not a key"),
        ("", "this is not a key"),
    ],
    ids=lambda text: text[:30].strip("-\n").partition("\n")[0],
)
def test_what_is_no_key_of_an_app_is_named_and_not_shown(pasted: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"must be an RSA key in PEM.*{told}") as caught:
        rsa_private_key(pasted, "it")
    lines = [line for line in pasted.splitlines() if len(line) == 64]
    assert not any(line in everything_said(caught.value) for line in lines)


def test_a_key_is_masked_and_the_words_beside_it_are_not() -> None:
    with no_secrets():
        rsa_private_key("key of the App of octocat, for the repository\n" + PEM, "it")
        text = "the key of octocat's repository, for BEGIN and END"
        assert scrub(text) == text
        for line in PEM.splitlines()[1:-1]:
            assert len(line) < 16 or scrub(f"a {line} b") == "a *** b"
        assert BODY not in scrub(PEM.replace("\n", "\\n"))
