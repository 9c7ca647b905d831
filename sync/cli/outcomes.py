"""What backfill prints of runs: their rows, how they ended, what they read of the resources."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sync.cli import output
from sync.cli.loaded import as_rows, sentences
from sync.cli.narrowing import Narrowing
from sync.cli.times import time_of
from sync.core.clock import utc_now
from sync.core.errors import BadCredentials, ConnectFailed, RepoledgerError, TimedOut

if TYPE_CHECKING:
    from sync.config import Account
    from sync.run.outcome import RunOutcome


def row_of(outcome: RunOutcome) -> dict[str, Any]:
    """Return the columns of a run, with what it read of each resource."""
    lost_at = outcome.loaded.lost_at
    return outcome.as_dict() | {
        "nothing_lost_before": lost_at.isoformat() if lost_at and outcome.loaded.waiting else None,
        "resources": as_rows(outcome.loaded, _needs()),
    }


def has_counts(outcome: RunOutcome) -> bool:
    """Tell whether a run has anything to show in a table: a failed one may have only zeros."""
    return outcome.status != "failed" or outcome.counts.pages > 0


def explain(outcome: RunOutcome, account: Account) -> None:
    """Print below the table how a run failed or stopped, and the next step."""
    name, loaded = outcome.account, outcome.loaded
    if outcome.status == "deferred" and outcome.not_before is not None:
        print(
            f"{name}: deferred: GitHub answers again at {outcome.not_before:%Y-%m-%d %H:%M:%S} "
            "UTC. Run again then; stored pages will cost no quota."
        )
    elif outcome.status == "interrupted":
        again = "run it again to continue"
        if outcome.not_before is not None:
            again += f" at {time_of(outcome.not_before)}, when GitHub answers again"
        print(f"{name}: interrupted; stored pages stay; {again}.")
    elif outcome.error is not None:
        _tell(f"{name}: {failure_of(outcome.error, account)}", failed=outcome.status == "failed")
    elif outcome.counts.rejected:
        print(
            f"{name}: {outcome.counts.rejected} items could not be stored; see the reasons in the "
            f"table rejected_items, run_id {outcome.run_id}."
        )
    elif outcome.status == "partial" and not loaded.is_flawed:
        print(
            f"{name}: GitHub left out organizations with single sign-on: authorize the token there."
        )


def _tell(sentence: str, *, failed: bool) -> None:
    """Print a sentence; on a terminal, an error as such, since the log does not tell it there."""
    if failed and sys.stderr.isatty():
        output.print_error(sentence)
    else:
        output.say(sentence)


def failure_of(error: RepoledgerError, account: Account) -> str:
    """Return why a run failed, and what to do about it."""
    if isinstance(error, BadCredentials):
        place = _PLACES.get(next(iter(account.sources), ""), "").format(account=account)
        return f"{error}{place}"
    if isinstance(error, ConnectFailed | TimedOut):
        return f"{error}; what is stored stays, run it again when the server can be reached"
    return str(error)


_PLACES = {
    "token_env": "; it is in the variable {account.token_env}",
    "token_file": "; it is in the file {account.token_file}",
    "token_command": "; it comes from token_command",
    "keyring": "; `repoledger login --account {account.name}` gets one",
}


def explain_resources(outcome: RunOutcome, narrowing: Narrowing) -> None:
    """Print below the table what a run read of the resources, and what it could not."""
    told = list(sentences(outcome.loaded, _needs(), utc_now()))
    if not told and outcome.error is None and not narrowing.lists:
        told = ["nothing was due; `repoledger resources` shows when something is"]
        if narrowing.repositories:
            told = [f"nothing to read of {', '.join(narrowing.repositories)}"]
    for sentence in told:
        output.say(f"{outcome.account}: {sentence}")


def _needs() -> dict[str, str]:
    from sync.resources import BY_NAME

    return {name: each.needs for name, each in BY_NAME.items()}
