"""The sections of a configuration: keys, defaults and valid values. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from sync.config.database_url import DatabaseUrl
from sync.config.resources import AccountResources
from sync.config.values import (
    ApiUrl,
    Command,
    Cron,
    Listen,
    PingUrl,
    Retained,
    Seconds,
    TimeZone,
)
from sync.core.origin import host_of

DEFAULT_FORGE = "github"  # the section [github]

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
HostNames = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}\Z")], ...],
    Meta(description="a list of host names without ports, such as monitoring.example.com"),
]
FileName = Annotated[str, Meta(pattern=r"^[^\x00]+\Z", description="the path of a file")]

# Keys that exclude each other, each with the keys that need it.
Alternatives = Mapping[str, tuple[str, ...]]
_RHYTHMS: Alternatives = {"cron": (), "every": ()}
_TOKENS = ("token_env", "token_file", "token_command", "keyring")
_SECRETS: Alternatives = {
    **dict.fromkeys(_TOKENS, ("scheme",)),
    "app_id": ("installation_id", "private_key_env", "private_key_file"),
}


class Database(Struct, frozen=True, kw_only=True):
    """The ledger's database; the password may be in a variable or file of its own."""

    alternatives: ClassVar[tuple[Alternatives, ...]] = ({"password_env": (), "password_file": ()},)

    url: DatabaseUrl = DatabaseUrl("sqlite:///repoledger.db")
    password_env: Variable | None = None
    password_file: FileName | None = None
    migrate: Annotated[Literal["auto", "manual"], Meta(description='"auto" or "manual"')] = "auto"


class Schedule(Struct, frozen=True, kw_only=True):
    """When the daemon syncs. Times in seconds; `cron` is None if `every` is given."""

    alternatives: ClassVar[tuple[Alternatives, ...]] = (_RHYTHMS,)

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
    """The daemon's HTTP listener for health checks and metrics; none if `listen` is empty.

    `names` are further host names that it answers to, beside addresses, localhost and this
    machine's name.
    """

    listen: Listen = Listen("127.0.0.1:8787")
    names: HostNames = ()


class Ping(Struct, frozen=True, kw_only=True):
    """URLs requested after each run (dead man's switch, such as Healthchecks)."""

    success_url: PingUrl | None = None
    failure_url: PingUrl | None = None


class ForgeSettings(Struct, frozen=True, kw_only=True):
    """Settings of a host: the section `[github]`, or `[forges.NAME]`. Times in seconds."""

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
    rewrite_links: Annotated[bool, Meta(description="true or false")] = False

    @property
    def host(self) -> str:
        """The host within which ids are unique."""
        return host_of(self.api_url)


def section_of(forge: str) -> str:
    """Return the section of the forge with this name."""
    return forge if forge == DEFAULT_FORGE else f"forges.{forge}"


class Removals(Struct, frozen=True, kw_only=True):
    """The handling of repositories that are no longer listed.

    If more than `max_share` of an account's repositories are missing, removals are withheld,
    until `agreeing_runs` in a row (0: never) miss the same ones. `max_probes`: the largest
    number of missing repositories requested in a run.
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


class Retention(Struct, frozen=True, kw_only=True):
    """How long the ledger keeps runs and rejected items. Times in seconds."""

    runs: Retained = Retained(365 * 86400)
    rejected: Retained = Retained(90 * 86400)


class Account(Struct, frozen=True, kw_only=True):
    """An identity whose repositories are synced.

    `cron` or `every`, `timezone`, `jitter`, the ping addresses and the keys of `resources`
    override those of `[schedule]`, `[ping]` and `[resources]`.
    """

    alternatives: ClassVar[tuple[Alternatives, ...]] = (
        *(_SECRETS, {"private_key_env": (), "private_key_file": ()}, _RHYTHMS),
    )

    name: AccountName
    forge: Annotated[str, Meta(description="the name of a section [forges.NAME]")] = DEFAULT_FORGE
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
    resources: AccountResources = AccountResources()

    @property
    def sources(self) -> tuple[str, ...]:
        """The keys that name a place of its secret: one; none to read without signing in."""
        return tuple(key for key in _SECRETS if getattr(self, key))

    @property
    def forge_section(self) -> str:
        """The section with the settings of its host."""
        return section_of(self.forge)

    @property
    def signs_in(self) -> bool:
        """Whether it has a secret; otherwise it reads without signing in."""
        return bool(self.sources)
