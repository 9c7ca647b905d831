"""What can go wrong, and what happens then: the rows of the table in docs/reliability.md.

A test that shows a row carries the mark `matrix("its key")`. `make matrix` runs all of them, and
writes the table anew with what came out and how long it took.

Retry: bounded exponential back-off with jitter, then the run fails; pages already stored stay.
Stop: the run fails now, with a message that says what to do. Defer: the run ends as deferred
(exit code 4), and goes on at the time that GitHub named. Reject: the item is kept in
`rejected_items` with the reason, the others go on, the run ends as partial (exit code 3).
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """A fault, and what is promised to happen; `untested` says why no test shows it."""

    key: str
    fault: str
    behaviour: str
    untested: str = ""


ALWAYS = (
    Row(
        "always.converges",
        "any fault, once it is over",
        "one more run makes the ledger equal to GitHub's list",
    ),
    Row("always.alive", "any fault", "no live repository is marked as removed"),
    Row(
        "always.secret",
        "any fault",
        "no token in a log, an error, a file, or a request to another origin",
    ),
    Row("always.one-writer", "several processes", "at most one writer of an account takes effect"),
    Row("always.unchanged", "nothing changed", "no row is written"),
    Row("always.counts", "any fault", "the counts of a run add up to the items seen"),
)

HTTP = (
    Row("http.unreachable", "connection refused or reset, no such host, time-out", "retry"),
    Row(
        "http.body-trickles",
        "the body trickles in",
        "cut at the deadline for the whole answer; retry",
    ),
    Row(
        "http.headers-trickle",
        "the headers trickle in",
        "cut at the deadline for the whole answer; retry",
    ),
    Row(
        "http.cut-short",
        "the body ends early: by its length, in chunks, without a length, in gzip",
        "retry",
    ),
    Row(
        "http.not-json",
        "HTML with 200, 502 or 503; invalid JSON; a byte order mark",
        "retry; at most 200 characters are logged",
    ),
    Row(
        "http.another-shape",
        "JSON of another shape: an object, null",
        "stop; never taken for an empty list",
    ),
    Row(
        "http.odd-json",
        "deep nesting, a number of 5,000 digits, NaN, 1e400",
        "an error or a rejected item, never a crash",
    ),
    Row(
        "http.bomb",
        "a small answer that unpacks into a huge one",
        "stop at a cap on the unpacked bytes",
    ),
    Row(
        "http.redirects",
        "redirects: to another origin, in a loop, too many",
        "at most five, within the origin; else stop",
    ),
    Row(
        "http.foreign-next",
        "the link to the next page names another origin or scheme",
        "stop; nothing is sent there",
    ),
    Row("http.endless", "next pages in a circle, or without end", "stop"),
    Row("http.same-item", "the same repository on two pages", "stored once, as on the last page"),
    Row(
        "http.shifted",
        "a repository is missed because the list moved",
        "looked up by its id; never removed for its absence alone",
    ),
    Row("http.empty-list", "an empty list where there were many", "removals are withheld, partial"),
    Row("http.401", "401", "stop; no storm of retries"),
    Row(
        "http.quota",
        "403 or 429 with nothing remaining",
        "wait up to max_wait, else defer to the reset by the server's own clock",
    ),
    Row(
        "http.pace",
        "403 or 429 for a secondary limit, with Retry-After",
        "honoured up to max_wait, else defer; fewer pages in flight",
    ),
    Row(
        "http.pace-untold",
        "the same without Retry-After",
        "at least 60 s, then doubled, few times; fewer pages in flight",
    ),
    Row(
        "http.403",
        "403 for a permission, single sign-on, a block",
        "stop, with GitHub's own message",
    ),
    Row(
        "http.ends",
        "lists by cursor, short pages, no links, a length that is a multiple of the page's",
        "complete",
    ),
    Row(
        "http.told-in-part",
        "a limit stated in words alone, by some headers, twice, or as 503 with Retry-After",
        "treated as a limit",
    ),
    Row(
        "http.retry-after",
        "Retry-After: a date, negative, huge, 1.5, junk",
        "parsed, and bounded",
    ),
    Row("http.404", "404, 410, 422 for the listing", "stop"),
    Row("http.5xx", "409, 5xx", "retry; after repeated 5xx with smaller pages"),
    Row(
        "http.huge-header",
        "a header of 70 kB, or one that cannot be read",
        "retry, then the run fails",
    ),
    Row("http.netrc", "~/.netrc names the host", "not read"),
    Row("http.proxy", "proxies in the environment", "used, but never for this machine"),
)

DATA = (
    Row("data.nul", "U+0000 in a text", "becomes U+FFFD on every database, and is counted"),
    Row("data.surrogate", "half of a surrogate pair", "the same"),
    Row("data.large-id", "an id above 2^31 or 2^53", "stored"),
    Row("data.bad-id", "an id of 2^63 or more, true, a text, null", "reject"),
    Row("data.missing-optional", "no owner, no optional field", "stored as NULL"),
    Row("data.missing-required", "no full_name, no id, a wrong type", "reject; the others go on"),
    Row(
        "data.odd-optional",
        "an optional value of a wrong type, -1, an owner without a login, null in a list",
        "that value is NULL, with a warning",
    ),
    Row("data.unknown-field", "a field that nobody knows", "kept in payload"),
    Row("data.long-text", "a description of 10 MB", "cut with a warning; the run goes on"),
    Row(
        "data.time-offset",
        "a time with an offset; a time that is none",
        "stored in UTC; NULL with a warning",
    ),
    Row(
        "data.emoji",
        "emoji",
        "stored, also by a MySQL server whose defaults are another encoding and no strict mode",
    ),
    Row("data.reused-name", "a name that another id has now", "two rows"),
    Row("data.case", "names that differ in case alone", "two values"),
    Row("data.poison", "one row of a page that the database refuses", "that row alone is rejected"),
    Row("data.private", "private: true in a public listing", "not stored; counted, with a warning"),
)

DATABASE = (
    Row(
        "database.locked", "another program writes into the SQLite file", "the run waits up to 30 s"
    ),
    Row(
        "database.full",
        "the disk is full, or fails",
        "rolled back, the run fails; a daemon stays up and is not ready",
    ),
    Row(
        "database.unusable",
        "read-only, no database, no such folder",
        "exit 2 at the start, and the error names it",
    ),
    Row(
        "database.lost-connection",
        "the connection is lost in a transaction, or at its COMMIT",
        "the whole page is repeated, and counted once",
    ),
    Row(
        "database.deadlock",
        "a deadlock",
        "rows are written in the order of their ids; the page is repeated",
    ),
    Row(
        "database.failover",
        "the server restarts, or became read-only",
        "connections are replaced; the page is repeated for up to 8 s",
    ),
    Row(
        "database.older-schema",
        "the schema is older than the program",
        "migrated, or exit 2 with what to type",
    ),
    Row("database.newer-schema", "the schema is newer than the program", "exit 2"),
    Row("database.migration-dies", "a migration is killed", "the next attempt works"),
    Row(
        "database.migrations-at-once",
        "several processes migrate at once",
        "one does, the others wait",
    ),
    Row("database.two-runs", "two runs of one account", "the second says so, or waits with --wait"),
    Row(
        "database.frozen",
        "a process is frozen while another takes over",
        "its late writes are refused",
    ),
)

PROCESS = (
    Row(
        "process.killed",
        "kill -9 at any moment",
        "the next run converges; the dead one is recorded as interrupted",
    ),
    Row(
        "process.signal",
        "SIGTERM, SIGINT",
        "recorded as interrupted, ends within seconds; a second signal at once",
    ),
    Row(
        "process.clock",
        "the clock jumps, the machine is suspended",
        "waits use a monotonic clock; an overdue sync runs once",
    ),
    Row("process.memory", "little memory: ulimit -v", "10,000 repositories fit"),
    Row(
        "process.bad-config",
        "bad TOML, unknown keys, wrong values, a cron that never fires",
        "all problems at once, exit 2",
    ),
    Row("process.plain-http", "http:// to another machine, a password in the API's URL", "refused"),
    Row(
        "process.odd-token",
        "a token with a line break",
        "a final one is removed; a token with any other is refused and not shown",
    ),
    Row("process.open-file", "a file with a secret that others can read", "a warning"),
    Row(
        "process.shared-quota",
        "two accounts of one GitHub user",
        "they share one quota, with a warning",
    ),
)

SECTIONS: dict[str, tuple[Row, ...]] = {
    "Always": ALWAYS,
    "HTTP": HTTP,
    "Data": DATA,
    "Database": DATABASE,
    "Process and configuration": PROCESS,
}
ROWS = {row.key: row for rows in SECTIONS.values() for row in rows}
