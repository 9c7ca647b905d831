"""The commands login and logout: a token from GitHub, kept where the configuration says."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import click

from sync.cli import output
from sync.cli.settings import Settings, stop_on_signals
from sync.errors import ConfigError, Interrupted, RestError
from sync.redaction import scrub

if TYPE_CHECKING:
    from sync.config import Account, Config
    from sync.config.places import Place
    from sync.github.device import DeviceCode

_account_option = click.option(
    "--account", metavar="NAME", help="Which account; needed if there are several."
)


@click.command
@_account_option
@click.option(
    "--client-id",
    metavar="ID",
    help="Client id of a GitHub App or OAuth app; else github.client_id.",
)
@click.option(
    "--scope",
    metavar="SCOPES",
    help="Scopes to ask for, separated by spaces; else repo if private repositories are synced, "
    "and none if not.",
)
@click.pass_obj
def login(
    settings: Settings, account: str | None, client_id: str | None, scope: str | None
) -> None:
    """Sign in at GitHub with a code, and keep the token in the keyring or a file.

    Where, the account says in the configuration: keyring = true, or token_file. It needs an app
    that allows the device flow; https://github.com/settings/apps makes one.

    Example: repoledger login --account me --client-id Iv23liabcdefghij
    """
    config = settings.load()
    settings.start_log("error")
    chosen = _chosen(config, account)
    place = _place(config, chosen)
    wanted = "" if chosen.visibility == "public" else "repo"
    app = client_id or config.github.client_id
    if app is None:
        raise ConfigError(
            "github.client_id is not set, and there is no --client-id: it is that of a GitHub App "
            "or OAuth app of yours that allows the device flow (https://github.com/settings/apps)"
        )
    from sync.clock import utc_now
    from sync.config.places import held
    from sync.github.device import DeviceFlow
    from sync.github.stored import packed

    with held(place):  # before anybody is asked to do anything
        place.require()
    with stop_on_signals() as stop:
        flow = DeviceFlow(
            app,
            api_url=config.github.api_url,
            scope=wanted if scope is None else scope,
            timeout=config.github.timeout,
            stop=stop,
        )
        with closing(flow):
            code = flow.start()
            _show(code)
            granted = flow.wait(code)
        with held(place):
            place.write(packed(granted, app, utc_now()))
        output.say(f"{chosen.name}: the token is in {place}{_as_whom(config, chosen, stop)}")
    if granted.expires_at is not None and granted.refresh_token is None:
        output.say(
            f"{chosen.name}: it ends at {granted.expires_at:%Y-%m-%d %H:%M} UTC and cannot be "
            "renewed: log in again then, or have the app give tokens that do not end"
        )


@click.command
@_account_option
@click.pass_obj
def logout(settings: Settings, account: str | None) -> None:
    """Remove the token that login has kept."""
    config = settings.load()
    chosen = _chosen(config, account)
    place = _place(config, chosen)
    from sync.config.places import held

    with held(place):
        removed = place.remove()
    if removed:
        output.say(
            f"{chosen.name}: removed the token from {place}. GitHub still accepts it until you "
            f"revoke it there: {_site(config)}/settings/applications"
        )
    else:
        output.say(f"{chosen.name}: there is no token in {place}")


def _site(config: Config) -> str:
    from sync.github.protocol import site_of

    return site_of(config.github.api_url)


def _chosen(config: Config, name: str | None) -> Account:
    if name is not None:
        return config.account(name)
    if len(config.accounts) > 1:
        names = ", ".join(account.name for account in config.accounts)
        raise ConfigError(f"there are several accounts: --account says which ({names})")
    return config.accounts[0]


def _place(config: Config, account: Account) -> Place:
    from sync.config.places import place_of

    place = place_of(account, config.github.api_url)
    if place is None:
        raise ConfigError(
            f"account {account.name}: its token is not kept by repoledger; for that, let "
            f"{config.source} say keyring = true or token_file, and no other place"
        )
    return place


def _show(code: DeviceCode) -> None:
    """Tell the person what to do, with a picture for those who have a telephone at hand."""
    print(f"Open {code.verification_uri} and enter this code:\n", file=sys.stderr)
    print(f"    {code.user_code}\n", file=sys.stderr)
    _draw(code.verification_uri)
    until = f"{code.expires_at:%H:%M}"
    print(f"Waiting for you until {until} UTC; Ctrl-C ends it.", file=sys.stderr, flush=True)


def _draw(address: str) -> None:
    """Show an address as a QR code, where somebody can see it."""
    if not sys.stderr.isatty() or "utf" not in sys.stderr.encoding.lower():
        return
    import segno

    code = segno.make(address, micro=False)
    if code.symbol_size(border=4)[0] <= shutil.get_terminal_size().columns:
        code.terminal(out=sys.stderr, border=4, compact=True)


def _as_whom(config: Config, account: Account, stop: threading.Event) -> str:
    from sync.clients import client_for

    try:
        with client_for(account, config, os.environ, stop=stop, max_wait=0.0, attempts=2) as client:
            user = client.check().user
    except (Interrupted, RestError) as error:  # the token is there, and that much is told
        return f"; it could not be tried: {scrub(str(error))}"
    if user is None:
        return ""
    # The configuration may be of somebody else.
    if account.username and account.username.lower() != user.login.lower():
        return f", and it belongs to {user.login}, not to {account.username}"
    return f", signed in as {user.login}"
