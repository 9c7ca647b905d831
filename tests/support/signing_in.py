"""Accounts that sign in as an App, or by the device flow, as users would set them up."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sync.forges.github.app import InstallationAuth
from sync.forges.github.client import GitHubClient
from sync.forges.github.credentials import Installation
from sync.signin.saved_token import SavedToken
from tests.conftest import QUICK
from tests.stand_in import StandIn
from tests.support import file_keyring
from tests.support.app_keys import key_pair
from tests.support.daemon import wait_until
from tests.support.process import start_repoledger, write_config

CLIENT = "Iv23li0123456789"


class App(NamedTuple):
    """An App on octo's account, and where."""

    id: int
    installation: int


def installed_app(
    github: StandIn, *, key: int = 0, owner: str = "octo", expires_in: float = 3600.0
) -> App:
    """Make an App of that key, and install it."""
    number = github.add_app(f"Ledger {key}", key=key_pair(key).public)
    return App(number, github.install_app(number, owner, expires_in=expires_in))


def app_client(github: StandIn, app: App, *, key: int = 0, **options: object) -> GitHubClient:
    """Return a client that signs in as that App."""
    auth = InstallationAuth(
        app.id, key_pair(key).private, app.installation, api_url=github.url, retry=QUICK
    )
    return GitHubClient(
        credentials=Installation(auth),
        api_url=github.url,
        retry=QUICK,
        **options,  # type: ignore[arg-type]  # passed on
    )


def app_account(app: App, name: str = "app", *, key: int = 0, **keys: str) -> str:
    """Return the configuration of an account that signs in so; its key is in NAME.pem."""
    more = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return (
        f'[[accounts]]\nname = "{name}"\napp_id = "{app.id}"\nprivate_key_file = "{name}.pem"\n'
        f"installation_id = {app.installation}\n{more}"
    )


def write_key(folder: Path, name: str = "app", *, key: int = 0) -> None:
    """Write the private key for that account."""
    file = folder / f"{name}.pem"
    file.write_text(key_pair(key).private, encoding="utf-8")
    file.chmod(0o600)


def login_config(folder: Path, github: StandIn, where: str = 'token_file = "token"') -> None:
    """Write the configuration of an account that is signed in by `login`."""
    account = f'[[accounts]]\nname = "me"\n{where}\n'
    write_config(folder, github.url, account, f'client_id = "{CLIENT}"\n')


def keyring_in(folder: Path) -> dict[str, str]:
    """Return the variables that lead to a keyring in a file of that folder."""
    return {
        "PYTHON_KEYRING_BACKEND": file_keyring.NAME,
        "KEYRING_FILE": str(folder / "keyring.json"),
    }


def start_login(
    github: StandIn, folder: Path, *arguments: str, **variables: str
) -> tuple[subprocess.Popen[str], str]:
    """Start `login`; return it and the code, once it waits for somebody to enter that."""
    process = start_repoledger("login", *arguments, cwd=folder, **variables)
    wait_until(lambda: github.pending_authorizations or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process, github.pending_authorizations[-1]


def end_of(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit code of a process, and what it printed."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def log_in(github: StandIn, folder: Path, **variables: str) -> str:
    """Log in as octo; return what was said."""
    process, code = start_login(github, folder, **variables)
    github.authorize(code, "octo")
    status, out, err = end_of(process)
    assert status == 0, err
    return out


def stored(github: StandIn, *, ends_in: float, client: str = CLIENT) -> SavedToken:
    """Return what is kept of a token that octo has granted; it ends for us in that many seconds."""
    grant = github.grant(client, "octo")
    now = datetime.now(UTC)
    return SavedToken(
        token=grant.access,
        expires_at=now + timedelta(seconds=ends_in),
        refresh_token=grant.refresh,
        client_id=client,
        signed_in_at=now,
    )


def keep(folder: Path, kept: SavedToken) -> Path:
    """Write it to the file that the configuration names."""
    file = folder / "token"
    file.write_text(kept.encode() + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file
