"""The command demo: the whole program, without a token or a network."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli import output
from sync.cli.settings import Settings
from sync.core.errors import ConfigError

if TYPE_CHECKING:
    from sync.run.outcome import RunOutcome
    from sync.sandbox.story import Story

_MARK = "# Written by `repoledger demo`; the next demo overwrites it."
_CONFIG, _LEDGER, _CHART, _ACTIVATE = "config.toml", "repoledger.db", "gravel-stars.svg", "activate"
_EXAMPLES = (
    "changes --since 30d",
    "repos --since 30d --sort gained",
    "repos --removed",
    "show ada/gravel",
    "history ada/gravel --since 90d",
    "history --total --since 90d",
    "history ada/gravel --counter views --since 90d",
    "status",
)


@click.command
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("repoledger-demo"),
    help="Folder for the demo's database, config.toml and chart.",
)
@click.pass_obj
def demo(settings: Settings, directory: Path) -> None:
    """Try repoledger on 90 days of a made-up maintainer's GitHub. No token, no network."""
    _prepare(directory)
    from sync.cli import demo_page
    from sync.cli.demo_past import make_past, write_file
    from sync.database.queries import Ledger
    from sync.sandbox.story import Story

    settings.start_log("error", silent=("sync.runner",))  # a failure is told in a sentence
    story, now = Story(), datetime.now(UTC)
    demo_page.say(
        f"{story.days} days of a maintainer's GitHub, one sync a day. GitHub is a stand-in on "
        "this machine; the syncs are the program's own, with a clock that runs fast."
    )
    progress = _Progress(story)
    make_past(directory / _CONFIG, story, now, mark=f"{_MARK}\n", sparing=True, told=progress.note)
    progress.end()
    with Ledger(f"sqlite:///{directory / _LEDGER}") as ledger:
        days = demo_page.star_days(ledger, now.date(), story.days)
        write_file(directory / _CHART, demo_page.star_chart(days))
        own = replace(settings, config_path=directory / _CONFIG)
        demo_page.show(ledger, own, now.date(), days)
    _advise(directory)


class _Progress:
    """Tells how far the past is: a line that is written over on a terminal."""

    def __init__(self, story: Story) -> None:
        self._days = story.days
        self._began = datetime.now(UTC)
        self._requests = 0
        self._shown = sys.stdout.isatty()

    def note(self, day: int, outcome: RunOutcome) -> None:
        """Show the day that was synced. Raises the error of a run that failed."""
        if outcome.error is not None:
            raise outcome.error
        self._requests += outcome.counts.requests
        if self._shown:
            print(f"\rday {day + 1} of {self._days}", end="", flush=True)

    def end(self) -> None:
        """Show how long it took."""
        seconds = (datetime.now(UTC) - self._began).total_seconds()
        print("\r" if self._shown else "", end="")
        output.say(f"{self._days} syncs, {self._requests:,} requests, {seconds:.1f} s.")


def _prepare(directory: Path) -> None:
    """Make the folder, or delete an earlier demo's files in it; touch no other file."""
    config = directory / _CONFIG
    files = [directory / f"{_LEDGER}{suffix}" for suffix in ("", "-wal", "-shm")]
    files += [directory / name for name in (_CHART, _ACTIVATE)]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        ours = config.exists() and config.read_bytes().startswith(_MARK.encode())
        if not ours and (config.exists() or any(file.exists() for file in files)):
            raise ConfigError(
                f"{directory} contains files that are not the demo's; choose another --directory"
            )
        for file in files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be used: {error.strerror}") from None


def _advise(directory: Path) -> None:
    """Print what to type next, and write what makes that short."""
    from sync.cli.demo_page import heading, say
    from sync.cli.demo_past import write_file

    enter = f"cd {shlex.quote(str(directory))}"
    if folder := _not_on_path():
        path = f'export PATH={shlex.quote(str(folder))}:"$PATH"\n'
        write_file(directory / _ACTIVATE, f"# Puts repoledger on the path of this shell.\n{path}")
        enter += f" && . ./{_ACTIVATE}"
    heading("Now you")
    say(f"The stars as a chart: {directory / _CHART}. On this ledger, try")
    print()
    for line in (enter, *(f"repoledger {example}" for example in _EXAMPLES)):
        output.say(f"  {line}")
    print()
    say("and then your own repositories, in a folder of your choice:")
    print()
    output.say("  mkdir ~/repoledger && cd ~/repoledger")
    output.say("  repoledger init")


def _not_on_path() -> Path | None:
    """Return the folder of the running program, unless a shell finds this program by its name."""
    program = Path(sys.executable).with_name("repoledger")
    if not program.exists():
        program = Path(os.path.abspath(sys.argv[0]))  # noqa: PTH100  # links are not followed
    found = shutil.which("repoledger")
    if found is not None and os.path.realpath(found) == os.path.realpath(program):
        return None
    return program.parent
