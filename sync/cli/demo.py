"""The command demo: the whole program, without a token or a network."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.settings import ExitCode, Settings
from sync.core.errors import ConfigError

if TYPE_CHECKING:
    from sync.database.queries import Ledger
    from sync.sandbox import Sandbox

_MARK = "# Written by `repoledger demo`; the next demo overwrites it."
_CONFIG = """{mark}
# The stand-in for GitHub has ended, so `backfill` fails with this file. Commands
# that read, such as `repos`, work.

[database]
url = "sqlite:///repoledger.db"

[github]
api_url = "{api_url}"

[[accounts]]
name = "demo"
username = "ada"
"""

_REPOSITORIES: tuple[dict[str, Any], ...] = (
    {"name": "tide-tables", "language": "Python", "stargazers_count": 412, "forks_count": 31},
    {"name": "paper-lantern", "language": "TypeScript", "stargazers_count": 87, "forks_count": 9},
    {"name": "gravel", "language": "Rust", "stargazers_count": 1530, "forks_count": 64},
    {"name": "night-train", "language": "Go", "stargazers_count": 230, "forks_count": 18},
    {"name": "dotfiles", "language": "Shell", "stargazers_count": 5, "forks_count": 0},
    {"name": "old-website", "language": "HTML", "stargazers_count": 2, "archived": True},
)
_DESCRIPTIONS = {
    "tide-tables": "Predicts tides for any harbour",
    "paper-lantern": "A small UI kit",
    "gravel": "An embeddable key-value store",
    "night-train": "Moves files between servers while you sleep",
    "dotfiles": "My configuration",
    "old-website": None,
}


@click.command
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("repoledger-demo"),
    help="Folder for the demo's database and config.toml.",
)
@click.pass_obj
def demo(settings: Settings, directory: Path) -> None:
    """Try repoledger: two syncs from a built-in stand-in for GitHub. No token, no network."""
    _prepare(directory)
    from sync.database import migrate
    from sync.sandbox import Sandbox

    settings.start_log("error")
    url = f"sqlite:///{directory / 'repoledger.db'}"
    with Sandbox() as github:
        config = directory / "config.toml"
        config.write_text(_CONFIG.format(mark=_MARK, api_url=github.url), encoding="utf-8")
        print(f"A stand-in for GitHub answers on {github.url}.")
        token = f"demo-{secrets.token_hex(16)}"
        ids = _populate(github, token)
        revision = migrate.upgrade(url).after
        output.say(f"Made the database {directory / 'repoledger.db'} (schema {revision}).")
        print()
        succeeded = _sync(github, token, config, "First sync: everything is new.")
        print("Now the server changes: a repository is added, one is deleted, one is renamed, one")
        print("gets a new description, one gets three stars.\n")
        _change(github, ids)
        succeeded = _sync(github, token, config, "Second sync: only what changed.") and succeeded
    _show(url)
    _advise(config)
    raise Exit(ExitCode.SUCCEEDED if succeeded else ExitCode.FAILED)


def _prepare(directory: Path) -> None:
    """Make the folder, or delete an earlier demo's files in it; touch no other file."""
    config = directory / "config.toml"
    files = [directory / f"repoledger.db{suffix}" for suffix in ("", "-wal", "-shm")]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        ours = config.exists() and config.read_text(encoding="utf-8").startswith(_MARK)
        if not ours and (config.exists() or any(file.exists() for file in files)):
            raise ConfigError(
                f"{directory} contains files that are not the demo's; choose another --directory"
            )
        for file in files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be used: {error.strerror}") from None


def _populate(github: Sandbox, token: str) -> dict[str, int]:
    github.add_user("ada", token=token, scopes=("public_repo",), name="Ada Byron")
    ids = {
        repository["name"]: github.add_repository(
            "ada",
            description=_DESCRIPTIONS[repository["name"]],
            created_at=datetime(2019 + index, 3, 1, tzinfo=UTC),
            license="mit",
            **repository,
        )
        for index, repository in enumerate(_REPOSITORIES)
    }
    for repository in _REPOSITORIES:
        stars = repository["stargazers_count"]
        github.add_activity(
            ids[repository["name"]], visits=stars // 5, releases=3 if stars > 50 else 0
        )
    return ids


def _change(github: Sandbox, ids: dict[str, int]) -> None:
    github.add_repository(
        "ada", "lighthouse", description="Watches your services", language="Python"
    )
    github.delete(ids["old-website"])
    github.rename(ids["paper-lantern"], "lantern-ui")
    github.edit(ids["night-train"], description="Moves files between servers, resumably")
    github.star(ids["gravel"], by=3)


def _sync(github: Sandbox, token: str, file: Path, title: str) -> bool:
    from sync.config import load
    from sync.database.store import Store
    from sync.forges.github.client import GitHubClient
    from sync.run.options import RunOptions
    from sync.run.run import run_account

    config = load(file, {})
    options = RunOptions.of(config.account("demo"), config, "demo")
    with (
        GitHubClient(token=token, api_url=github.url) as client,
        Store(config.database.url) as store,
    ):
        outcome = run_account(options, client, store)
    counts = outcome.counts
    print(title)
    print(
        f"  {outcome.status}: {counts.inserted} inserted, {counts.updated} updated, "
        f"{counts.unchanged} unchanged, {counts.removed} removed; {counts.requests} requests, "
        f"{counts.not_modified} of them answered 'not modified'; {outcome.seconds:.2f} s\n"
    )
    return outcome.status == "succeeded"


def _show(url: str) -> None:
    from sync.database.changelog import CREATED
    from sync.database.queries import Ledger

    with Ledger(url) as ledger:
        print("The repositories as they are now:\n")
        columns = ("full_name", "stargazers_count", "language", "description")
        rows = ledger.repos(sort="stargazers_count", descending=True)
        output.print_table(
            ("full_name", "stars", "language", "description"),
            ([row[column] for column in columns] for row in rows),
        )
        _show_figures(ledger)
        print("\nChanges between the two syncs (the daily history has the counters):\n")
        columns = ("full_name", "field", "old_value", "new_value")
        output.print_table(
            columns,
            # A new repository is logged with all its fields, which is too long to show.
            ([row[c] for c in columns] for row in ledger.changes() if row["field"] != CREATED),
        )


# What GitHub forgets, or does not tell, of one repository.
_FIGURES = {
    "Traffic of ada/gravel, which GitHub keeps for 14 days; today is not over yet": """
        SELECT day, views, view_uniques, clones, clone_uniques FROM traffic_daily
        WHERE full_name = 'ada/gravel' ORDER BY day DESC LIMIT 4""",
    "Stars of ada/gravel, from years before the first sync": """
        SELECT substr(day, 1, 4) AS year, sum(gained) AS gained, max(retained) AS retained
        FROM star_totals WHERE full_name = 'ada/gravel' GROUP BY 1 ORDER BY 1 DESC LIMIT 4""",
    "Downloads of all releases": """
        SELECT full_name, total FROM downloads_daily
        WHERE day = (SELECT max(day) FROM downloads_daily) ORDER BY total DESC LIMIT 3""",
}


def _show_figures(ledger: Ledger) -> None:
    for title, sql in _FIGURES.items():
        print(f"\n{title}:\n")
        with ledger.query(sql) as (names, rows):
            output.print_table(names, rows)


def _advise(config: Path) -> None:
    command = "repoledger" if sys.argv[0].endswith("repoledger") else "python -m sync"
    if "/" in sys.argv[0] and command == "repoledger":
        command = _shown_path(Path(sys.argv[0]))
    print("\nTry these commands on this ledger:\n")
    for example in (
        "repos --sort stars --format csv",
        "repos --removed",
        "changes --since 7d --json",
        "history ada/gravel --counter views",
        "query 'SELECT language, count(*) FROM current_repositories GROUP BY 1'",
        "status",
    ):
        output.say(f"  {command} --config {config} {example}")
    print("\nThen sync your own repositories, in a folder of your choice:\n")
    absolute = str(Path(sys.argv[0]).absolute()) if "/" in command else command
    print("  mkdir ~/repoledger && cd ~/repoledger && export GITHUB_TOKEN=...")
    output.say(f"  {absolute} init && {absolute} backfill")


def _shown_path(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return path.name
