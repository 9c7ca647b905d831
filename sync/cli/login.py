"""The commands login and logout: get a token from GitHub, and save or remove it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import click

from sync.cli import completion, output
from sync.cli.settings import Settings, stop_on_signals
from sync.core.errors import ConfigError, Interrupted, RestError
from sync.core.redaction import scrub

if TYPE_CHECKING:
    from sync.config import Account, Config
    from sync.config.sections import ForgeSettings
    from sync.forges.github.device import DeviceCode
    from sync.signin.token_store import TokenStore

_account_option = click.option(
    "--account",
    metavar="NAME",
    shell_complete=completion.accounts,
    help="The account; required if there are several.",
)


@click.command
@_account_option
@click.option(
    "--client-id",
    metavar="ID",
    help="Client id of a GitHub App or OAuth app. Default: client_id of the account's host.",
)
@click.option(
    "--scope",
    metavar="SCOPES",
    help="Scopes to request, separated by spaces. Default: repo if private repositories are "
    "synced, otherwise none.",
)
@click.pass_obj
def login(
    settings: Settings, account: str | None, client_id: str | None, scope: str | None
) -> None:
    """Sign in to GitHub with a code, and save the token in the keyring or a file.

    In the configuration, the account chooses the place: keyring = true, or token_file. You need
    an app that allows the device flow: create one at https://github.com/settings/apps.

    Example: repoledger login --account me --client-id Iv23liabcdefghij
    """
    config = settings.load()
    settings.start_log("error")
    chosen = _chosen(config, account)
    store = _store(config, chosen)
    wanted = "" if chosen.visibility == "public" else "repo"
    forge = config.forge_of(chosen)
    app = client_id or forge.client_id
    if app is None:
        raise ConfigError(
            f"set {chosen.forge_section}.client_id or give --client-id: the client id of your "
            f"GitHub App or OAuth app that allows the device flow ({_site(forge)}/settings/apps)"
        )
    from sync.core.clock import utc_now
    from sync.doctor.moved_accounts import refused_by_ledger
    from sync.forges.github.device import DeviceFlow
    from sync.signin.saved_token import encode_granted

    refusal = refused_by_ledger(config).get(chosen.name)
    if refusal is not None:  # its saved token may be of the host before
        raise ConfigError(f"account {chosen.name}: {refusal}")
    with store.locked():  # before the user has to do anything
        store.require()
    with stop_on_signals() as stop:
        flow = DeviceFlow(
            app,
            api_url=forge.api_url,
            scope=wanted if scope is None else scope,
            timeout=forge.timeout,
            stop=stop,
        )
        with closing(flow):
            code = flow.start()
            _show(code)
            granted = flow.wait(code)
        with store.locked():
            store.write(encode_granted(granted, app, utc_now()))
        output.say(f"{chosen.name}: the token is in {store}{_as_whom(config, chosen, stop)}")
    if granted.expires_at is not None and granted.refresh_token is None:
        output.say(
            f"{chosen.name}: the token expires at {granted.expires_at:%Y-%m-%d %H:%M} UTC and "
            "cannot be renewed: log in again then, or turn off token expiry in the app's settings"
        )


@click.command
@_account_option
@click.pass_obj
def logout(settings: Settings, account: str | None) -> None:
    """Remove the token that login has saved."""
    config = settings.load()
    chosen = _chosen(config, account)
    store = _store(config, chosen)
    with store.locked():
        removed = store.remove()
    if removed:
        output.say(
            f"{chosen.name}: removed the token from {store}. GitHub still accepts it until you "
            f"revoke it there: {_site(config.forge_of(chosen))}/settings/applications"
        )
    else:
        output.say(f"{chosen.name}: there is no token in {store}")


def _site(forge: ForgeSettings) -> str:
    from sync.forges.github.protocol import site_of

    return site_of(forge.api_url)


def _chosen(config: Config, name: str | None) -> Account:
    if name is not None:
        return config.account(name)
    if len(config.accounts) > 1:
        names = ", ".join(account.name for account in config.accounts)
        raise ConfigError(f"there are several accounts: choose one with --account ({names})")
    return config.accounts[0]


def _store(config: Config, account: Account) -> TokenStore:
    from sync.signin.tokens import token_store_of

    store = token_store_of(account, config.forge_of(account).api_url)
    if store is None:
        raise ConfigError(
            f"account {account.name}: to let repoledger save its token, set keyring = true or "
            f"token_file in {config.source}, in place of its present way to sign in"
        )
    return store


def _show(code: DeviceCode) -> None:
    """Show the address and the code, and a QR code for a phone."""
    print(f"Open {code.verification_uri} and enter this code:\n", file=sys.stderr)
    print(f"    {code.user_code}\n", file=sys.stderr)
    _draw(code.verification_uri)
    until = f"{code.expires_at:%H:%M}"
    print(f"Waiting for you until {until} UTC; Ctrl-C cancels.", file=sys.stderr, flush=True)


def _draw(address: str) -> None:
    """Show an address as a QR code, if stderr is a terminal."""
    if not sys.stderr.isatty() or "utf" not in sys.stderr.encoding.lower():
        return
    import segno

    code = segno.make(address, micro=False)
    if code.symbol_size(border=4)[0] <= shutil.get_terminal_size().columns:
        code.terminal(out=sys.stderr, border=4, compact=True)


def _as_whom(config: Config, account: Account, stop: threading.Event) -> str:
    from sync.signin.clients import client_for

    try:
        with client_for(account, config, os.environ, stop=stop, max_wait=0.0, attempts=2) as client:
            user = client.check().user
    except (Interrupted, RestError) as error:  # the token is saved all the same
        return f"; the test of the token failed: {scrub(str(error))}"
    if user is None:
        return ""
    # The configuration may name another user.
    if account.username and account.username.lower() != user.login.lower():
        return f", and it belongs to {user.login}, not to {account.username}"
    return f", signed in as {user.login}"
