"""Resources of repositories, switched on in config.toml."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.ledger import rows
from tests.support.process import LISTING_ALONE, repoledger, write_config


def asked(github: StandIn) -> list[str]:
    return [request.path for request in github.requests if "languages" in request.path]


def test_a_backfill_loads_the_resources_that_are_switched_on(
    github: StandIn, tmp_path: Path
) -> None:
    id_ = github.add_repository("octo", "hello")
    github.set_child(id_, "languages", {"C": 3})
    write_config(tmp_path, github.url, extra=f"\n{LISTING_ALONE}languages = true\n")
    done = repoledger("backfill", "--json", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["inserted"] == 1
    ledger = tmp_path / "ledger.db"
    assert rows(ledger, "SELECT language, bytes FROM repository_languages") == [("C", 3)]
    told = rows(ledger, "SELECT resource, asked FROM resource_runs ORDER BY resource")
    assert [name for name, _ in told] == ["languages", "repositories"]
    again = repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN)
    assert (again.returncode, len(asked(github))) == (0, 1)  # nothing was pushed


def test_nothing_is_asked_for_a_resource_that_is_not_switched_on(
    github: StandIn, folder: Path
) -> None:
    github.set_child(github.add_repository("octo", "hello"), "languages", {"C": 3})
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    assert asked(github) == []


def test_a_dry_run_asks_for_the_list_alone(github: StandIn, tmp_path: Path) -> None:
    github.set_child(github.add_repository("octo", "hello"), "languages", {"C": 3})
    write_config(tmp_path, github.url, extra=f"\n{LISTING_ALONE}languages = true\n")
    done = repoledger("backfill", "--dry-run", cwd=tmp_path, TOKEN=TOKEN)
    assert (done.returncode, asked(github)) == (0, [])
    assert "octo/hello" in done.stdout
