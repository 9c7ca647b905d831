"""What is true of a ledger whatever happens: after each run, and when server and ledger agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import msgspec

from sync.config.sections import Removals
from sync.core.errors import Fenced
from sync.database.tables import FIELDS
from sync.forges.records import Item, decode_item
from sync.load.page_plan import content_hash, stored_values
from sync.run.outcome import RunOutcome
from tests.support.walk_view import Look, Row, View, counters, redacted_name
from tests.support.walk_world import API_VERSION, Account, World

# What is blanked of a repository that turned private, beside its name.
BLANKED = (
    *("html_url", "description", "homepage", "language"),
    *("license_spdx_id", "topics", "default_branch"),
)


class Watch:
    """What each account must not lose while it is watched: what it lists all that time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.safe = {account.name: world.safe(account) for account in world.accounts}

    def look(self) -> None:
        """Take note of what is no longer safe to be listed."""
        for account in self._world.accounts:
            self.safe[account.name] &= self._world.safe(account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has ended, and the ledger before and after it.

    `quiet` is whether nothing changed and nothing failed meanwhile, `accepted`
    whether all that is missing was said to be right. `outcome` is None if the
    run crashed.
    """

    account: Account
    before: Look
    after: Look
    safe: dict[str, set[int]]
    outcome: RunOutcome | None
    quiet: bool
    accepted: bool
    configured: tuple[str, ...]

    def live(self, look: Look) -> set[int]:
        """Return what the account lists at a moment, as far as is stored."""
        return look.live.get(self.account.name, set())

    @property
    def lost(self) -> set[int]:
        return self.live(self.before) - self.live(self.after)

    @property
    def removed(self) -> set[int]:
        """What is removed now and was not before, or is not stored any longer."""
        return self.before.present - self.after.present


class Checks:
    """Compares a ledger with what the server of a walk says."""

    def __init__(self, world: World, view: View, rules: Removals) -> None:
        self._world = world
        self._view = view
        self._on_private = rules.on_private
        self._waits_for_consent = rules.agreeing_runs == 0
        self._scopes: dict[str, tuple[str, ...]] = {}  # of the last listing that was believed

    # After each run, whatever its end

    def after_run(self, run: Finished) -> None:
        nothing_alive_is_lost(run)
        nothing_is_taken_from_others(run)
        removed_when_nobody_lists_it(run)
        assert run.after.redacted <= run.after.removed.keys(), "redacted, and there"
        for rid in run.removed - self._world.touched:
            self._gone_for_a_true_reason(run, rid)
        if run.outcome is not None and not isinstance(run.outcome.error, Fenced):
            counts_are_true(run, run.outcome)
        if run.quiet:
            self._lists_what_is_listed(run)
        self._is_not_misled(run)

    def after_both(self, runs: Sequence[Finished]) -> None:
        """The same of runs of both accounts that went on at the same time, undisturbed."""
        for run in runs:
            nothing_alive_is_lost(run)
            # What one has removed, having asked later, the other lists again in its next run.
            removed = run.after.removed.keys() - run.before.removed.keys()
            self._lists_what_is_listed(run, but=removed)
            self._is_not_misled(run)
            assert run.outcome is not None
            assert run.outcome.counts.removed == len(run.lost), run.outcome

    def _gone_for_a_true_reason(self, run: Finished, rid: int) -> None:
        true = self._world.reason(run.account, rid, *run.before.stored[rid])
        # Purged at once, or when the other account has been synced without it.
        purged = self._on_private == "purge" and true == "private"
        told = run.after.removed.get(rid)
        assert told == true or (purged and told is None), (
            f"{rid} was removed as {told}, and is {true}"
        )

    def _lists_what_is_listed(self, run: Finished, but: AbstractSet[int] = frozenset()) -> None:
        """A run that nothing disturbed lists what the server lists, or says what it withholds."""
        assert run.outcome is not None
        listed, kept = self._world.listed(run.account), self._world.kept(run.account)
        had, has = run.live(run.before), run.live(run.after)
        assert run.outcome.complete, run.outcome
        assert listed - but <= has, f"not listed: {listed - but - has}"
        assert has <= listed | had, f"listed and never were: {has - listed - had}"
        withheld = run.outcome.counts.withheld
        # What is kept is withheld, too, as long as it has not been asked for.
        told = difference(f"withheld {withheld}; listed", has, listed | kept)
        assert len(has - listed - kept) <= withheld <= len(has - listed), told
        assert run.outcome.status == ("partial" if withheld else "succeeded"), run.outcome

    def _is_not_misled(self, run: Finished) -> None:
        """Nothing is removed because a listing is empty, or is that of other scopes than before."""
        name, token = run.account.name, self._world.sandbox.token(run.account.token)
        assert token is not None
        other = self._scopes.get(name, token.scopes) != token.scopes
        if not run.quiet or run.outcome is None:
            if other:  # what it was told of them is not certain
                del self._scopes[name]
            return
        missing = run.live(run.before) - self._world.listed(run.account)
        odd = other or not self._world.listed(run.account)
        if odd and self._waits_for_consent and not run.accepted:
            assert not run.lost, f"{name} lost {sorted(run.lost)}"
            assert run.outcome.counts.withheld == len(missing), run.outcome
        if run.outcome.status == "succeeded":
            self._scopes[name] = token.scopes

    # When nothing has changed since the last run of each account

    def settled(self, had: dict[str, set[int]]) -> None:
        """The ledger is what the server says; `had` is what each account listed before."""
        look, rows = self._view.look(), self._view.rows("payload")
        everything: set[int] = set()
        for account in self._world.accounts:
            kept = self._world.kept(account) & had.get(account.name, set())
            listing = self._listing(account)
            assert {item.record.id for item in listing} == self._world.listed(account)
            expected = {item.record.id for item in listing} | kept
            live = look.live.get(account.name, set())
            assert live == expected, difference(account.name, live, expected)
            for item in (*listing, *map(self._alone, sorted(kept))):
                stored_as_told(rows[item.record.id], item)
            everything |= expected
        assert look.present == everything, difference("present", look.present, everything)
        for rid in look.removed:
            self._removed_as_configured(rows[rid])
        metrics = self._view.newest_metrics()
        assert metrics == {rid: counters(row) for rid, row in rows.items()}, "metrics"

    def _listing(self, account: Account) -> list[Item]:
        objects = self._world.sandbox.listing_of(
            account.token, visibility=account.visibility, version=API_VERSION
        )
        return [decoded(one) for one in objects]

    def _alone(self, rid: int) -> Item:
        return decoded(self._world.sandbox.get(rid, full=True, version=API_VERSION))

    def _removed_as_configured(self, row: Row) -> None:
        private = row["removal_reason"] == "private"
        redacted = row["name"] == redacted_name(row["id"])
        if self._on_private == "redact":
            assert redacted or not private, f"{row['id']} is not redacted"
        else:
            assert not redacted, f"{row['id']} is redacted"
            assert not private or self._on_private == "keep", f"{row['id']} is not purged"
        if redacted:
            blank_but_for_its_owner(row)
        else:
            assert row["payload"], f"{row['id']} has lost its payload"


def nothing_alive_is_lost(run: Finished) -> None:
    """What was listed from the beginning of a run to its end still is, and is not removed."""
    lost = run.lost & run.safe[run.account.name]
    assert not lost, f"{run.account.name} lists these, and lost them: {sorted(lost)}"
    for name in run.configured:
        removed = run.before.live.get(name, set()) & run.safe[name] & run.removed
        assert not removed, f"{name} lists these, and they were removed: {sorted(removed)}"


def nothing_is_taken_from_others(run: Finished) -> None:
    """A run ends what its own account lists, and nothing of another's."""
    for name, listed in run.before.live.items():
        if name != run.account.name:
            gone = (listed - run.after.live.get(name, set())) & run.after.stored.keys()
            assert not gone, f"a run of {run.account.name} took {sorted(gone)} from {name}"


def removed_when_nobody_lists_it(run: Finished) -> None:
    """What an account lists no longer is removed, unless another configured one still lists it."""
    others = [name for name in run.configured if name != run.account.name]
    stays = set().union(*(run.before.live.get(name, set()) for name in others))
    expected = (run.lost & run.before.present) - stays
    assert run.removed == expected, difference("removed", run.removed, expected)


def counts_are_true(run: Finished, outcome: RunOutcome) -> None:
    """What a run says that it did is what can be seen of it."""
    counts = outcome.counts
    seen = {
        "removed": len(run.lost),
        "restored": len(run.before.removed.keys() & run.after.present),
        "inserted": len(run.after.stored.keys() - run.before.stored.keys()),
    }
    told = {name: getattr(counts, name) for name in seen}
    assert told == seen, f"told {told}, seen {seen}"


def stored_as_told(row: Row, item: Item) -> None:
    """A row holds each field of an object, and the object."""
    told, stored = stored_values(item.record), tuple(row[name] for name in FIELDS)
    if told != stored:
        fields = [f for f, a, b in zip(FIELDS, stored, told, strict=True) if a != b]
        raise AssertionError(f"{row['id']} is not as listed: {fields}: {stored}; {told}")
    assert row["content_hash"] == content_hash(item.record), f"{row['id']}: hash"
    assert f'"full_name":"{row["full_name"]}"' in (row["payload"] or ""), f"{row['id']}: payload"


def blank_but_for_its_owner(row: Row) -> None:
    """Nothing is left of what is not to be known of a private repository."""
    name = redacted_name(row["id"])
    names = row["name"], row["full_name"]
    assert names == (name, f"{row['owner_login']}/{name}"), names
    left = {name: row[name] for name in (*BLANKED, "payload") if row[name] is not None}
    assert (left, row["content_hash"]) == ({}, ""), f"left of {row['id']}: {left}"


def decoded(one: Any) -> Item:
    """Return the item that the product makes of an object."""
    item = decode_item(msgspec.json.encode(one))
    assert isinstance(item, Item), item
    return item


def difference(what: str, found: Iterable[int], expected: Iterable[int]) -> str:
    """Return in words what two sets of ids do not share."""
    more, fewer = set(found) - set(expected), set(expected) - set(found)
    return f"{what}: {sorted(more)} should not be there, {sorted(fewer)} should"
