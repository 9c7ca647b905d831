"""The sections of a configuration: their keys, defaults and what is right for each. No I/O here."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sync.config.commands import Command
from sync.config.values import ApiUrl, Cron, DatabaseUrl, Listen, PingUrl, Seconds, TimeZone

Affiliation = Literal["owner", "collaborator", "organization_member"]
AccountName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
        description="at most 64 letters, digits, dots, hyphens and underscores",
    ),
]
Login = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z", description="a GitHub login"),
]
Variable = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z",
        description="the name of an environment variable, such as GITHUB_TOKEN",
    ),
]
AppId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.]{0,63}\Z",
        description='the id or client id of a GitHub App, in quotes: "123456"',
    ),
]
ClientId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{1,64}\Z",
        description="the client id of a GitHub App or OAuth app",
    ),
]
FileName = Annotated[str, Meta(pattern=r"^[^\x00]+\Z", description="the path of a file")]


class Database(Struct, frozen=True, kw_only=True):
    """Where the ledger is kept; the password of a server's user may stand elsewhere."""

    url: DatabaseUrl = DatabaseUrl("sqlite:///repoledger.db")
    password_env: Variable | None = None
    password_file: FileName | None = None
    migrate: Annotated[Literal["auto", "manual"], Meta(description='"auto" or "manual"')] = "auto"


class Schedule(Struct, frozen=True, kw_only=True):
    """When the daemon syncs. Times in seconds; `cron` is None if `every` is given."""

    cron: Cron | None = None
    every: Seconds | None = None
    timezone: TimeZone = TimeZone("UTC")
    jitter: Seconds = Seconds(30)
    run_at_start: Annotated[bool, Meta(description="true or false")] = True
    concurrency: Annotated[
        int, Meta(ge=1, le=100, description="a whole number from 1 to 100 (accounts at a time)")
    ] = 4
    max_age: Seconds | None = None


class Http(Struct, frozen=True, kw_only=True):
    """Where the daemon says how it is doing; nowhere if `listen` is empty."""

    listen: Listen = Listen("127.0.0.1:8787")


class Ping(Struct, frozen=True, kw_only=True):
    """Addresses that are asked for after runs, so that their absence is noticed."""

    success_url: PingUrl | None = None
    failure_url: PingUrl | None = None


class GitHub(Struct, frozen=True, kw_only=True):
    """How GitHub is asked. Times in seconds."""

    api_url: ApiUrl = ApiUrl("https://api.github.com")
    concurrency: Annotated[
        int, Meta(ge=1, le=100, description="a whole number from 1 to 100 (GitHub's limit)")
    ] = 4
    reserve: Annotated[
        float, Meta(ge=0, lt=1, description="a share of at least 0 and less than 1, such as 0.1")
    ] = 0.1
    max_wait: Seconds = Seconds(15 * 60)
    timeout: Seconds = Seconds(30)
    client_id: ClientId | None = None


class Removals(Struct, frozen=True, kw_only=True):
    """What happens to repositories that are no longer listed.

    More than `max_share` of an account's at once are taken for a mistake, unless
    `agreeing_runs` in a row (0: none) miss the same. `max_probes` are asked for in a run.
    """

    max_share: Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")] = 0.2
    agreeing_runs: Annotated[
        int, Meta(ge=0, le=1000, description="a whole number of runs; 0 to wait for you")
    ] = 0
    max_probes: Annotated[
        int, Meta(ge=1, le=100_000, description="a whole number of repositories, at least 1")
    ] = 500
    on_private: Annotated[
        Literal["keep", "redact", "purge"], Meta(description='"keep", "redact" or "purge"')
    ] = "redact"


class Account(Struct, frozen=True, kw_only=True):
    """An identity whose repositories are synced.

    `cron` or `every`, `timezone` and `jitter` stand in for those of the
    schedule, the ping addresses for those of the installation.
    """

    name: AccountName
    username: Login | None = None
    token_env: Variable | None = None
    token_file: FileName | None = None
    token_command: Command | None = None
    keyring: Annotated[bool, Meta(description="true or false")] = False
    scheme: Annotated[Literal["bearer", "basic"], Meta(description='"bearer" or "basic"')] = (
        "bearer"
    )
    app_id: AppId | None = None
    installation_id: (
        Annotated[int, Meta(ge=1, le=2**63 - 1, description="the number of an installation")] | None
    ) = None
    private_key_env: Variable | None = None
    private_key_file: FileName | None = None
    visibility: Annotated[
        Literal["public", "private", "all"], Meta(description='"public", "private" or "all"')
    ] = "public"
    affiliation: Annotated[
        tuple[Affiliation, ...],
        Meta(
            min_length=1,
            description='a list of "owner", "collaborator" and "organization_member"',
        ),
    ] = ("owner", "collaborator", "organization_member")
    cron: Cron | None = None
    every: Seconds | None = None
    timezone: TimeZone | None = None
    jitter: Seconds | None = None
    ping_success_url: PingUrl | None = None
    ping_failure_url: PingUrl | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The keys that say where its secret is: one, none to read publicly, more by mistake."""
        keys = ("token_env", "token_file", "token_command", "keyring", "app_id")
        return tuple(key for key in keys if getattr(self, key))

    @property
    def signs_in(self) -> bool:
        """Whether it has a secret, rather than reading publicly."""
        return bool(self.sources)
