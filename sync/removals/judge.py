"""Judges why a repository is missing from a complete listing. No I/O here.

Absence alone never removes a repository: a deletion during paging moves later
repositories forward, so that the listing can miss an existing one. Each missing
repository is requested by id, and `judge` turns the answer into a verdict.
`objection` is the brake: with too many missing, none is requested or removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

import msgspec

from sync.forges.records import Item
from sync.resources.fields import Owner

_HANDFUL = 3  # missing repositories that the brake ignores, whatever their share is

Reason = Literal["not_found", "private", "blocked", "transferred", "unlisted"]
# The answer to a request by id: the repository; "same" for a 304 to an ETag of a repository that
# existed and was the account's; or the reason why there is none.
Answer = Item | Literal["same", "not_found", "blocked", "unknown"]


class ListingIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user and the filters of a listing: two listings are compared only if these agree.

    `scopes`: None for tokens without scopes. `app`: the App whose installation lists; then
    `user_id` is the user or organization that installed it. None if a user lists.
    """

    user_id: int | None
    scopes: tuple[str, ...] | None
    visibility: str
    affiliation: tuple[str, ...]
    app: str | None = None

    def as_text(self) -> str:
        """Return the JSON text for `accounts.listing_basis`."""
        return msgspec.json.encode(self).decode()

    def as_word(self) -> str:
        """Return a short hash, for cache keys."""
        return blake2b(msgspec.json.encode(self), digest_size=4).hexdigest()

    def of_user(self, user_id: int | None) -> ListingIdentity:
        """Return a copy for another user."""
        return msgspec.structs.replace(self, user_id=user_id)

    def same_listing(self, other: ListingIdentity) -> bool:
        """Return whether both agree in everything but the token's scopes."""
        return msgspec.structs.replace(self, scopes=None) == msgspec.structs.replace(
            other, scopes=None
        )

    def difference(self, before: ListingIdentity) -> str | None:
        """Return the first difference to `before`, in words; None if they agree."""
        if self.app != before.app:
            had, has = (f"by App {b.app}" if b.app else "by a user" for b in (before, self))
            return f"the listing was asked for {had} before, and is {has} now"
        if self.user_id != before.user_id and self.app:
            return "the App's installation is not the same as before"
        if self.user_id != before.user_id:
            return "the token belongs to another user than before"
        if self.scopes != before.scopes:
            had, has = (_in_words(basis.scopes) for basis in (before, self))
            return f"the token's scopes have changed (from {had} to {has})"
        if self.visibility != before.visibility:
            return f"visibility was {before.visibility} before, and is {self.visibility} now"
        if self.affiliation != before.affiliation:
            had, has = (", ".join(each.affiliation) for each in (before, self))
            return f"affiliation was {had} before, and is {has} now"
        return None


def _in_words(scopes: tuple[str, ...] | None) -> str:
    return "those of another kind of token" if scopes is None else ", ".join(scopes) or "none"


def parse_listing_identity(text: str | None) -> ListingIdentity | None:
    """Decode a value of `accounts.listing_basis`; None if it is empty or unreadable."""
    try:
        return msgspec.json.decode(text, type=ListingIdentity) if text else None
    except msgspec.DecodeError:
        return None


def objection(
    *,
    missing: int,
    members: int,
    items: int,
    announced: int | None,
    basis: ListingIdentity,
    before: ListingIdentity | None,
    max_share: float,
) -> str | None:
    """Return why no repository may be removed, in words; None if there is no reason against it.

    `missing` of `members`, the repositories that the account lists or used to list, are not
    among the `items` of this listing. `announced`: how many items the server
    announced at least, if it did. `before`: the identity of the last listing whose removals were
    applied.
    """
    if before is not None and (difference := basis.difference(before)):
        return difference
    if items == 0:
        return "the listing is suddenly empty"
    if announced is not None and announced - items > max(_HANDFUL, max_share * announced):
        return f"GitHub announced at least {announced} repositories, and listed {items}"
    if missing > max(_HANDFUL, max_share * members):
        return f"more than {max_share:.0%} are missing at once"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision about a missing repository.

    `keep`: it exists and is still this account's. `remove`: the account no longer lists
    it. `confirm`: remove it if a second look at the listing does not contain it either.
    `unknown`: a later run decides. `item`: the repository, if GitHub returned it. `reason`:
    None if it depends on the stored owner. `visibility`: the listing's filter. `etag`: the
    answer's.
    """

    id: int
    outcome: Literal["keep", "remove", "confirm", "unknown"]
    reason: Reason | None = None
    item: Item | None = None
    visibility: str = "public"
    etag: str | None = None


def judge(id_: int, answer: Answer, basis: ListingIdentity) -> Verdict:
    """Return the verdict that follows from `answer` to a request for the repository `id_`."""
    if answer == "unknown":
        return Verdict(id=id_, outcome="unknown")
    if answer == "same":
        return Verdict(id=id_, outcome="keep")
    if not isinstance(answer, Item):
        visibility = basis.visibility
        return Verdict(id=id_, outcome="remove", reason=answer, visibility=visibility)
    record = answer.record
    if record.id != id_:  # a redirect to another repository says nothing about this one
        return Verdict(id=id_, outcome="unknown")
    if record.private and basis.visibility == "public":
        # Without the item: a public listing stores no private repository.
        return Verdict(id=id_, outcome="remove", reason="private")
    owner = record.owner.id if isinstance(record.owner, Owner) else None
    mine = owner is not None and owner == basis.user_id
    outcome: Literal["keep", "remove", "confirm"] = "confirm"
    if basis.visibility == "private" and not record.private:
        outcome = "remove"
    elif basis.app is not None:
        pass  # its owner may have taken it from the App: only a second look tells
    elif mine:
        outcome = "keep" if "owner" in basis.affiliation else "remove"
    elif owner is not None and set(basis.affiliation) == {"owner"}:
        outcome = "remove"
    return Verdict(id=id_, outcome=outcome, item=answer)


def at_former_host(id_: int, *, accepted: bool) -> Verdict:
    """Return the verdict about a repository of the account's former host.

    That host cannot be asked; only the user knows whether the change of hosts is right.
    """
    if not accepted:
        return Verdict(id=id_, outcome="unknown")
    return Verdict(id=id_, outcome="remove", reason="unlisted")


def confirmed(verdict: Verdict, *, listed: bool, agreeing: bool) -> Verdict:
    """Return a "confirm" verdict as decided by a second look at the listing.

    `listed`: whether either listing contains the repository. `agreeing`: whether both contain
    the same repositories in the same order, so that neither missed one.
    """
    outcome: Literal["keep", "remove", "unknown"] = "remove" if agreeing else "unknown"
    # Without the ETag: a 304 would not tell whether the repository is listed.
    return replace(verdict, outcome="keep" if listed else outcome, etag=None)


def digest(missing: Iterable[int]) -> str:
    """Return a hash of the ids in `missing`, which are in order, to compare two runs."""
    return blake2b(",".join(map(str, missing)).encode(), digest_size=16).hexdigest()
