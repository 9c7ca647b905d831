"""What a complete listing lacks, and what became of it: asked of GitHub, written nowhere.

A run and a dry run look the same way.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from sync.config.sections import Removals
from sync.database.reader import PageReader
from sync.errors import (
    BadCredentials,
    Blocked,
    Interrupted,
    NotFound,
    RateLimited,
    RemovalsWithheld,
    RestError,
)
from sync.github.answers import CachedPage, Identity, Page
from sync.github.client import GitHubClient
from sync.github.listing import page_number
from sync.github.records import Item
from sync.verdicts import (
    Answer,
    Basis,
    Verdict,
    basis_from,
    confirmed,
    digest,
    judge,
    objection,
)

T = TypeVar("T")
log = structlog.get_logger("sync.runner")

# So many answers in a row that say nothing: GitHub has other troubles, and is left alone.
_FAILURES = 3


class Read(Protocol):
    """Does `work` with what reads the ledger, and returns what it returns."""

    def __call__(self, work: Callable[[PageReader], T], /) -> T: ...


class Look:
    """What a listing held, page by page; `ids` in its order."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.items = 0
        self.announced_pages: int | None = None
        self.partial = False

    def take(self, page: Page) -> None:
        """Take a page in, in the order of the listing."""
        self.ids.extend(page.ids)
        self.items += page.item_count
        self.partial = self.partial or page.partial
        if page.last_url is not None:
            self.announced_pages = page_number(page.last_url) or self.announced_pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What an account's listing lacks of `members` repositories, ids in order, and its basis.

    `objection` is why nothing is done about it, None if something is. `agreed`
    is whether somebody, or several runs, have said that it is right.
    """

    account: str
    basis: Basis
    missing: tuple[int, ...]
    members: int
    objection: str | None
    agreed: bool

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
        members = array("q", reader.members())
        missing = _without(members, sorted(self.look.ids))
        row = reader.account_row()
        before = basis_from(row.get("listing_basis"))
        basis = self._basis(identity, row.get("id"), before)
        doubt = objection(
            missing=len(missing),
            members=len(members),
            items=self.look.items,
            announced_pages=self.look.announced_pages,
            basis=basis,
            before=before,
            max_share=rules.max_share,
        )
        agreed = accept or _agreeing(reader, rules.agreeing_runs, digest(missing))
        return Absence(
            account=reader.account,
            basis=basis,
            missing=tuple(missing),
            members=len(members),
            objection=None if agreed else doubt,
            agreed=agreed,
        )

    def _basis(self, identity: Identity, user_id: int | None, before: Basis | None) -> Basis:
        scopes = identity.scopes
        if identity.user is None and scopes is None and before is not None:
            scopes = before.scopes  # a 304 need not repeat them
        listing: Mapping[str, Any] = self.listing
        if self.client.token is None:
            listing = {"visibility": "public", "affiliation": ("owner",)}
        return Basis(
            user_id=identity.user.id if identity.user else user_id,
            scopes=None if scopes is None else tuple(sorted(scopes)),
            visibility=listing["visibility"],
            affiliation=tuple(sorted(listing["affiliation"])),
        )

    def verdicts(self, absence: Absence, *, limit: int, seed: int) -> Iterator[Verdict]:
        """Yield what became of everything that is missing. Raises RestErrors.

        At most `limit` are asked for, chosen by `seed`, unless it is agreed
        that they are missing; the others are unknown.
        """
        if absence.objection is not None:
            yield from _undecided(absence.missing)
            return
        most = len(absence.missing) if absence.agreed else limit
        # In another order each time, so that those of which nothing can be learned are not in
        # the way of the others for ever.
        order = random.Random(seed).sample(absence.missing, len(absence.missing))  # noqa: S311  # no secret
        asked = order[:most]
        yield from _undecided(order[most:])
        unsure: list[Verdict] = []
        for id_, answer in _answers(self.client, asked):
            verdict = judge(id_, answer, absence.basis)
            if verdict.outcome == "confirm":
                unsure.append(verdict)
            else:
                yield verdict
        if unsure:
            second = self._second_look()
            yield from (confirmed(verdict, self.look.ids, second) for verdict in unsure)

    def _second_look(self) -> array[int]:
        look = Look()
        for page in self.client.repository_pages(**self.listing, cached=self.remembered()):
            look.take(page)
        return array("q") if look.partial else look.ids


def _without(ids: Iterable[int], listed: Sequence[int]) -> list[int]:
    """Return those of `ids` that are not in `listed`, which is in order."""
    places = ((id_, bisect_left(listed, id_)) for id_ in ids)
    return [id_ for id_, at in places if at == len(listed) or listed[at] != id_]


def _agreeing(reader: PageReader, runs: int, missing: str) -> bool:
    """Tell whether this is the last of so many complete runs that miss the same."""
    before = reader.missed_before(runs - 1) if runs > 1 else []
    return runs > 0 and len(before) == runs - 1 and all(seen == missing for seen in before)


def _undecided(ids: Iterable[int]) -> Iterator[Verdict]:
    return (Verdict(id=id_, outcome="unknown") for id_ in ids)


def _answers(client: GitHubClient, ids: Sequence[int]) -> Iterator[tuple[int, Answer]]:
    """Yield what GitHub says of each repository, several asked for at a time."""
    pending: deque[tuple[int, Future[Item]]] = deque()
    upcoming = iter(ids)
    failures = 0
    try:
        while True:
            while len(pending) < 2 * client.concurrency and failures < _FAILURES:
                if (id_ := next(upcoming, None)) is None:
                    break
                pending.append((id_, client.in_background(client.repository_by_id, id_)))
            if not pending:
                break
            id_, future = pending.popleft()
            answer = _answer(id_, future)
            failures = failures + 1 if answer == "unknown" else 0
            yield id_, answer
    finally:
        for _, future in pending:
            future.cancel()
    yield from ((id_, "unknown") for id_ in upcoming)


def _answer(id_: int, future: Future[Item]) -> Answer:
    try:
        return future.result()
    except NotFound:
        return "not_found"
    except Blocked:
        return "blocked"
    except (BadCredentials, Interrupted, RateLimited):  # nothing more can be asked
        raise
    except RestError as error:
        log.warning("sync.probe_failed", repository_id=id_, message=str(error))
        return "unknown"
