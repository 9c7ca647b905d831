"""Finds repositories that are missing from a complete listing, and asks GitHub about each.

Reads only: `apply` writes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sync.config.sections import Removals
from sync.core.errors import RemovalsWithheld
from sync.database.run_reader import RunReader
from sync.forges.answers import CachedPage, Identity
from sync.forges.forge import Forge
from sync.load.scan import ListingScan
from sync.load.writer import RunWriter
from sync.removals.judge import (
    ListingIdentity,
    Verdict,
    confirmed,
    digest,
    judge,
    objection,
    parse_listing_identity,
)
from sync.removals.probe import probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The repositories missing from an account's listing.

    `missing`: their ids in order, of `members` in all. `basis`: the identity of the listing.
    `objection`: why none of them is removed, None if they may be. `accepted`: whether the user
    confirmed the removals. `former`: earlier names of the account. `founded`: whether the
    identity of an earlier listing is known.
    """

    account: str
    former: tuple[str, ...]
    basis: ListingIdentity
    missing: tuple[int, ...]
    members: int
    objection: str | None
    accepted: bool
    founded: bool

    @property
    def error(self) -> RemovalsWithheld | None:
        """The error to report if all removals are withheld."""
        if self.objection is None or not self.missing:
            return None
        return RemovalsWithheld(
            f"{len(self.missing)} of {self.members} repositories went missing from the list, and "
            f"none was removed: {self.objection}. `repoledger backfill --dry-run` names them; to "
            f"remove them, run `repoledger backfill --account {self.account} --accept-removals`"
        )

    def at_former_hosts(self, host: str, left: Mapping[str, int]) -> RemovalsWithheld | None:
        """Return the error to report about repositories stored from other hosts."""
        if not left or self.accepted:
            return None
        return RemovalsWithheld(
            f"{sum(left.values())} repositories that the account listed at {', '.join(left)} are "
            f"still current in the ledger, but the account is now synced from {host}; "
            f"`repoledger backfill --account {self.account} --accept-removals` removes them"
        )

    def undecided(self, count: int) -> RemovalsWithheld | None:
        """Return the error to report if `count` repositories could not be decided."""
        if not count:
            return None
        return RemovalsWithheld(
            f"{count} of {len(self.missing)} repositories that went missing from the list could "
            "not be decided; the next run asks GitHub again"
        )


class MissingFinder:
    """Finds the stored repositories of an account that are not in `scan`.

    `listing`: arguments of `repository_pages`. `remembered` returns the remembered pages.
    """

    def __init__(
        self,
        client: Forge,
        writer: RunWriter,
        listing: Mapping[str, Any],
        scan: ListingScan,
        remembered: Callable[[], Mapping[str, CachedPage]],
    ) -> None:
        self.client = client
        self.read = writer.read
        self.listing = listing
        self.remembered = remembered
        self.scan = scan

    def absent(self, identity: Identity, rules: Removals, *, accept: bool) -> Absence:
        """Return the missing repositories; `scan` must be complete."""

        def missed(identity: Identity) -> Absence:
            return self.read(lambda reader: self._absent(reader, identity, rules, accept=accept))

        absence = missed(identity)
        untold = identity.user is None and identity.scopes is None
        if untold and self.client.credentials.has_scopes and not self._is_explained(absence):
            # A 304 may leave the token's scopes out: ask again without a condition.
            absence = missed(self.client.identify())
        return absence

    def _is_explained(self, absence: Absence) -> bool:
        """Return whether all missing repositories are known to exist without being listed."""
        known = self.tags(absence.basis) if absence.missing else {}
        return absence.founded and known.keys() >= set(absence.missing)

    def _absent(
        self, reader: RunReader, identity: Identity, rules: Removals, *, accept: bool
    ) -> Absence:
        row = reader.account_row()
        before = parse_listing_identity(row.get("listing_basis"))
        basis = listing_identity(self.client, self.listing, identity, before, row.get("id"))
        former = _former_names(reader, basis) if before is None else ()
        listed = set(self.scan.ids)
        stored = reader.members((reader.account, *former))
        missing = [id_ for id_ in stored if id_ not in listed]
        # Everything that was or is listed, rejected items included.
        members = len(missing) + len(listed)
        doubt = objection(
            missing=len(missing),
            members=members,
            items=self.scan.items,
            announced=self.scan.announced,
            basis=basis,
            before=before,
            max_share=rules.max_share,
        )
        agreed = accept or _agreeing(reader, rules.agreeing_runs, digest(missing))
        return Absence(
            account=reader.account,
            former=former,
            basis=basis,
            missing=tuple(missing),
            members=members,
            objection=None if agreed else doubt,
            accepted=accept,
            founded=before is not None,
        )

    def tag_key(self, basis: ListingIdentity, id_: int) -> str:
        """Return the `page_cache` key for the ETag of an unlisted repository."""
        return self.client.page_key(f"{basis.as_word()} /repositories/{id_}")

    def tags(self, basis: ListingIdentity) -> dict[int, str]:
        """Return the ETags, by id, of repositories that exist, unlisted, and are the account's."""
        begins = self.tag_key(basis, 0).removesuffix("0")
        kept = {k: page for k, page in self.remembered().items() if k.startswith(begins)}
        return {int(key.removeprefix(begins)): page.etag for key, page in kept.items()}

    def verdicts(self, absence: Absence, *, limit: int, full: bool = False) -> Iterator[Verdict]:
        """Yield a verdict for each missing repository. Raises RestErrors.

        At most `limit` are requested, unless the user has confirmed the removals; the others
        are unknown. `full` makes no conditional requests.
        """
        if absence.objection is not None:
            yield from _undecided(absence.missing)
            return
        # In random order, so that repositories that cannot be decided do not use up the limit in
        # every run.
        seed = self.read(lambda reader: reader.last_run())
        order = random.Random(seed).sample(absence.missing, len(absence.missing))  # noqa: S311  # no secret
        most = len(order) if absence.accepted else limit
        yield from _undecided(order[most:])
        second: _SecondLook | None = None
        tags = {} if full else self.tags(absence.basis)
        for id_, answer, etag in probes(self.client, order[:most], tags):
            verdict = replace(judge(id_, answer, absence.basis), etag=etag)
            if verdict.outcome == "confirm":
                # Not at the end: if the quota ends meanwhile, the verdicts so far can be applied.
                second = second or _SecondLook(self.scan, self._look_again())
                verdict = second.confirm(verdict)
            yield verdict

    def _look_again(self) -> ListingScan:
        scan = ListingScan(self.client.paging.size)
        for page in self.client.repository_pages(**self.listing, cached=self.remembered()):
            scan.take(page)
        return scan


class _SecondLook:
    """Compares two looks at one listing."""

    def __init__(self, first: ListingScan, second: ListingScan) -> None:
        self.listed = first.skipped | second.skipped | set(second.ids)
        unreliable = second.partial or first.unreadable or second.unreadable
        # A repository that was added in between is no disagreement: it hides no other.
        again = iter(dict.fromkeys(second.ids))
        self.agreeing = not unreliable and all(id_ in again for id_ in dict.fromkeys(first.ids))

    def confirm(self, verdict: Verdict) -> Verdict:
        return confirmed(verdict, listed=verdict.id in self.listed, agreeing=self.agreeing)


def listing_identity(
    client: Forge,
    listing: Mapping[str, Any],
    identity: Identity,
    before: ListingIdentity | None = None,
    user_id: int | None = None,
) -> ListingIdentity:
    """Return the identity of a listing.

    If `identity` is a 304 without user, the user is `user_id`, with the scopes of `before`.
    """
    scopes = identity.scopes
    if identity.user is None and scopes is None and before is not None:
        scopes = before.scopes  # a 304 may leave them out
    visibility, affiliation = client.credentials.covers(**listing)
    return ListingIdentity(
        user_id=identity.user.id if identity.user else user_id,
        scopes=None if scopes is None else tuple(sorted(scopes)),
        visibility=visibility,
        affiliation=tuple(sorted(affiliation)),
        app=client.credentials.app,
    )


def _former_names(reader: RunReader, basis: ListingIdentity) -> tuple[str, ...]:
    """Return accounts that are no longer configured and had the same listing of the same user."""
    return tuple(
        name
        for name, text in reader.unconfigured().items()
        if (other := parse_listing_identity(text)) is not None and other.same_listing(basis)
    )


def _agreeing(reader: RunReader, runs: int, missing: str) -> bool:
    """Return whether the last `runs` complete runs, this one included, miss the same ids."""
    before = reader.missed_before(runs - 1) if runs else []
    return runs > 0 and len(before) == runs - 1 and all(seen == missing for seen in before)


def _undecided(ids: Iterable[int]) -> Iterator[Verdict]:
    return (Verdict(id=id_, outcome="unknown") for id_ in ids)
