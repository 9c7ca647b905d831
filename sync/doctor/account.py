"""The checks of an account at GitHub: sign-in, rights, quota, and its list of repositories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from sync.config import Account
from sync.config.resources import ResourceSetting
from sync.config.sections import ForgeSettings
from sync.core.clock import utc_now, wrong_by
from sync.core.errors import NotFound, NotJson, RateLimited, RestError, UnexpectedAnswer
from sync.core.redaction import printable
from sync.doctor.check_list import Finding, Stop, fail, ok, warn
from sync.forges.answers import Identity, Page
from sync.forges.forge import Forge
from sync.forges.github.protocol import likely_api_url
from sync.forges.limits import RateLimit
from sync.forges.records import Item
from sync.rest.proxy import proxy_for

_EXPIRES_SOON = timedelta(days=14)
Quota = tuple[str, int]  # where, and whose
_SIGN_ON = "https://github.com/settings/tokens, Configure SSO"


@dataclass(frozen=True)
class Visit:
    """An account and its client; `users` maps the quotas seen so far to account names.

    `resources`: their settings, by name. `pages`: the first page of the list, once it is read.
    """

    client: Forge
    account: Account
    forge: ForgeSettings
    users: dict[Quota, str]
    resources: Mapping[str, ResourceSetting] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)

    @cached_property
    def identity(self) -> Identity:
        """The account's user, as GitHub names it. Raises RestError."""
        return self.client.check()

    @property
    def listed(self) -> tuple[Item, ...] | None:
        """The repositories of the first page; None if it could not be read."""
        return self.pages[0].items if self.pages else None


def check_answer(visit: Visit) -> Iterator[Finding]:
    """Check that GitHub answers, by asking for the account's user."""
    try:
        _ = visit.identity
    except RateLimited as error:
        yield held_back(error.retry_at, visit.forge.max_wait, utc_now(), "GitHub answers")
        raise Stop from None
    except RestError as error:
        yield fail(str(error))
        yield from _address(error, visit)
        raise Stop from None


def _address(error: RestError, visit: Visit) -> Iterator[Finding]:
    """Suggest the API's address if another page answers."""
    address, section = visit.forge.api_url, visit.account.forge_section
    meant = likely_api_url(address)
    if meant is not None and isinstance(error, (NotFound, NotJson, UnexpectedAnswer)):
        yield fail(f'{address} does not seem to be the API: try {section}.api_url = "{meant}"')


def check_sign_in(visit: Visit) -> Iterator[Finding]:
    """Report the user, the server and the proxy."""
    client, identity = visit.client, visit.identity
    login = identity.user.login if identity.user else "?"
    if client.username and client.username.lower() != login.lower():
        yield warn(f"the token belongs to {login}, not to {client.username}")
    scopes = ""
    if identity.scopes is not None:
        scopes = f", scopes: {', '.join(identity.scopes) or 'none'}"
    if not client.signs_in:
        yield ok(f"reads the public repositories of {login}, without a token")
    else:
        yield ok(f"signed in as {login}, {identity.token_kind}{scopes}")
    yield ok(f"{client.base_url} answers, API version {client.api_version}")
    proxy = proxy_for(client.base_url)
    if proxy is not None:
        yield ok(f"uses the proxy {proxy}")


def check_installation(visit: Visit) -> Iterator[Finding]:
    """Report the repositories and permissions of an App's installation."""
    where = visit.identity.installed
    if where is None:
        return
    given = ", ".join(f"{name}: {level}" for name, level in sorted(where.permissions.items()))
    yield ok(
        f"the App is installed there on {where.repository_selection} repositories, with "
        f"permissions {printable(given) or 'for nothing'}"
    )
    if "metadata" not in where.permissions:
        yield fail(
            "the App needs the repository permission metadata: read; grant it in the App's settings"
        )


def check_expiry(visit: Visit) -> Iterator[Finding]:
    """Report when the token expires."""
    client, identity = visit.client, visit.identity
    if client.credentials.renews:
        yield ok("its tokens are renewed before they expire")
        return
    if identity.expires_at is None:
        if client.signs_in:
            yield ok("the token has no expiry date")
        return
    left, end = identity.expires_at - utc_now(), f"{identity.expires_at:%Y-%m-%d %H:%M} UTC"
    if left < timedelta(0):
        yield warn(f"the token expired at {end}, by this clock")
    elif left < timedelta(days=2):
        yield warn(f"the token expires in {left // timedelta(hours=1)} h, at {end}")
    else:
        message = f"the token expires in {left.days} days, on {identity.expires_at:%Y-%m-%d}"
        yield Finding("warn" if left < _EXPIRES_SOON else "ok", message)


def check_scope(visit: Visit) -> Iterator[Finding]:
    """Warn if the account wants private repositories that its token cannot see."""
    account, identity = visit.account, visit.identity
    if account.visibility == "public":
        return
    wanted = f'visibility is "{account.visibility}"'
    if not account.signs_in:
        yield warn(f"{wanted}, but only a token can see private repositories")
    elif identity.scopes is not None and "repo" not in identity.scopes:
        yield warn(f"{wanted}, but the token lacks the scope repo and sees no private repository")


def check_same_user(visit: Visit) -> Iterator[Finding]:
    """Warn of accounts that share a quota."""
    client, user, name = visit.client, visit.identity.user, visit.account.name
    if client.signs_in and user:
        other = visit.users.setdefault((client.quota_host, user.id), name)
        if other != name:
            who = "App installation" if client.credentials.app else "GitHub user"
            yield warn(f"shares the quota of account {other}: the same {who}")


def check_clock(visit: Visit) -> Iterator[Finding]:
    """Compare this machine's clock with the server's."""
    wrong = wrong_by(visit.identity.clock_skew)
    if wrong is not None:
        yield warn(f"this clock is {wrong}")
    elif visit.identity.clock_skew is not None:
        yield ok("this clock agrees with the server's")


def check_quota(visit: Visit) -> Iterator[Finding]:
    """Report the user's quota; stop if a run would be deferred."""
    if visit.identity.installed is None:
        spent = quota(visit.identity.rate_limit, visit, utc_now())
        yield spent
        if spent.result != "ok":
            raise Stop


def check_listing(visit: Visit) -> Iterator[Finding]:
    """Request the first page as a run would; report refusals and organizations left out."""
    account = visit.account
    try:
        page = visit.client.first_page(
            visibility=account.visibility, affiliation=account.affiliation
        )
    except RateLimited as error:
        yield held_back(error.retry_at, 0, utc_now(), "GitHub lists repositories")
        return
    except RestError as error:
        yield fail(str(error))
        return
    visit.pages.append(page)
    if page.left_out:
        yield warn(
            f"{_organizations(page.left_out)} left out of the list: authorise the token for "
            f"single sign-on there ({_SIGN_ON})"
        )


def _organizations(count: int) -> str:
    return "one organization is" if count == 1 else f"{count} organizations are"


def check_installation_quota(visit: Visit) -> Iterator[Finding]:
    """Report an installation's quota, which only the answer with its list contains."""
    if visit.identity.installed is not None and visit.client.rate_limit is not None:
        yield quota(visit.client.rate_limit, visit, utc_now())


CHECKS = (
    *(check_answer, check_sign_in, check_installation, check_expiry, check_scope),
    *(check_same_user, check_clock, check_quota, check_listing, check_installation_quota),
)


def quota(told: RateLimit | None, visit: Visit, now: datetime) -> Finding:
    """Report the quota left, and whether a run would wait or be deferred now."""
    if told is None:
        return ok("the server sets no limit on requests")
    forge, section = visit.forge, visit.account.forge_section
    message = f"{told.remaining} of {told.limit} requests left until {told.reset:%H:%M} UTC"
    if told.remaining > told.limit * forge.reserve:
        return ok(message)
    if told.remaining and forge.reserve:
        message = f"{message}, {section}.reserve keeps {told.limit * forge.reserve:.0f}"
        return warn(f"{message}: a run would {_then(told.reset, forge.max_wait, now)}")
    return held_back(told.reset, forge.max_wait, now, "the quota is reset")


def held_back(until: datetime | None, max_wait: float, now: datetime, then: str) -> Finding:
    """Report a limit that is reached; a failure if a run would be deferred."""
    if until is None:
        return warn("GitHub asks for a slower pace, and does not say until when")
    deferred = (until - now).total_seconds() > max_wait
    message = f"no requests are left: {then} at {until:%H:%M} UTC; a run would"
    return Finding("fail" if deferred else "warn", f"{message} {_then(until, max_wait, now)}")


def _then(until: datetime, max_wait: float, now: datetime) -> str:
    return "be deferred" if (until - now).total_seconds() > max_wait else "wait until then"
