"""A failure is told once, in a sentence; the daemon on a terminal tells a story."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.daemon import RunningDaemon
from tests.support.process import answered_at_terminal, on_terminal, repoledger

WRONG = "a-wrong-token"
REFUSED = "401: Bad credentials (the token is wrong, has expired or was revoked; make a new one)"
SENTENCE = re.compile(
    rf"me: GET http://\S+/user\S*: {re.escape(REFUSED)}; it is in the variable TOKEN"
)


def test_a_wrong_token_is_told_once(folder: Path) -> None:
    done = repoledger("backfill", cwd=folder, TOKEN=WRONG)
    (event,) = map(json.loads, done.stderr.splitlines())
    assert (done.returncode, event["event"]) == (1, "sync.run_failed")
    assert SENTENCE.fullmatch(done.stdout.strip())
    shown = on_terminal("backfill", cwd=folder, columns=200, TOKEN=WRONG)
    assert shown.count("Bad credentials") == 1
    assert SENTENCE.search(shown)
    assert "inserted" not in shown  # no row of zeros


def test_whoever_asks_for_a_level_is_told_of_each_attempt(folder: Path) -> None:
    done = repoledger("backfill", "--log-level", "info", cwd=folder, TOKEN=WRONG)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert "http.request_failed" in events
    assert events[-1] == "sync.run_failed"


def test_attempts_are_told_where_the_run_succeeds_in_the_end(github: StandIn, folder: Path) -> None:
    github.fail(times=1, path="/user/repos", status=502, body=b"{}")
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert (done.returncode, events) == (
        0,
        ["http.request_failed", "http.retry_scheduled", "sync.run_finished"],
    )


def story_of(folder: Path, token: str) -> tuple[int, list[str]]:
    """Return how a daemon on a terminal ends, and its lines, until it has told its next run."""
    code, shown = answered_at_terminal(
        "daemon",
        cwd=folder,
        columns=200,
        answers={"next in": "\x03"},
        TOKEN=token,
        REPOLEDGER_HTTP__LISTEN="127.0.0.1:0",
    )
    return code, [line.replace("^C", "") for line in shown.decode().splitlines()]


def test_the_daemon_on_a_terminal_says_in_a_line_what_a_run_did(
    github: StandIn, folder: Path
) -> None:
    hello = github.add_repository("octo", "hello")
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    github.rename(hello, "goodbye")
    code, lines = story_of(folder, TOKEN)
    assert code == 0
    assert re.fullmatch(
        r"\d\d:\d\d repoledger \S+: 1 account, listens at \S+\. Times are UTC; Ctrl-C stops it\.",
        lines[0],
    )
    assert re.fullmatch(
        r"\d\d:\d\d me: synced 1, 1 renamed \(octo/hello → octo/goodbye\), next in \d+ (min|s)",
        lines[1],
    )
    assert lines[2].endswith(" stopped")
    _, lines = story_of(folder, WRONG)
    failed = [line for line in lines if "failed" in line]
    assert len(failed) == 1
    assert REFUSED in failed[0]


def test_a_second_daemon_is_told_that_one_is_running(folder: Path) -> None:
    with RunningDaemon(folder, REPOLEDGER_HTTP__LISTEN="127.0.0.1:0") as daemon:
        taken = daemon.started["listen"]
        second = repoledger("daemon", cwd=folder, TOKEN=TOKEN, REPOLEDGER_HTTP__LISTEN=taken)
    assert second.returncode == 1
    assert f"error: a daemon is running already, and answers at {taken}: " in second.stderr
