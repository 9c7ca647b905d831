"""What it means that a complete listing lacks a repository. No I/O here.

Absence alone never removes anything: a deletion during paging moves later
repositories forward, so that a live one can be missed. Each missing repository
is asked for by id, and `judge` tells what the answer means. `objection` tells
when so much is missing that not even that should be done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

import msgspec

from sync.github.protocol import PER_PAGE
from sync.github.records import Item, Owner

# As many may go whatever their share is.
_HANDFUL = 3

Reason = Literal["not_found", "private", "blocked", "transferred", "unlisted"]
# What asking for a repository by id gave: the repository, or why not.
Answer = Item | Literal["not_found", "blocked", "unknown"]


class Basis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose listing it is, and of what: two listings are compared only if these agree.

    `scopes` is None for tokens that have none. `app` is the App that was given what
    is listed, by that user or organization; None if a user lists.
    """

    user_id: int | None
    scopes: tuple[str, ...] | None
    visibility: str
    affiliation: tuple[str, ...]
    app: str | None = None

    def as_text(self) -> str:
        """Return it as `accounts.listing_basis` keeps it."""
        return msgspec.json.encode(self).decode()

    def of_user(self, user_id: int | None) -> Basis:
        """Return the same, of another user."""
        return msgspec.structs.replace(self, user_id=user_id)

    def same_listing(self, other: Basis) -> bool:
        """Tell whether both list the same for the same user, whatever the token may do."""
        return msgspec.structs.replace(self, scopes=None) == msgspec.structs.replace(
            other, scopes=None
        )

    def difference(self, before: Basis) -> str | None:
        """Return what has changed since `before`, in words; None if nothing has."""
        if self.app != before.app:
            had, has = (f"by App {b.app}" if b.app else "by a user" for b in (before, self))
            return f"the listing was asked for {had} before, and is {has} now"
        if self.user_id != before.user_id and self.app:
            return "the App's installation is another one than before"
        if self.user_id != before.user_id:
            return "the token belongs to another user than before"
        if self.scopes != before.scopes:
            had, has = (_in_words(basis.scopes) for basis in (before, self))
            return f"the token's scopes have changed (from {had} to {has})"
        if self.visibility != before.visibility:
            return f"visibility was {before.visibility} before, and is {self.visibility} now"
        if self.affiliation != before.affiliation:
            return f"affiliation was {', '.join(before.affiliation)} before, and is another now"
        return None


def _in_words(scopes: tuple[str, ...] | None) -> str:
    return "those of another kind of token" if scopes is None else ", ".join(scopes) or "none"


def basis_from(text: str | None) -> Basis | None:
    """Return the basis that `accounts.listing_basis` holds; None if there is none to be read."""
    try:
        return msgspec.json.decode(text, type=Basis) if text else None
    except msgspec.DecodeError:
        return None


def objection(
    *,
    missing: int,
    members: int,
    items: int,
    announced_pages: int | None,
    basis: Basis,
    before: Basis | None,
    max_share: float,
) -> str | None:
    """Return why nothing may be removed, in words; None if nothing speaks against it.

    Of `members` that the account lists or used to list, `missing` are not among
    the `items` of the listing now. `announced_pages` is the page number of
    `Link: last`, if the server told. `before` is the basis of the last listing
    that was acted upon.
    """
    if before is not None and (difference := basis.difference(before)):
        return difference
    if items == 0:
        return "the listing is suddenly empty"
    if announced_pages is not None:
        announced = (announced_pages - 1) * PER_PAGE + 1
        if announced - items > max(_HANDFUL, max_share * announced):
            return f"GitHub announced {announced_pages} pages, and listed {items} repositories"
    if missing > max(_HANDFUL, max_share * members):
        return f"that is more than {max_share:.0%} at once"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a missing repository.

    `keep`: it is alive and still this account's. `remove`: the account lists it
    no longer. `confirm`: the same, if a second look at the listing shows that
    it was not missed by accident. `unknown`: to be decided by a later run.
    `item` is how it is now. `reason` is None where that depends on whose it was.
    `visibility` is what the listing was to show.
    """

    id: int
    outcome: Literal["keep", "remove", "confirm", "unknown"]
    reason: Reason | None = None
    item: Item | None = None
    visibility: str = "public"


def judge(id_: int, answer: Answer, basis: Basis) -> Verdict:
    """Return what `answer` says of the missing repository `id_`."""
    if answer == "unknown":
        return Verdict(id=id_, outcome="unknown")
    if not isinstance(answer, Item):
        visibility = basis.visibility
        return Verdict(id=id_, outcome="remove", reason=answer, visibility=visibility)
    record = answer.record
    if record.id != id_:  # led to another one, which says nothing of this one
        return Verdict(id=id_, outcome="unknown")
    if record.private and basis.visibility == "public":
        # What is private now is not stored, not even by way of this answer.
        return Verdict(id=id_, outcome="remove", reason="private")
    owner = record.owner.id if isinstance(record.owner, Owner) else None
    mine = owner is not None and owner == basis.user_id
    outcome: Literal["keep", "remove", "confirm"] = "confirm"
    if basis.visibility == "private" and not record.private:
        outcome = "remove"
    elif basis.app is not None:
        pass  # it may have been taken from the App: only a second look tells
    elif mine:
        outcome = "keep" if "owner" in basis.affiliation else "remove"
    elif set(basis.affiliation) == {"owner"}:
        outcome = "remove"
    return Verdict(id=id_, outcome=outcome, item=answer)


def confirmed(verdict: Verdict, *, listed: bool, agreeing: bool) -> Verdict:
    """Return what becomes of a verdict to be confirmed by a second look at the listing.

    `listed` is whether it was seen in either. `agreeing` is whether both gave the
    same repositories in the same order, so that neither missed any.
    """
    outcome: Literal["keep", "remove", "unknown"] = "remove" if agreeing else "unknown"
    return replace(verdict, outcome="keep" if listed else outcome)


def digest(missing: Iterable[int]) -> str:
    """Return what tells whether two runs miss the same repositories; `missing` in order."""
    return blake2b(",".join(map(str, missing)).encode(), digest_size=16).hexdigest()
