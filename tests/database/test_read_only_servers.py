"""Servers: the user's own statements can do nothing but read, whatever tricks they know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.database import HOST, repository, snapshot, store_page
from tests.support.inside.core import QueryRefused
from tests.support.inside.database import Ledger, Store, migrate
from tests.support.servers import databases

pytestmark = pytest.mark.slow_on_servers

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT = f"/tmp/repoledger-{uuid4().hex}"

BOTH = [
    "INSERT INTO accounts (name, host, generation) VALUES ('x', 'y', 1)",
    "UPDATE repositories SET name = 'x'",
    "DELETE FROM accounts",
    "EXPLAIN DELETE FROM accounts; DELETE FROM accounts",
    "/* SELECT */ DROP TABLE repositories",
    "-- SELECT\nDROP TABLE repositories",
    "-- x\nDELETE FROM accounts -- SELECT\n",
    "/* a */ DELETE FROM accounts /* */ SELECT 1",
    "/* SELECT 1",
    "CREATE TABLE t (x int)",
    "CREATE TEMPORARY TABLE t (x int)",
    "ALTER TABLE repositories ADD COLUMN x int",
    "TRUNCATE accounts",
    "GRANT SELECT ON accounts TO PUBLIC",
    "SET TRANSACTION READ WRITE",
    "START TRANSACTION READ WRITE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "CALL nothing()",
    "EXECUTE nothing",
    "SELECT 1; SELECT 2",
    "SELECT 1; COMMIT; DELETE FROM accounts",
    "; DELETE FROM accounts",
    "(DELETE FROM accounts)",
    "SELECTED",
    "",
    "-- nothing",
]
POSTGRESQL = [
    "ROLLBACK; BEGIN READ WRITE; DELETE FROM accounts; COMMIT; SELECT 1",
    "SELECT 1; ROLLBACK; BEGIN READ WRITE; DELETE FROM accounts; COMMIT; SELECT 1",
    "WITH gone AS (DELETE FROM accounts RETURNING name) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM accounts",
    "SELECT * INTO t FROM accounts",
    "SELECT * FROM accounts FOR UPDATE",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT setval('sync_runs_id_seq', 99)",
    f"COPY (SELECT 1) TO '{OUT}'",
    "COPY (SELECT 1) TO STDOUT",
    "COPY accounts FROM STDIN",
    f"/* /* */ SELECT */ COPY (SELECT 1) TO '{OUT}'",
    f"-- x\rCOPY (SELECT 1) TO '{OUT}' -- \nSELECT",
    "DO $$ BEGIN DELETE FROM accounts; END $$",
    "PREPARE p AS DELETE FROM accounts",
    "LOCK TABLE accounts",
    "SELECT * FROM accounts FOR SHARE",
    "NOTIFY x",
    "VACUUM",
    "ALTER SYSTEM SET work_mem = '5MB'",
]
MYSQL = [
    "BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; COMMIT; DELETE FROM accounts; END",
    "x: BEGIN NOT ATOMIC DELETE FROM accounts; END",
    "select$x: BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; COMMIT; END",
    f"SELECT 1 INTO OUTFILE '{OUT}'",
    f"SELECT 1 INTO/**/dumpfile '{OUT}'",
    f"(SELECT 1 INTO OUTFILE '{OUT}')",
    f"SELECT 1 /*!50000 INTO OUTFILE '{OUT}' */",
    "/*!50000 SET GLOBAL max_connections = 99 */",
    "/*M!100000 SET GLOBAL max_connections = 99 */",
    "SELECT 1 INTO @x",
    "SELECT * FROM accounts FOR UPDATE",
    "SELECT * FROM accounts LOCK IN SHARE MODE",
    "(SELECT * FROM accounts lock/* in */in -- a\n# b\n\tshare mode)",
    "SELECT 'it''s', 'a\\'' lock in share mode",
    "SELECT 1 `a``b` FROM accounts lock in share mode -- `",
    f"SELECT $$'$$ INTO OUTFILE '{OUT}'",
    f"SELECT $a$'$a$ INTO OUTFILE '{OUT}'",
    "SELECT * FROM accounts FOR SHARE",
    "SELECT * FROM accounts FOR/**/SHARE SKIP LOCKED",
    "WITH x AS (SELECT * FROM accounts LOCK IN SHARE MODE) SELECT * FROM x",
    "SET GLOBAL max_connections = 99",
    "SET STATEMENT max_statement_time = 9 FOR DELETE FROM accounts",
    "SET PASSWORD = ''",
    "# SELECT\nSET @x = 1",
    "-- x\rSELECT 1\nFLUSH TABLES",
    "FLUSH TABLES",
    "ANALYZE TABLE accounts",
    "OPTIMIZE TABLE accounts",
    "LOCK TABLES accounts WRITE",
    "HANDLER accounts OPEN",
    "DO SLEEP(0)",
    "KILL 1",
    "XA START 'x'",
    "EXECUTE IMMEDIATE 'DELETE FROM accounts'",
    "PREPARE p FROM 'DELETE FROM accounts'",
    f"LOAD DATA INFILE '{OUT}' INTO TABLE accounts",
    "REPLACE INTO accounts (name, host, generation) VALUES ('x', 'y', 1)",
]
ANSWERED = [
    ("SELECT id FROM repositories ORDER BY id", [(1,), (2,)]),
    ("select count(*) from current_repositories ;", [(2,)]),
    ("SELECT '100 %', ':x', '%s'", [("100 %", ":x", "%s")]),
    ("\n-- why\n/* and ( how */ SELECT 1 -- a remark; with a sign", [(1,)]),
    ("(SELECT 1) UNION ALL (SELECT 2)", [(1,), (2,)]),
    ("SELECT(1)", [(1,)]),
    ("WITH x AS (SELECT 3 AS n) SELECT n FROM x", [(3,)]),
    ("VALUES (1), (2)", [(1,), (2,)]),
]
MORE_ANSWERED = {
    "postgresql": [
        "TABLE accounts",
        "SHOW timezone",
        "EXPLAIN SELECT 1",
        "explain analyze select 1",
    ],
    "mysql": [
        "SHOW TABLES",
        "DESC accounts",
        "DESCRIBE accounts",
        "EXPLAIN SELECT 1",
        "#\nSELECT 1",
        "select 'lock in share mode', 'a\\'b for share', \"it's into outfile\"",
        "select 'it''s for share' as `lock in share mode`, 1 as \"for share\"",
        "select 1 -- for share\n # into outfile\n /* get_lock, lock in share mode */",
        "select 'a' as a$b$c, '/*! */', '$$'",
    ],
}
# Each takes a lock of the session's, and gives 1; 0 where another session holds it.
LOCKS = {
    "postgresql": [
        "SELECT pg_try_advisory_lock(7)::int",
        'SELECT U&"pg_try\\005fadvisory_lock"(7)::int',
    ],
    "mysql": ["SELECT get_lock('seven', 0)"],
}
# Settings for later transactions, which end with the transaction that made them.
OPENS_NOTHING = {
    "postgresql": "SELECT set_config('default_transaction_read_only', 'off', false)",
    "mysql": "SELECT @tx_read_only := 0",
}
REFUSALS = {
    "postgresql": [
        ("COPY (SELECT 1) TO STDOUT", "does not begin with SELECT, WITH, .* or EXPLAIN"),
        ("EXPLAIN ANALYZE DELETE FROM accounts", "read-only transaction"),
    ],
    "mysql": [
        ("SET GLOBAL max_connections = 99", "does not begin with SELECT, WITH, .* or DESC"),
        (f"SELECT 1 INTO OUTFILE '{OUT}'", "holds OUTFILE"),
        ("SELECT /*!50000 1 */", r"holds /\*!"),
        ("SELECT * FROM accounts LOCK IN SHARE MODE", "holds LOCK IN SHARE"),
        ("SELECT * FROM accounts FOR UPDATE", "READ ONLY transaction"),
    ],
}


@pytest.fixture(scope="module", params=["postgresql", "mysql"])
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Yield a kind of server, and the URL of a ledger there that holds something."""
    with databases(request.param, tmp_path_factory.mktemp("asked")) as make:
        url = make()
        migrate.upgrade(url)
        with Store(url) as store:
            run = store.start_run("me", HOST, "backfill")
            store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
        yield request.param, url


def ask(ledger: Ledger, sql: str) -> list[tuple[Any, ...]]:
    with ledger.query(sql) as (_, found):
        return [tuple(row) for row in found]


def test_a_server_answers_statements_that_read(asked: tuple[str, str]) -> None:
    kind, url = asked
    with Ledger(url) as ledger:
        assert [(sql, ask(ledger, sql)) for sql, _ in ANSWERED] == ANSWERED
        assert all(ask(ledger, sql) for sql in MORE_ANSWERED[kind])


def test_a_server_is_sent_nothing_that_does_more_than_read(asked: tuple[str, str]) -> None:
    kind, url = asked
    before = snapshot(url)
    with Ledger(url) as ledger:
        ask(ledger, OPENS_NOTHING[kind])
        for sql in [*BOTH, *{"postgresql": POSTGRESQL, "mysql": MYSQL}[kind]]:
            with pytest.raises(QueryRefused) as caught:
                pytest.fail(f"{sql} gave {ask(ledger, sql)}")
            assert str(caught.value)
            assert ask(ledger, "SELECT count(*) FROM accounts") == [(1,)], sql
    assert snapshot(url) == before
    assert not Path(OUT).exists()


def test_a_lock_that_a_statement_takes_is_gone_with_it(asked: tuple[str, str]) -> None:
    kind, url = asked
    with Ledger(url) as ledger, Ledger(url) as other:
        for sql in LOCKS[kind]:
            assert ask(ledger, sql) == [(1,)]
            assert ask(other, sql) == [(1,)]


def test_a_refusal_of_a_server_says_what_is_possible_instead(asked: tuple[str, str]) -> None:
    kind, url = asked
    with Ledger(url) as ledger:
        for sql, words in REFUSALS[kind]:
            with pytest.raises(QueryRefused, match=f"{words}.*: only reading is possible here$"):
                ask(ledger, sql)
