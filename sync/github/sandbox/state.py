"""Everything that can happen to the repositories of the stand-in GitHub."""

from __future__ import annotations

import json
from http import HTTPStatus
from itertools import count
from typing import Any

from .call import Call
from .installations import Installations
from .listing import AFFILIATIONS
from .objects import SITE, timestamp
from .registry import Block, plain
from .repositories import PERMISSIONS
from .routes import dispatch
from .views import Viewer, encode, view
from .wire import Request


class State(Installations):
    """Accounts, repositories and Apps. Every method may be called from any thread."""

    def add_collaborator(self, login: str, rid: int, *, permission: str = "push") -> None:
        """Lets another user work on a repository, which it then lists too."""
        if permission not in PERMISSIONS:
            raise ValueError(f"not a permission: {permission}")
        with self.lock:
            user, found = self.user(login), self.repository(rid)
            found.collaborators[user.id] = permission
            self._shared.setdefault(user.id, {})[found.key] = found
            self._touched(found)

    def remove_collaborator(self, login: str, rid: int) -> None:
        """Takes that back."""
        with self.lock:
            user, found = self.user(login), self.repository(rid)
            del found.collaborators[user.id], self._shared[user.id][found.key]
            self._touched(found)

    def edit(self, rid: int, **fields: Any) -> None:
        """Changes exactly these fields of the object; not even `updated_at` moves by itself."""
        with self.lock:
            found = self.repository(rid)
            found.fields |= plain(fields)
            self._touched(found)

    def rename(self, rid: int, name: str) -> None:
        """Gives it another name; the old one redirects until it is used again."""
        with self.lock:
            found = self.repository(rid)
            self._move(found, f"{found.place.partition('/')[0]}/{name}")

    def transfer(self, rid: int, owner: str, *, stay: bool = False) -> None:
        """Gives it to another owner; the old name redirects until it is used again.

        At GitHub the old owner becomes a collaborator when both are users: that is `stay`.
        """
        with self.lock:
            found, user = self.repository(rid), self.user(owner)
            old = found.owner
            self._move(found, f"{user.login}/{found.place.partition('/')[2]}", user)
            if stay:
                self.add_collaborator(old.login, rid, permission="admin")

    def delete(self, rid: int) -> None:
        """Removes it, and with it the redirects that led to it."""
        with self.lock:
            found = self.repository(rid)
            found.deleted = True
            del self._by_id[rid], self._owned[found.owner.id][found.key]
            for user in found.collaborators:
                del self._shared[user][found.key]
            if self._by_place.get(found.place.lower()) is found:
                del self._by_place[found.place.lower()]
            self._touched(found)

    def block(
        self, rid: int, *, reason: str = "dmca", status: int | None = None, listed: bool = False
    ) -> None:
        """Takes it down: who asks for it is told `Repository access blocked`, and why.

        The status is 451 for the reason `dmca` and 403 for others (`tos`), unless given. It is
        in no listing, or with `listed` stays in them.
        """
        with self.lock:
            found, now = self.repository(rid), timestamp(self.now())
            year, month, _ = day = now[:10].split("-")
            notice = f"github/dmca/blob/master/{year}/{month}/{'-'.join(day)}-{rid}.md"
            dmca = reason == "dmca"
            found.block = Block(
                status=status
                or (HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS if dmca else HTTPStatus.FORBIDDEN),
                reason=reason,
                created_at=now,
                html_url=f"https://{SITE}/{notice if dmca else 'tos'}",
                listed=listed,
            )
            self._touched(found)

    def unblock(self, rid: int) -> None:
        """Brings it back as it was."""
        with self.lock:
            found = self.repository(rid)
            found.block = None
            self._touched(found)

    def hide(self, rid: int) -> None:
        """Leaves it out of every listing, as one that lies or lags; asked for, it is there."""
        with self.lock:
            found = self.repository(rid)
            found.hidden = True
            self._touched(found)

    def unhide(self, rid: int) -> None:
        """Lists it again."""
        with self.lock:
            found = self.repository(rid)
            found.hidden = False
            self._touched(found)

    def make_private(self, rid: int) -> None:
        """Hides it from those who have no part in it."""
        self._update(rid, "updated_at", private=True, visibility="private")

    def make_public(self, rid: int) -> None:
        """Shows it to everyone."""
        self._update(rid, "updated_at", private=False, visibility="public")

    def archive(self, rid: int, *, archived: bool = True) -> None:
        """Makes it read-only, or with `archived=False` writable again."""
        self._update(rid, "updated_at", archived=archived)

    def push(self, rid: int) -> None:
        """Moves `pushed_at`, and nothing else."""
        self._update(rid, "pushed_at")

    def star(self, rid: int, by: int = 1) -> None:
        """Changes the number of stars under all its names; `updated_at` moves, as at GitHub."""
        with self.lock:
            stars = self.repository(rid).fields.get("stargazers_count", 0) + by
            names = ("stargazers_count", "watchers_count", "watchers")
            self._update(rid, "updated_at", **dict.fromkeys(names, stars))

    def get(self, rid: int, *, full: bool = False, version: str = "2022-11-28") -> Any:
        """The object as its owner gets it, in a listing or with `full` alone."""
        with self.lock:
            found = self.repository(rid)
            body = encode(view(self, found, permission="admin", version=version, full=full))
            return json.loads(body)

    def listing_of(
        self,
        token: str,
        *,
        visibility: str = "public",
        affiliation: str = ",".join(AFFILIATIONS),
        version: str = "2022-11-28",
    ) -> list[Any]:
        """All that `/user/repos` would list for this token now, oldest first.

        It is asked of the route itself, page by page under one lock; no quota is used and no
        request recorded. LookupError when the token is not good.
        """
        query = {"visibility": visibility, "affiliation": affiliation, "per_page": "100"}
        query |= {"sort": "created", "direction": "asc"}
        found: list[Any] = []
        with self.lock:
            if (held := self.token(token)) is None:
                raise LookupError("not a good token")
            for page in count(1):
                asked = query | {"page": str(page)}
                request = Request(method="GET", path="/user/repos", query=asked, headers={})
                viewer = Viewer(token=held)
                call = Call(state=self, request=request, viewer=viewer, version=version)
                reply = dispatch(call)
                found += json.loads(reply.body)
                if not any(link.endswith('rel="next"') for link in reply.links):
                    break
        return found
