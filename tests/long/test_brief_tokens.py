"""An App whose tokens end after three seconds, in a run of ten, with slow answers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stand_in import StandIn
from tests.support.process import repoledger, write_config
from tests.support.runs import fill
from tests.support.signing_in import app_account, installed_app, write_key


def test_an_app_whose_tokens_end_after_three_seconds_is_never_refused_in_a_run_of_ten(
    github: StandIn, tmp_path: Path
) -> None:
    fill(github, 1850)
    app = installed_app(github, expires_in=3)
    extra = "concurrency = 1\n"
    write_config(tmp_path, github.url, app_account(app), extra)
    write_key(tmp_path)
    github.delay = 0.5
    done = repoledger("--log-level", "debug", "backfill", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert told["inserted"] == 1850
    assert told["seconds"] > 9
    assert "BadCredentials" not in done.stderr
    statuses = [r.status for r in github.requests]
    renewals = sum(r.path.endswith("/access_tokens") for r in github.requests)
    print(
        f"\n{len(statuses)} requests in {told['seconds']} s, {renewals} tokens, "
        f"{statuses.count(401)} refused on the way"
    )
    assert renewals >= 3
    ids = {
        event["status"]
        for event in map(json.loads, done.stderr.splitlines())
        if event["event"] == "http.request"
    }
    assert ids <= {200, 201, 401}
