"""What `repoledger check` finds out about an account at GitHub, before a run does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sync.clock import utc_now
from sync.config import Account
from sync.config.sections import GitHub
from sync.errors import NotFound, NotJson, RateLimited, RestError, UnexpectedAnswer
from sync.finding import Finding
from sync.github.answers import Identity
from sync.github.client import GitHubClient
from sync.github.protocol import RateLimit, likely_api_url
from sync.redaction import printable
from sync.rest.proxy import proxy_for

_EXPIRES_SOON = timedelta(days=14)
_CLOCK_TOLERANCE = 60.0  # seconds
Quota = tuple[str, int]  # where, and whose
_SIGN_ON = "https://github.com/settings/tokens, Configure SSO"


def examine(
    client: GitHubClient, account: Account, github: GitHub, users: dict[Quota, str]
) -> Iterator[Finding]:
    """Ask GitHub who the account is, and for the first page of its repositories.

    `users` remembers whose quota each account before it has.
    """
    try:
        identity = client.check()
    except RateLimited as error:
        yield held_back(error.retry_at, github.max_wait, utc_now(), "GitHub answers")
        return
    except RestError as error:
        yield Finding("fail", str(error))
        yield from address(error, github.api_url)
        return
    yield from server(client, identity)
    yield from installation(identity)
    yield from expiry(client, identity)
    yield from scope(account, identity)
    yield from same_user(client, account, identity, users)
    yield from clock(identity)
    if identity.installed is not None:
        # What was told of is the App's own quota; that of the installation is told with its list.
        yield from listing(client, account)
        if client.rate_limit is not None:
            yield quota(client.rate_limit, github, utc_now())
        return
    spent = quota(identity.rate_limit, github, utc_now())
    yield spent
    if spent.result == "ok":
        yield from listing(client, account)


def listing(client: GitHubClient, account: Account) -> Iterator[Finding]:
    """Ask for the first page as a run would: what is refused there, or left out."""
    try:
        page = client.first_page(visibility=account.visibility, affiliation=account.affiliation)
    except RateLimited as error:
        yield held_back(error.retry_at, 0, utc_now(), "GitHub lists repositories")
        return
    except RestError as error:
        yield Finding("fail", str(error))
        return
    if page.left_out:
        yield Finding(
            "warn",
            f"{_organizations(page.left_out)} left out of the list: authorise the token for "
            f"single sign-on there ({_SIGN_ON})",
        )


def _organizations(count: int) -> str:
    return "one organization is" if count == 1 else f"{count} organizations are"


def address(error: RestError, api_url: str) -> Iterator[Finding]:
    """Advise what the address may have to be, where something else than the API answers."""
    meant = likely_api_url(api_url)
    if meant is not None and isinstance(error, (NotFound, NotJson, UnexpectedAnswer)):
        yield Finding("fail", f'{api_url} is not the API, it seems: github.api_url = "{meant}"?')


def server(client: GitHubClient, identity: Identity) -> Iterator[Finding]:
    """Tell who signed in, to what, and by way of what."""
    login = identity.user.login if identity.user else "?"
    if client.username and client.username.lower() != login.lower():
        yield Finding("warn", f"the token belongs to {login}, not to {client.username}")
    scopes = ""
    if identity.scopes is not None:
        scopes = f", scopes: {', '.join(identity.scopes) or 'none'}"
    if not client.signs_in:
        yield Finding("ok", f"reads what is public of {login}, without a token")
    else:
        yield Finding("ok", f"signed in as {login}, {identity.token_kind}{scopes}")
    yield Finding("ok", f"{client.base_url} answers, API version {client.api_version}")
    proxy = proxy_for(client.base_url)
    if proxy is not None:
        yield Finding("ok", f"by way of the proxy {proxy}")


def installation(identity: Identity) -> Iterator[Finding]:
    """Tell what an App was given where it is installed."""
    where = identity.installed
    if where is None:
        return
    given = ", ".join(f"{name}: {level}" for name, level in sorted(where.permissions.items()))
    yield Finding(
        "ok",
        f"the App is installed there on {where.repository_selection} repositories, with "
        f"permissions {printable(given) or 'for nothing'}",
    )
    if "metadata" not in where.permissions:
        yield Finding(
            "fail", "the App needs the repository permission metadata: read; its settings give it"
        )


def expiry(client: GitHubClient, identity: Identity) -> Iterator[Finding]:
    """Tell when the token ends."""
    if client.credentials.renews:
        yield Finding("ok", "its tokens are renewed before they end")
        return
    if identity.expires_at is None:
        if client.signs_in:
            yield Finding("ok", "the token names no day on which it ends")
        return
    left, end = identity.expires_at - utc_now(), f"{identity.expires_at:%Y-%m-%d %H:%M} UTC"
    if left < timedelta(0):
        yield Finding("warn", f"the token ended at {end}, going by this clock")
    elif left < timedelta(days=2):
        yield Finding("warn", f"the token ends in {left // timedelta(hours=1)} h, at {end}")
    else:
        message = f"the token ends in {left.days} days, on {identity.expires_at:%Y-%m-%d}"
        yield Finding("warn" if left < _EXPIRES_SOON else "ok", message)


def scope(account: Account, identity: Identity) -> Iterator[Finding]:
    """Warn where private repositories are wanted that the token does not see."""
    if account.visibility == "public":
        return
    wanted = f'visibility is "{account.visibility}"'
    if not account.signs_in:
        yield Finding("warn", f"{wanted}, but without a token no private repository is seen")
    elif identity.scopes is not None and "repo" not in identity.scopes:
        yield Finding(
            "warn", f"{wanted}, but without the scope repo the token sees no private repository"
        )


def same_user(
    client: GitHubClient, account: Account, identity: Identity, users: dict[Quota, str]
) -> Iterator[Finding]:
    """Warn of accounts that share a quota."""
    if client.signs_in and identity.user:
        other = users.setdefault((client.quota_host, identity.user.id), account.name)
        if other != account.name:
            who = "App installation" if client.credentials.app else "GitHub user"
            yield Finding("warn", f"the same {who} as account {other}: one quota")


def clock(identity: Identity) -> Iterator[Finding]:
    """Compare the clocks."""
    skew = identity.clock_skew
    if skew is None:
        return
    if abs(skew) <= _CLOCK_TOLERANCE:
        yield Finding("ok", "this clock agrees with the server's")
        return
    direction = "ahead of" if skew > 0 else "behind"
    yield Finding("warn", f"this clock is {abs(skew):.0f} s {direction} the server's")


def quota(told: RateLimit | None, github: GitHub, now: datetime) -> Finding:
    """Tell what is left, and what a run would do if it began now."""
    if told is None:
        return Finding("ok", "the server sets no limit on requests")
    message = f"{told.remaining} of {told.limit} requests left until {told.reset:%H:%M} UTC"
    if told.remaining > told.limit * github.reserve:
        return Finding("ok", message)
    if told.remaining and github.reserve:
        message = f"{message}, github.reserve keeps {told.limit * github.reserve:.0f}"
        return Finding("warn", f"{message}: a run would {_then(told.reset, github.max_wait, now)}")
    return held_back(told.reset, github.max_wait, now, "the quota begins anew")


def held_back(until: datetime | None, max_wait: float, now: datetime, then: str) -> Finding:
    """Tell of a limit that is reached; one that a run would not wait for is a failure."""
    if until is None:
        return Finding("warn", "GitHub asks for a slower pace, and does not say until when")
    deferred = (until - now).total_seconds() > max_wait
    message = f"no requests are left: {then} at {until:%H:%M} UTC; a run would"
    return Finding("fail" if deferred else "warn", f"{message} {_then(until, max_wait, now)}")


def _then(until: datetime, max_wait: float, now: datetime) -> str:
    return "be deferred" if (until - now).total_seconds() > max_wait else "wait until then"
