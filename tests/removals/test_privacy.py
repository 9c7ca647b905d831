"""What stays of a repository that is private now: as little as the configuration says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.support.database import Json, rows, snapshot, values
from tests.support.inside.config import Removals
from tests.support.inside.database import CONTENT, COUNTERS, Store, repositories
from tests.support.inside.github import GitHubClient
from tests.support.runs import sync

OTHERS = "ghp_" + "w3" * 18
# Words that stand in no row but those of the repository that turns private.
UNKNOWN = "ghp_" + "u9" * 18  # a token of nobody's
SECRETS = ("veiled", "former", "confidential", "hush.example", "Brainfuck", "Unlicense", "cloaked")
BLANKED = (
    *("html_url", "description", "homepage", "language", "license_spdx_id", "topics"),
    *("default_branch", "payload"),
)
KEPT = (
    *("node_id", "owner_id", "owner_login", "owner_type", "fork", "archived", "disabled"),
    *("is_template", "has_issues", "has_projects", "has_wiki", "has_pages", "has_discussions"),
    *("created_at", "updated_at", "pushed_at", "first_seen_at", *COUNTERS),
)


BOTH = ("me", "other")


def run(github: Sandbox, store: Store, account: str = "me", **options: Any) -> None:
    """Sync an account well."""
    token = {"me": TOKEN, "other": OTHERS}[account]
    options = {"configured": (account,), **options}
    with GitHubClient(token=token, api_url=github.url, retry=QUICK) as client:
        outcome = sync(client, store, account=account, **options)
    assert outcome.status == "succeeded", outcome


@pytest.fixture
def veiled(github: Sandbox, store: Store) -> int:
    """A public repository with a history, beside another one; both are in the ledger."""
    github.set_scopes(TOKEN, ("repo",))
    github.add_user("hubber", token=OTHERS)
    github.add_repository("hubber", "own", language="Go")
    github.add_repository("octo", "plain", description="plain as day", topics=["open"])
    id_ = github.add_repository(
        *("octo", "former"),
        description="confidential figures",
        homepage="https://hush.example",
        language="Brainfuck",
        license="unlicense",
        topics=["cloaked"],
        default_branch="veiled-trunk",
        has_wiki=False,
        stargazers_count=7,
    )
    github.add_collaborator("hubber", id_)
    run(github, store)
    github.rename(id_, "veiled")
    github.edit(id_, description="more confidential figures")
    run(github, store)
    return id_


def stored(store: Store, id_: int) -> Json:
    (row,) = rows(store.url, select(repositories).where(repositories.c.id == id_))
    return row


def log_of(store: Store, id_: int) -> list[tuple[Any, ...]]:
    statement = "SELECT field, old_value, new_value FROM repository_changes "
    return values(store.url, statement + f"WHERE repository_id = {id_} ORDER BY id")


def told(store: Store) -> list[str]:
    """Return which of the secrets some row of some table holds."""
    everything = json.dumps(snapshot(store.url), default=str)
    return [word for word in SECRETS if word in everything]


def others(store: Store, id_: int) -> Json:
    """Return all that is stored of every other repository."""
    found = snapshot(store.url)
    names = ("repository_changes", "repository_metrics", "account_repositories")
    kept = {name: [row for row in found[name] if row["repository_id"] != id_] for name in names}
    return kept | {"repositories": [row for row in found["repositories"] if row["id"] != id_]}


# Redacted, as it is unless somebody says otherwise


def test_the_row_stays_without_what_it_said(github: Sandbox, store: Store, veiled: int) -> None:
    assert told(store) == list(SECRETS)
    before, unconcerned = stored(store, veiled), others(store, veiled)
    github.make_private(veiled)
    run(github, store)
    after = stored(store, veiled)
    assert (after["name"], after["full_name"]) == (
        *(f"[redacted-{veiled}]",),
        f"octo/[redacted-{veiled}]",
    )
    assert {name: after[name] for name in BLANKED} == dict.fromkeys(BLANKED)
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert (after["visibility"], after["removal_reason"]) == ("private", "private")
    assert after["content_hash"] == ""
    assert after["removed_at"] == after["changed_at"] > before["changed_at"]
    assert told(store) == []
    assert others(store, veiled) == unconcerned


def test_the_topics_are_null_in_the_database_and_not_only_in_python(
    github: Sandbox, store: Store, veiled: int
) -> None:
    github.make_private(veiled)
    run(github, store)
    statement = f"SELECT count(*) FROM repositories WHERE id = {veiled} AND topics IS NULL"
    assert values(store.url, statement) == [(1,)]


def test_the_log_keeps_its_rows_and_loses_what_they_told(
    github: Sandbox, store: Store, veiled: int
) -> None:
    before = log_of(store, veiled)
    github.make_private(veiled)
    run(github, store)
    after = log_of(store, veiled)
    assert [field for field, *_ in after[: len(before)]] == [field for field, *_ in before]
    cleared = {"name", "full_name", "html_url", "description"}
    assert cleared <= {field for field, *_ in before}
    for then, now in zip(before, after, strict=False):
        if then[0] in cleared:
            assert now == (then[0], None, None)
        elif then[0] != "created":
            assert now == then
    first, created = json.loads(before[0][2]), json.loads(after[0][2])
    assert set(created) == set(CONTENT) - {*BLANKED, "name", "full_name"}
    assert created == {name: first[name] for name in created}
    added = {field: new for field, _, new in after[len(before) :]}
    assert set(added) == {"account", "removed_at", "removal_reason", "visibility", "redacted"}
    assert json.loads(added["redacted"])["full_name"] == f"octo/[redacted-{veiled}]"


def test_the_counters_of_each_day_stay(github: Sandbox, store: Store, veiled: int) -> None:
    counted = f"SELECT * FROM repository_metrics WHERE repository_id = {veiled}"
    before = values(store.url, counted)
    github.make_private(veiled)
    run(github, store)
    assert values(store.url, counted) == before != []


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("last", [False, True])
def test_payloads_of_its_rejected_items_are_forgotten_however_they_are_written(
    github: Sandbox, store: Store, veiled: int, indent: int | None, last: bool
) -> None:
    (plain,) = values(store.url, "SELECT id FROM repositories WHERE name = 'plain'")[0]
    objects = []
    for id_ in (veiled, plain):
        told_of = {**github.get(id_), "name": 7, "template_repository": {"id": veiled}}
        if last:
            told_of["id"] = told_of.pop("id")
        objects.append(told_of)
    body = json.dumps(objects, indent=indent).encode()
    github.fail(path="/user/repos", status=200, body=body)
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client:
        assert sync(client, store, full=True).counts.rejected == 2
    github.make_private(veiled)
    run(github, store, full=True)
    assert told(store) == []
    kept = values(store.url, "SELECT payload FROM rejected_items WHERE payload IS NOT NULL")
    assert [json.loads(payload)["id"] for (payload,) in kept] == [plain]


def test_no_event_of_the_run_tells_the_name(github: Sandbox, store: Store, veiled: int) -> None:
    github.make_private(veiled)
    with capture_logs() as events:
        run(github, store)
    assert [word for word in SECRETS if word in str(events)] == []
    (event,) = [event for event in events if event["event"] == "repository.removed"]
    assert (event["id"], event["reason"]) == (veiled, "private")


def test_a_repository_that_is_public_again_is_whole_again_and_its_former_log_stays_blank(
    github: Sandbox, store: Store, veiled: int
) -> None:
    before = stored(store, veiled)
    github.make_private(veiled)
    run(github, store)
    blank = log_of(store, veiled)
    github.make_public(veiled)
    run(github, store)
    after = stored(store, veiled)
    changing = {"updated_at", "changed_at", "payload", "content_hash", "revision"}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert log_of(store, veiled)[: len(blank)] == blank
    assert "former" not in told(store)


def test_a_second_time_in_private_clears_what_was_logged_in_between(
    github: Sandbox, store: Store, veiled: int
) -> None:
    for _ in range(2):
        github.make_private(veiled)
        run(github, store)
        assert told(store) == []
        github.make_public(veiled)
        run(github, store)
        assert "veiled" in told(store)
    github.make_private(veiled)
    run(github, store)
    assert told(store) == []


# Kept, or purged


def test_all_of_it_may_be_kept(github: Sandbox, store: Store, veiled: int) -> None:
    before, log = stored(store, veiled), log_of(store, veiled)
    github.make_private(veiled)
    run(github, store, removals=Removals(on_private="keep"))
    after = stored(store, veiled)
    differing = {name for name in after if after[name] != before[name]}
    assert differing - {"content_hash"} == {
        *("visibility", "removed_at", "removal_reason", "changed_at", "revision"),
    }
    assert log_of(store, veiled)[: len(log)] == log
    assert ("visibility", "public", "private") in log_of(store, veiled)
    assert told(store) == list(SECRETS)


def test_nothing_of_it_may_be_kept(github: Sandbox, store: Store, veiled: int) -> None:
    unconcerned = others(store, veiled)
    github.make_private(veiled)
    run(github, store, removals=Removals(on_private="purge"))
    found = snapshot(store.url)
    assert veiled not in {row["id"] for row in found["repositories"]}
    for name in ("repository_changes", "repository_metrics", "account_repositories"):
        assert veiled not in {row["repository_id"] for row in found[name]}
    assert others(store, veiled) == unconcerned
    assert told(store) == []
    assert values(store.url, "SELECT removed FROM sync_runs ORDER BY id DESC LIMIT 1") == [(1,)]


def test_an_account_that_lists_only_public_repositories_from_now_on_keeps_no_private_ones(
    github: Sandbox, store: Store, veiled: int
) -> None:
    github.make_private(veiled)
    run(github, store, visibility="all")
    assert stored(store, veiled)["visibility"] == "private"
    assert told(store) == list(SECRETS)
    run(github, store, accept_removals=True)
    assert stored(store, veiled)["removal_reason"] == "private"
    assert told(store) == []


# Two accounts


@pytest.mark.parametrize("on_private", ["redact", "purge"])
def test_a_repository_that_another_account_lists_is_neither_redacted_nor_purged(
    github: Sandbox, store: Store, veiled: int, on_private: Any
) -> None:
    rules: dict[str, Any] = {"removals": Removals(on_private=on_private), "configured": BOTH}
    run(github, store, "other", visibility="all")
    github.make_private(veiled)
    run(github, store, **rules)
    run(github, store, "other", visibility="all", **rules)
    run(github, store, **rules)
    row = stored(store, veiled)
    assert (row["name"], row["visibility"], row["removed_at"]) == ("veiled", "private", None)
    assert told(store) == list(SECRETS)


@pytest.mark.parametrize("on_private", ["redact", "purge"])
def test_a_repository_is_cleared_when_the_last_account_finds_it_private(
    github: Sandbox, store: Store, veiled: int, on_private: Any
) -> None:
    rules: dict[str, Any] = {"removals": Removals(on_private=on_private), "configured": BOTH}
    run(github, store, "other")
    github.make_private(veiled)
    run(github, store, **rules)
    assert "veiled" in told(store)
    run(github, store, "other", **rules)
    assert told(store) == []
    left = values(store.url, f"SELECT removal_reason FROM repositories WHERE id = {veiled}")
    assert left == ([("private",)] if on_private == "redact" else [])


@pytest.mark.parametrize("on_private", ["redact", "purge"])
@pytest.mark.parametrize("first", BOTH)
def test_whichever_runs_first_what_another_account_begins_to_list_keeps_its_history(
    github: Sandbox, store: Store, veiled: int, on_private: Any, first: str
) -> None:
    visibility = {"me": "public", "other": "private"}  # the other one has never listed it
    github.set_scopes(OTHERS, ("repo",))
    rules: dict[str, Any] = {"removals": Removals(on_private=on_private), "configured": BOTH}
    run(github, store, "other", visibility="private", **rules)
    log = log_of(store, veiled)
    github.make_private(veiled)
    for account in sorted(BOTH, key=lambda name: name != first):
        run(github, store, account, visibility=visibility[account], **rules)
        assert log_of(store, veiled)[: len(log)] == log
    run(github, store, **rules)
    row = stored(store, veiled)
    assert (row["name"], row["visibility"], row["removed_at"]) == ("veiled", "private", None)
    assert told(store) == list(SECRETS)
    assert values(store.url, "SELECT * FROM departures WHERE account = 'other'") == []


@pytest.mark.parametrize("on_private", ["redact", "purge"])
def test_a_repository_is_cleared_once_every_other_account_has_been_listed_without_it(
    github: Sandbox, store: Store, veiled: int, on_private: Any
) -> None:
    rules: dict[str, Any] = {"removals": Removals(on_private=on_private), "configured": BOTH}
    github.remove_collaborator("hubber", veiled)
    run(github, store, "other", **rules)
    github.make_private(veiled)
    with capture_logs() as events:
        run(github, store, **rules)
    (event,) = [event for event in events if event["event"] == "repository.removed"]
    assert (event["repository"], event["reason"]) == (None, "private")
    run(github, store, **rules)  # the same account's runs decide nothing
    assert (stored(store, veiled)["removal_reason"], told(store)) == ("private", list(SECRETS))
    with GitHubClient(token=UNKNOWN, api_url=github.url, retry=QUICK) as client:
        assert sync(client, store, account="other", **rules).status == "failed"
    assert "veiled" in told(store)
    with capture_logs() as events:
        run(github, store, "other", **rules)
    (event,) = [event for event in events if event["event"] == "repository.cleared"]
    assert (event["id"], event["purged"]) == (veiled, on_private == "purge")
    assert told(store) == []
    assert values(store.url, "SELECT * FROM departures") == []
    left = values(store.url, f"SELECT removal_reason FROM repositories WHERE id = {veiled}")
    assert left == ([("private",)] if on_private == "redact" else [])


def test_an_account_that_is_configured_no_longer_is_not_waited_for(
    github: Sandbox, store: Store, veiled: int
) -> None:
    github.make_private(veiled)
    run(github, store, configured=BOTH)
    assert told(store) == list(SECRETS)
    run(github, store)
    assert told(store) == []


def test_a_private_repository_kept_on_purpose_is_not_cleared_later(
    github: Sandbox, store: Store, veiled: int
) -> None:
    github.make_private(veiled)
    run(github, store, removals=Removals(on_private="keep"), configured=BOTH)
    run(github, store, "other", configured=BOTH)
    run(github, store, configured=BOTH)
    assert told(store) == list(SECRETS)
