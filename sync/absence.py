"""What a complete listing lacks, and what became of it: asked of GitHub, written nowhere.

A run and a dry run look the same way.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sync.config.sections import Removals
from sync.database.reader import PageReader
from sync.errors import RemovalsWithheld
from sync.github.answers import CachedPage, Identity, Page
from sync.github.client import GitHubClient
from sync.github.listing import page_number
from sync.probing import answers
from sync.verdicts import Basis, Verdict, basis_from, confirmed, digest, judge, objection

T = TypeVar("T")


class Read(Protocol):
    """Does `work` with what reads the ledger, and returns what it returns."""

    def __call__(self, work: Callable[[PageReader], T], /) -> T: ...


class Look:
    """What a listing held, page by page.

    `ids` of repositories in its order, also of those that could not be stored,
    `skipped` those of private ones in a public listing. `unreadable` is whether
    there was something that could have been any.
    """

    def __init__(self) -> None:
        self.ids = array("q")
        self.skipped: set[int] = set()
        self.unreadable = False
        self.items = 0
        self.announced_pages: int | None = None
        self.partial = False

    def take(self, page: Page) -> None:
        """Take a page in, in the order of the listing."""
        self.ids.extend(page.ids)
        self.skipped |= set(page.skipped_ids)
        self.unreadable = self.unreadable or any(item.id is None for item in page.rejected)
        self.items += page.item_count
        self.partial = self.partial or page.partial
        if page.last_url is not None:
            self.announced_pages = page_number(page.last_url) or self.announced_pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What an account's listing lacks of `members` repositories, ids in order, and its basis.

    `objection` is why nothing is done about it, None if something is. `accepted`
    is whether the user has said that it is right. `former` are names that the
    account had before.
    """

    account: str
    former: tuple[str, ...]
    basis: Basis
    missing: tuple[int, ...]
    members: int
    objection: str | None
    accepted: bool

    @property
    def error(self) -> RemovalsWithheld | None:
        """What the user is told if nothing is done about it."""
        if self.objection is None or not self.missing:
            return None
        return RemovalsWithheld(
            f"{len(self.missing)} of {self.members} repositories went missing from the list, and "
            f"nothing was removed: {self.objection}. `repoledger backfill --dry-run` names them; "
            f"if it is right, run `repoledger backfill --account {self.account} --accept-removals`"
        )

    def undecided(self, count: int) -> RemovalsWithheld | None:
        """Return what the user is told if so many were asked for in vain, or not yet."""
        if not count:
            return None
        return RemovalsWithheld(
            f"{count} of {len(self.missing)} repositories that went missing from the list could "
            "not be decided; the next run asks GitHub again"
        )


class Search:
    """Looks for what the listing of an account lacks.

    `listing` is what `repository_pages` takes. `remembered` gives what can be
    asked for conditionally.
    """

    def __init__(
        self,
        client: GitHubClient,
        read: Read,
        listing: Mapping[str, Any],
        remembered: Callable[[], Mapping[str, CachedPage]] = dict,
    ) -> None:
        self.client = client
        self.read = read
        self.listing = listing
        self.remembered = remembered
        self.look = Look()

    def absent(self, identity: Identity, rules: Removals, *, accept: bool) -> Absence:
        """Return what is missing, now that `look` has seen every page."""
        return self.read(lambda reader: self._absent(reader, identity, rules, accept=accept))

    def _absent(
        self, reader: PageReader, identity: Identity, rules: Removals, *, accept: bool
    ) -> Absence:
        row = reader.account_row()
        before = basis_from(row.get("listing_basis"))
        basis = self.basis(identity, before, row.get("id"))
        former = _former_names(reader, basis) if before is None else ()
        listed = set(self.look.ids)
        stored = reader.members((reader.account, *former))
        missing = [id_ for id_ in stored if id_ not in listed]
        # What it used to list, and what is new: in a dry run that is not stored yet.
        members = len(missing) + len(listed)
        doubt = objection(
            missing=len(missing),
            members=members,
            items=self.look.items,
            announced_pages=self.look.announced_pages,
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
        )

    def basis(self, identity: Identity, before: Basis | None, user_id: int | None = None) -> Basis:
        """Return whose listing this is, and of what.

        If `identity` is as it was, it is `user_id`, with what is known from `before`.
        """
        scopes = identity.scopes
        if identity.user is None and scopes is None and before is not None:
            scopes = before.scopes  # a 304 need not repeat them
        credentials = self.client.credentials
        visibility, affiliation = credentials.covers(**self.listing)
        return Basis(
            user_id=identity.user.id if identity.user else user_id,
            scopes=None if scopes is None else tuple(sorted(scopes)),
            visibility=visibility,
            affiliation=tuple(sorted(affiliation)),
            app=credentials.app,
        )

    def verdicts(self, absence: Absence, *, limit: int) -> Iterator[Verdict]:
        """Yield what became of everything that is missing. Raises RestErrors.

        At most `limit` are asked for, unless the user has accepted that they are
        missing; the others are unknown.
        """
        if absence.objection is not None:
            yield from _undecided(absence.missing)
            return
        # In another order after each run, so that those of which nothing can be learned are not
        # in the way of the others for ever. A dry run asks for the same as the run after it.
        seed = self.read(lambda reader: reader.last_run())
        order = random.Random(seed).sample(absence.missing, len(absence.missing))  # noqa: S311  # no secret
        most = len(order) if absence.accepted else limit
        yield from _undecided(order[most:])
        second: _SecondLook | None = None
        for id_, answer in answers(self.client, order[:most]):
            verdict = judge(id_, answer, absence.basis)
            if verdict.outcome == "confirm":
                # At once, so that what was learned by then can be kept if quota ends.
                second = second or _SecondLook(self.look, self._look_again())
                verdict = second.confirm(verdict)
            yield verdict

    def _look_again(self) -> Look:
        look = Look()
        for page in self.client.repository_pages(**self.listing, cached=self.remembered()):
            look.take(page)
        return look


class _SecondLook:
    """What two looks at one listing say together."""

    def __init__(self, first: Look, second: Look) -> None:
        self.listed = first.skipped | second.skipped | set(second.ids)
        unreliable = second.partial or first.unreadable or second.unreadable
        self.agreeing = not unreliable and first.ids == second.ids

    def confirm(self, verdict: Verdict) -> Verdict:
        return confirmed(verdict, listed=verdict.id in self.listed, agreeing=self.agreeing)


def _former_names(reader: PageReader, basis: Basis) -> tuple[str, ...]:
    """Return the accounts no longer configured that listed the same for the same user."""
    return tuple(
        name
        for name, text in reader.unconfigured().items()
        if (other := basis_from(text)) is not None and other.same_listing(basis)
    )


def _agreeing(reader: PageReader, runs: int, missing: str) -> bool:
    """Tell whether this is the last of so many complete runs that miss the same."""
    before = reader.missed_before(runs - 1) if runs else []
    return runs > 0 and len(before) == runs - 1 and all(seen == missing for seen in before)


def _undecided(ids: Iterable[int]) -> Iterator[Verdict]:
    return (Verdict(id=id_, outcome="unknown") for id_ in ids)
