"""Every mistake in a configuration is told with its key and what would be right, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rest.helpers import everything_said
from tests.support.inside.config import load
from tests.support.inside.core import ConfigError

GOOD = '[[accounts]]\nname = "me"\ntoken_env = "GITHUB_TOKEN"\n'
APP = '[[accounts]]\nname = "me"\n'
KEY = 'private_key_file = "k"'

# What is written, and what must be said about it.
MISTAKES = [
    ('[database]\nurl = "oracle://u:hunter2@h/db"', "database.url: must be", "sqlite:///FILE"),
    ('[database]\nurl = "postgresql://u@h"', "database.url: must be", "name of the database"),
    ('[database]\nurl = "mysql://u@h:port/x"', "database.url: must be", "mysql://HOST/DATABASE"),
    ('[database]\npassword_env = "X"', "database.password_env: has no meaning", "SQLite"),
    ('[database]\nurl = "sqlite://"', "database.url: must be", "sqlite:///FILE"),
    ('[database]\nurl = "sqlite:///:memory:"', "database.url: must be", "a file"),
    ('[database]\nurl = "repoledger.db"', "database.url: must be", "sqlite:///FILE"),
    ("[database]\nurl = 5", "database.url: must be", "sqlite:///FILE"),
    ('[database]\nmigrate = "never"', "database.migrate: must be", '"auto" or "manual"'),
    ('[database]\nulr = "sqlite:///x"', "database.ulr: unknown key", "did you mean url?"),
    ("database = 5", "database: must be a table", "keys"),
    ('[schedule]\ncron = "0 * * *"', "schedule.cron: must be five cron fields", "0 * * * *"),
    ('[schedule]\ncron = "61 * * * *"', "schedule.cron: is not a cron expression", "0 to 59"),
    ('[schedule]\ncron = "0 0 * * 1"', "schedule.cron: must name weekdays", "mon-fri"),
    ('[schedule]\ncron = "0 0 1 * mon"', "schedule.cron: must not restrict both", "weekday"),
    ('[schedule]\ncron = "0 0 30 2 *"', "schedule.cron:", "fires"),
    ("[schedule]\ncron = 5", "schedule.cron: must be five cron fields", "0 * * * *"),
    ('[schedule]\nevery = "often"', "schedule.every: must be a length of time", '"30s"'),
    ('[schedule]\nevery = "0s"', "schedule.every: must be at least 1s", ""),
    ('[schedule]\ncron = "0 * * * *"\nevery = "1h"', "schedule: give cron or every", "not both"),
    ('[schedule]\ntimezone = "Mars/Phobos"', "schedule.timezone: must be an IANA", '"UTC"'),
    ("[schedule]\ntimezone = []", "schedule.timezone: must be an IANA", '"UTC"'),
    ('[schedule]\njitter = "-1s"', "schedule.jitter: must be a length of time", '"30s"'),
    ("[schedule]\njitter = nan", "schedule.jitter: must be a length of time", "366d"),
    ('[schedule]\njitter = "61m"', "schedule.jitter: a jitter of 1:01:00 is longer", "1:00:00"),
    (
        '[schedule]\ncron = "0 9,10 * * *"\njitter = "90m"',
        "schedule.jitter: a jitter of 1:30:00 is longer than the 1:00:00 between two runs",
        '"0 9,10 * * *"',
    ),
    ('[schedule]\nrun_at_start = "yes"', "schedule.run_at_start: must be", "true or false"),
    ("[schedule]\nrun_at_start = 1", "schedule.run_at_start: must be", "true or false"),
    ('[github]\napi_url = "http://ghe.example.com"', "github.api_url: is http://", "https://"),
    ('[github]\napi_url = "https://u:hunter2@h"', "github.api_url: must not contain user", ""),
    ('[github]\napi_url = "ghe.example.com"', "github.api_url: must start with", "https://"),
    ("[github]\nconcurrency = 0", "github.concurrency: must be a whole number", "1 to 100"),
    ("[github]\nconcurrency = 101", "github.concurrency: must be a whole number", "1 to 100"),
    ("[github]\nconcurrency = 2.5", "github.concurrency: must be a whole number", "1 to 100"),
    ("[github]\nconcurrency = true", "github.concurrency: must be a whole number", "1 to 100"),
    ('[github]\nconcurrency = "4"', "github.concurrency: must be a whole number", "1 to 100"),
    ("[github]\nreserve = 1", "github.reserve: must be a share", "less than 1"),
    ("[github]\nreserve = nan", "github.reserve: must be a share", "0.1"),
    ('[github]\nmax_wait = "15 minutes"', "github.max_wait: must be a length", '"15m"'),
    ("[github]\nmax_wait = true", "github.max_wait: must be a length of time", '"15m"'),
    ('[github]\nmax_wait = "400d"', "github.max_wait: must be a length of time", "366d"),
    ("[github]\ntimeout = 0", "github.timeout: must be more than 0s", ""),
    ("[removals]\nmax_share = 1.5", "removals.max_share: must be a share", "0 to 1"),
    ('[retention]\nruns = "5h"', "retention.runs: must be a length of time", "from 1d to 36525d"),
    ('[removals]\non_private = "hide"', "removals.on_private: must be", '"redact"'),
    ("[schedule]\nconcurrency = 0", "schedule.concurrency: must be a whole", "1 to 100"),
    ('[http]\nlisten = "8787"', "http.listen: must be", "127.0.0.1:8787"),
    ('[http]\nlisten = "here:port"', "http.listen: must be", "127.0.0.1:8787"),
    ('[http]\nlisten = "h:99999"', "http.listen: must be", "127.0.0.1:8787"),
    ('[http]\nlisten = "http://h:1"', "http.listen: must be", "127.0.0.1:8787"),
    ('[http]\nlisten = "h:1?x"', "http.listen: must be", "127.0.0.1:8787"),
    ('[http]\nlisten = "h:1#x"', "http.listen: must be", "127.0.0.1:8787"),
    ('[http]\nnames = ["h:80"]', "http.names: must be a list of host names", "without ports"),
    ('[http]\nnames = ["*"]', "http.names: must be a list of host names", "without ports"),
    ('[http]\nnames = "h"', "http.names: must be a list of host names", "without ports"),
    ('[ping]\nsuccess_url = "ftp://hunter2"', "ping.success_url: must be an address", "https://"),
    ('[ping]\nfailure_url = "http://x/hunter2"', "ping.failure_url: must be", "https://"),
    ('[ping]\nfailure_url = "https://u:hunter2\u2100@x/"', "ping.failure_url: must be", "https://"),
    ('[ping]\nfailure_url = "https://u:hunter2@x/"', "ping.failure_url: must be", "https://"),
    ("[githbu]\nreserve = 0.1", "githbu: unknown section", "did you mean github?"),
    ("colour = 1", "colour: unknown section", "known: database"),
]
ACCOUNT_MISTAKES = [
    ("", "accounts: at least one [[accounts]] is needed"),
    ('[accounts]\nname = "me"', "accounts: must be a list of tables, each written [[accounts]]"),
    ("accounts = [5]", "accounts[0]: must be a table of keys"),
    ('[[accounts]]\ntoken_env = "T"', "accounts[0].name: is missing"),
    ('[[accounts]]\nname = ""\ntoken_env = "T"', "accounts[0].name: must be at most 64 letters"),
    ('[[accounts]]\nname = "a b"\ntoken_env = "T"', "accounts[0].name: must be at most 64 letters"),
    ('[[accounts]]\nname = "me\\n"\ntoken_env = "T"', "accounts[0].name: must be at most 64"),
    (
        '[[accounts]]\nname = "me"',
        "accounts[0]: needs token_env, token_file, ",
    ),
    (
        '[[accounts]]\nname = "me"\ntoken_env = "T"\ntoken_file = "t"',
        "accounts[0]: give token_env or token_file, not both",
    ),
    (
        '[[accounts]]\nname = "me"\ntoken_env = "MY TOKEN"',
        "accounts[0].token_env: must be the name of an environment variable",
    ),
    ('[[accounts]]\nname = "me"\ntoken_file = ""', "accounts[0].token_file: must be the path"),
    ('[[accounts]]\nname = "me"\ntoken_file = "a\\u0000"', "accounts[0].token_file: must be the"),
    ('[[accounts]]\nname = "me"\nusername = "a/b"', "accounts[0].username: must be a GitHub login"),
    (GOOD + 'token_command = "gh auth token"', "accounts[0]: give token_env or token_command, not"),
    (GOOD + "keyring = true", "accounts[0]: give token_env or keyring, not both"),
    (GOOD + 'keyring = "yes"', "accounts[0].keyring: must be true or false"),
    (GOOD + 'scheme = "basic"', 'accounts[0].scheme: "basic" needs a username and a token'),
    (GOOD + 'scheme = "digest"', 'accounts[0].scheme: must be "bearer" or "basic"'),
    (GOOD + 'private_key_env = "K"', "accounts[0].private_key_env: needs app_id"),
    (GOOD + "installation_id = 5", "accounts[0].installation_id: needs app_id"),
    (GOOD + 'token_comand = "x"', "accounts[0].token_comand: unknown key"),
    *[
        (
            f'[[accounts]]\nname = "me"\ntoken_command = {value}',
            "accounts[0].token_command: must be",
        )
        for value in ('""', '"a \'b"', "[]", "[1]", '[""]', "5", '"a\\u0000b"')
    ],
    (f'{APP}app_id = "1"', "accounts[0]: an App needs private_key_env or private_key_file"),
    (
        f'{APP}app_id = "1"\nprivate_key_env = "K"\nprivate_key_file = "k"',
        "accounts[0]: give private_key_env or private_key_file, not both",
    ),
    (f"{APP}app_id = 5\n{KEY}", "accounts[0].app_id: must be the id or client id of a GitHub App"),
    (f'{APP}app_id = ""\n{KEY}', "accounts[0].app_id: must be the id or client id of a GitHub"),
    (f'{APP}app_id = "1"\ninstallation_id = 0\n{KEY}', "accounts[0].installation_id: must be"),
    (f'{APP}app_id = "1"\ninstallation_id = "x"\n{KEY}', "accounts[0].installation_id: must be"),
    (f'{APP}app_id = "1"\nscheme = "basic"\n{KEY}', 'accounts[0].scheme: "basic" needs'),
    (GOOD + 'cron = "0 0 * * 0"', "accounts[0].cron: must name weekdays"),
    (GOOD + 'cron = "0 0 * * *"\nevery = "1h"', "accounts[0]: give cron or every, not both"),
    (GOOD + 'every = "10ms"', "accounts[0].every: must be a length of time"),
    (GOOD + 'every = "0.5s"', "accounts[0].every: must be at least 1s"),
    (GOOD + 'visibility = "internal"', 'accounts[0].visibility: must be "public"'),
    (GOOD + 'affiliation = ["friend"]', 'accounts[0].affiliation: must be a list of "owner"'),
    (GOOD + "affiliation = []", 'accounts[0].affiliation: must be a list of "owner"'),
    (GOOD + 'affiliation = "owner"', 'accounts[0].affiliation: must be a list of "owner"'),
    (GOOD + 'tokn_env = "T"', "accounts[0].tokn_env: unknown key; did you mean token_env?"),
    (GOOD + GOOD.replace('"me"', '"ME"'), "accounts[1].name: the name 'ME' is given twice"),
]


def problems_of(folder: Path, text: str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    """Return what is said about a configuration."""
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {})
    assert "hunter2" not in everything_said(caught.value)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


@pytest.mark.matrix("process.bad-config", "process.plain-http")
@pytest.mark.parametrize(("text", "key", "right"), MISTAKES)
def test_a_mistake_is_told_with_its_file_its_key_and_what_would_be_right(
    tmp_path: Path, text: str, key: str, right: str
) -> None:
    (problem,) = problems_of(tmp_path, f"{text}\n{GOOD}")
    assert problem.startswith(f"{tmp_path}/config.toml: {key}")
    assert right in problem


@pytest.mark.parametrize(("text", "expected"), ACCOUNT_MISTAKES)
def test_a_mistake_in_an_account_is_told_with_its_number(
    tmp_path: Path, text: str, expected: str
) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith(f"{tmp_path}/config.toml: {expected}")


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ('jitter = "2h"', "accounts[0].jitter"),
        ('cron = "*/5 * * * *"', "accounts[0].cron"),
        ('cron = "* * * * *"\njitter = "1h"', "accounts[0].jitter"),
    ],
)
def test_an_account_s_jitter_must_not_be_longer_than_its_rhythm_either(
    tmp_path: Path, own: str, key: str
) -> None:
    text = '[schedule]\njitter = "10m"\n[[accounts]]\nname = "me"\nusername = "octo"\n'
    (problem,) = problems_of(tmp_path, text + own)
    assert f"config.toml: {key}: a jitter of " in problem


@pytest.mark.parametrize(
    ("schedule", "own"),
    [
        ("", 'every = "1m"\njitter = "2m"'),
        ("", 'every = "1h"\njitter = "5s"'),
        ('every = "1h"', 'jitter = "5s"'),
    ],
)
def test_an_account_s_jitter_that_would_delay_nothing_is_refused(
    tmp_path: Path, schedule: str, own: str
) -> None:
    account = f'[[accounts]]\nname = "me"\nusername = "octo"\n{own}\n'
    (problem,) = problems_of(tmp_path, f"[schedule]\n{schedule}\n{account}")
    assert "config.toml: accounts[0].jitter: has no effect" in problem


@pytest.mark.parametrize(
    "text",
    [
        'jitter = "1h"',
        'cron = "0 0 1 * *"\njitter = "28d"',
        'every = "1m"\njitter = "1h"',  # for accounts with a cron
    ],
)
def test_a_jitter_as_long_as_the_rhythm_is_allowed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[schedule]\n{text}\n[[accounts]]\nname = "me"\nusername = "octo"\n')
    assert load(file, {}).schedule.jitter >= 3600


@pytest.mark.matrix("process.bad-config")
def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = """
    colour = "blue"
    [database]
    url = "oracle://"
    migrate = "perhaps"
    [schedule]
    cron = "whenever"
    jitter = "a bit"
    [github]
    api_url = "http://ghe.example.com"
    concurrency = 0
    speed = "high"
    [removals]
    max_share = 2
    [[accounts]]
    token_env = "T"
    [[accounts]]
    name = "me"
    """
    environ = {"REPOLEDGER_GITHUB__TIMEOUT": "soon", "REPOLEDGER_GITHUB_RESERVE": "0.5"}
    told = problems_of(tmp_path, text, environ)
    keys = [problem.partition(": ")[2].partition(":")[0] for problem in told]
    assert sorted(keys) == sorted(
        [
            *("colour", "database.url", "database.migrate", "schedule.cron", "schedule.jitter"),
            *("github.api_url", "github.concurrency", "github.speed", "github.timeout"),
            *("removals.max_share", "accounts[0].name", "accounts[1]"),
            "unknown variable; did you mean REPOLEDGER_GITHUB__RESERVE?",
        ]
    )


TOKENS = [
    "ghp_" + "k9" * 18,
    "gho_" + "k9" * 18,
    "github_pat_" + "k9" * 11 + "_" + "k9" * 29,
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "text",
    [
        GOOD + 'token = "{}"',
        GOOD + 'password = "{}"',
        GOOD + 'github_token = "{}"',
        '[[accounts]]\nname = "me"\ntoken_env = "{}"',
        '[[accounts]]\nname = "me"\ntoken_env = "${}"',
        '[[accounts]]\nname = "me"\ntoken_file = "{}"',
        '[[accounts]]\nname = "{0}"\ntoken_env = "A"\n[[accounts]]\nname = "{0}"\ntoken_env="B"',
        '[[accounts]]\nname = "me"\ntoken_env = "A"\nvisibility = "{}"',
        '[[accounts]]\nname = "me"\ntoken_env = "A"\naffiliation = ["{}"]',
        'token = "{}"\n' + GOOD,
        '{} = "x"\n' + GOOD,
        '[github]\ntoken = "{}"\n' + GOOD,
        '[github]\napi_url = "https://{}@api.github.com"\n' + GOOD,
        '[[accounts]]\nname = "me"\ntoken_env = "{}',
        "[[accounts]]\ntoken_env = {}",
    ],
)
def test_a_token_pasted_into_the_file_is_refused_and_never_repeated(
    tmp_path: Path, text: str, token: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text.format(token), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert "k9k9" not in everything_said(caught.value)


@pytest.mark.parametrize("key", ["token", "password", "secret"])
def test_a_secret_s_key_is_answered_with_where_secrets_belong(tmp_path: Path, key: str) -> None:
    (problem,) = problems_of(tmp_path, GOOD + f'{key} = "x"')
    assert f"accounts[0].{key}: a secret does not belong" in problem
    assert "token_env or token_file" in problem


def test_a_token_in_place_of_its_variable_s_name_is_answered_with_what_belongs_there(
    tmp_path: Path,
) -> None:
    (problem,) = problems_of(tmp_path, GOOD.replace("GITHUB_TOKEN", TOKENS[0]))
    assert "accounts[0].token_env: must be the name of an environment variable" in problem
