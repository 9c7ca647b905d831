"""Removals that the user's own triggers and tables refuse: each costs only itself."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.removals.braking import gone, run
from tests.support.database import execute, values
from tests.support.inside.config import Removals
from tests.support.inside.database import Store
from tests.support.inside.removals import OnPrivate
from tests.support.inside.run import RunOutcome
from tests.support.runs import fill

SEEING = "ghp_" + "s8" * 18
OTHERS = "ghp_" + "r2" * 18
ALL = Removals(max_share=1.0)


def refuse_update(url: str, id_: int) -> None:
    """Have the database refuse every change of one repository's row."""
    if url.startswith("postgresql"):
        body = f"BEGIN IF NEW.id = {id_} THEN RAISE check_violation; END IF; RETURN NEW; END"
        execute(
            url,
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body}; $$",
            "CREATE TRIGGER refuse BEFORE UPDATE ON repositories "
            "FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
    elif url.startswith("sqlite"):
        execute(
            url,
            "CREATE TRIGGER refuse BEFORE UPDATE ON repositories "
            f"WHEN NEW.id = {id_} BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        )
    else:
        execute(
            url,
            f"ALTER TABLE repositories ADD CONSTRAINT refuse "
            f"CHECK (id <> {id_} OR removed_at IS NULL)",
        )


def test_a_row_that_may_not_be_changed_does_not_keep_others_from_being_removed(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 10)
    run(github, store)
    refuse_update(store.url, ids[0])
    github.delete(ids[0])
    github.delete(ids[1])
    outcome = run(github, store)
    assert (outcome.status, outcome.counts.removed, outcome.counts.withheld) == ("partial", 1, 1)
    assert gone(store) == {ids[1]}
    query = f"SELECT count(*) FROM repository_changes WHERE repository_id = {ids[0]}"
    assert values(store.url, query) == [(1,)]


def test_two_of_one_owner_that_turn_private_have_names_of_their_own(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 10)
    github.add_token("octo", SEEING, scopes=("repo",))
    run(github, store, token=SEEING)
    execute(store.url, "CREATE UNIQUE INDEX one_name ON repositories (owner_login, name)")
    for id_ in ids[:2]:
        github.make_private(id_)
    assert run(github, store, token=SEEING).status == "succeeded"
    query = "SELECT full_name FROM repositories WHERE removal_reason = 'private' ORDER BY id"
    assert values(store.url, query) == [(f"octo/[redacted-{id_}]",) for id_ in ids[:2]]


def refuse_clearing(url: str, id_: int) -> list[str]:
    """Have the database keep a repository's row and name; return what allows it again."""
    if url.startswith("sqlite"):
        stops = f"WHEN OLD.id = {id_} BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        execute(
            url,
            f"CREATE TRIGGER keep_name BEFORE UPDATE OF name ON repositories {stops}",
            f"CREATE TRIGGER keep_row BEFORE DELETE ON repositories {stops}",
        )
        return ["DROP TRIGGER keep_name", "DROP TRIGGER keep_row"]
    execute(
        url,
        "CREATE TABLE notes AS SELECT host, id FROM repositories WHERE 1 = 0",
        "ALTER TABLE notes ADD FOREIGN KEY (host, id) REFERENCES repositories (host, id)",
        f"INSERT INTO notes SELECT host, id FROM repositories WHERE id = {id_}",
        "ALTER TABLE repositories ADD CONSTRAINT keep_name "
        f"CHECK (id <> {id_} OR name NOT LIKE '[redacted%')",
    )
    return ["DROP TABLE notes", "ALTER TABLE repositories DROP CONSTRAINT keep_name"]


def refer_to(url: str, id_: int, *, deferred: bool) -> None:
    """Have a table of the user's refer to a repository."""
    key = "FOREIGN KEY (host, id) REFERENCES repositories (host, id)"
    if url.startswith("mysql"):  # which defers none
        made = ["CREATE TABLE notes LIKE repositories", f"ALTER TABLE notes ADD {key}"]
        columns = "host, id, name, full_name, content_hash, first_seen_at, changed_at"
    else:
        later = "DEFERRABLE INITIALLY DEFERRED" if deferred else ""
        made = [f"CREATE TABLE notes (host varchar(255), id bigint, {key} {later})"]
        columns = "host, id"
    execute(
        url,
        *made,
        f"INSERT INTO notes ({columns}) SELECT {columns} FROM repositories WHERE id = {id_}",
    )


@pytest.mark.parametrize("deferred", [False, True])
def test_a_repository_that_the_database_refuses_to_purge_is_redacted(
    github: Sandbox, store: Store, *, deferred: bool
) -> None:
    ids = fill(github, 10)
    github.add_token("octo", SEEING, scopes=("repo",))
    run(github, store, token=SEEING)
    refer_to(store.url, ids[0], deferred=deferred)
    for id_ in ids[:2]:
        github.make_private(id_)
    purging = Removals(max_share=1.0, on_private="purge")
    outcome = run(github, store, token=SEEING, removals=purging)
    assert (outcome.status, outcome.counts.removed) == ("succeeded", 2)
    query = "SELECT id, removal_reason, description FROM repositories WHERE id < {} ORDER BY id"
    assert values(store.url, query.format(ids[2])) == [(ids[0], "private", None)]
    assert values(store.url, "SELECT id FROM notes") == [(ids[0],)]


def test_a_purged_repository_comes_back_for_an_account_that_still_lists_it(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 6)
    github.add_token("octo", SEEING, scopes=("repo",))
    both = ("me", "all")
    for _ in range(2):
        run(github, store, token=SEEING, configured=both)
        run(github, store, account="all", token=SEEING, visibility="all", configured=both)
    github.make_private(ids[0])
    run(github, store, account="all", token=SEEING, visibility="all", configured=both)
    purging = Removals(max_share=1.0, on_private="purge")
    run(github, store, token=SEEING, removals=purging, configured=("me",))
    assert values(store.url, "SELECT count(*) FROM repositories") == [(5,)]
    outcome = run(github, store, account="all", token=SEEING, visibility="all", configured=both)
    assert (outcome.status, outcome.counts.inserted) == ("succeeded", 1)
    assert values(store.url, "SELECT count(*) FROM repositories") == [(6,)]


@pytest.mark.parametrize("on_private", ["redact", "purge"])
def test_a_clearing_that_the_database_refused_is_tried_again(
    github: Sandbox, store: Store, on_private: OnPrivate
) -> None:
    github.add_token("octo", SEEING, scopes=("repo",))
    github.add_user("hubber", token=OTHERS)
    github.add_repository("hubber", "own")
    ids = fill(github, 10)
    rules = Removals(on_private=on_private, max_share=1.0)

    def mine() -> RunOutcome:
        return run(github, store, token=SEEING, configured=("me", "other"), removals=rules)

    def others() -> RunOutcome:
        both = ("me", "other")
        return run(github, store, token=OTHERS, account="other", configured=both, removals=rules)

    mine()
    others()
    for id_ in ids[:2]:
        github.make_private(id_)
    assert mine().counts.removed == 2  # and cleared later
    allow = refuse_clearing(store.url, ids[0])
    with capture_logs() as logs:
        outcome = others()
    assert (outcome.status, outcome.counts.withheld) == ("partial", 1)
    told = [(event["event"], event["id"]) for event in logs if event.get("id") in ids[:2]]
    assert ("repository.cleared", ids[1]) in told
    assert ("repository.removal_refused", ids[0]) in told
    name = f"SELECT full_name FROM repositories WHERE id = {ids[0]}"
    assert values(store.url, name) == [("octo/repo-0000",)]
    execute(store.url, *allow)
    assert others().status == "succeeded"
    left = [] if on_private == "purge" else [(f"octo/[redacted-{ids[0]}]",)]
    assert values(store.url, name) == left
