"""The stand-in GitHub as one object: its methods, and the server in front of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from sync.sandbox import listings, selection
from sync.sandbox.activities import Activities
from sync.sandbox.api import Api
from sync.sandbox.changes import Changes
from sync.sandbox.child_answers import ChildAnswers
from sync.sandbox.faults import Faults
from sync.sandbox.host import Host
from sync.sandbox.http_server import Server
from sync.sandbox.messages import ENTERPRISE_PATH, Answer, Request, RequestRecord
from sync.sandbox.release_changes import ReleaseChanges
from sync.sandbox.traffic_changes import TrafficChanges
from sync.sandbox.world import World

_P = ParamSpec("_P")
_T = TypeVar("_T")
_OLDEST_FIRST = {"sort": "created", "direction": "asc"}


class Sandbox:
    """A GitHub of its own, on a free port of 127.0.0.1, between `start()` and `close()`.

    Every method may be called from any thread. `delay` is the time in seconds that every
    answer takes longer. `on_request` is called with each request before it is answered, in the
    server's thread, and may change anything. `errors` has the exceptions that were raised
    while answering; a sound sandbox has none. With `enterprise` it is an Enterprise Server as
    it is set up: the API is below /api/v3, knows the older version alone, and sets no limits.
    `keep_requests` may be switched off where so many are served that their records take memory.
    `largest_page` is how many items of a list it gives at most, without a word: GitHub gives 100, a
    server of one's own or a proxy may give fewer.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] | None = None,
        enterprise: bool = False,
        largest_page: int = 100,
    ) -> None:
        clock = now or (lambda: datetime.now(UTC))
        host = Host(now=clock, enterprise=enterprise, largest_page=largest_page)
        self.lock = threading.RLock()
        self.world = World(host)
        self.api = Api(self.world)
        self.delay = 0.0
        self.world.pace.delay = lambda: self.delay
        self.on_request: Callable[[Request], None] | None = None
        self.errors: list[Exception] = []
        self.keep_requests = True
        self._faults = Faults(host)
        self._records: list[RequestRecord] = []
        self._served = 0
        self._server: Server | None = None

        users, repositories, quotas = self.world.users, self.world.repositories, self.world.quotas
        self.user = self.locked(users.get)
        self.token = self.locked(users.token)
        self.quota = self.locked(quotas.get)
        self.set_quota = self.locked(quotas.set)
        self.set_pace = self.locked(self.world.pace.set)
        self.fail = self.locked(self._faults.plan)
        self.forgive = self.locked(self._faults.clear)
        self.repository = self.locked(repositories.get)
        self.find = self.locked(repositories.find)

        self.add_user = self.locked(users.add)
        self.add_token = self.locked(users.add_token)
        self.revoke_token = self.locked(users.revoke_token)
        self.set_scopes = self.locked(users.set_scopes)
        self.set_permissions = self.locked(users.set_permissions)
        self.restrict_sso = self.locked(users.restrict_sso)
        self.add_member = self.locked(users.add_member)
        self.remove_member = self.locked(users.remove_member)
        self.add_repository = self.locked(repositories.add)
        self.add_fork = self.locked(repositories.add_fork)
        self.add_object = self.locked(repositories.add_object)
        self.delete = self.locked(repositories.delete)

        changes = Changes(host, users, repositories)
        self.add_collaborator = self.locked(changes.add_collaborator)
        self.remove_collaborator = self.locked(changes.remove_collaborator)
        self.set_child = self.locked(changes.set_child)
        self.edit = self.locked(changes.edit)
        self.rename = self.locked(changes.rename)
        self.transfer = self.locked(changes.transfer)
        self.block = self.locked(changes.block)
        self.unblock = self.locked(changes.unblock)
        self.hide = self.locked(changes.hide)
        self.unhide = self.locked(changes.unhide)
        self.make_private = self.locked(changes.make_private)
        self.make_public = self.locked(changes.make_public)
        self.archive = self.locked(changes.archive)
        self.push = self.locked(changes.push)
        self.star = self.locked(changes.star)
        self.unstar = self.locked(changes.unstar)
        self.set_stars = self.locked(changes.set_stars)

        traffic = TrafficChanges(repositories, self.world.hidden)
        self.set_traffic = self.locked(traffic.set_traffic)
        self.set_popular = self.locked(traffic.set_popular)
        self.stall_traffic = self.locked(traffic.stall_traffic)
        self.drop_traffic = self.locked(traffic.drop_traffic)
        self.cut_traffic = self.locked(traffic.cut_traffic)
        self.flip_traffic = self.locked(traffic.flip_traffic)
        told = ChildAnswers(repositories, self.world.told)
        self.answer_child = self.locked(told.answer_child)
        releases = ReleaseChanges(host, repositories)
        self.add_release = self.locked(releases.add)
        self.download = self.locked(releases.download)
        self.replace_asset = self.locked(releases.replace)
        self.delete_release = self.locked(releases.remove)
        self.add_activity = self.locked(Activities(host, repositories).add)

    def locked(self, method: Callable[_P, _T]) -> Callable[_P, _T]:
        """The same method with the lock held; afterwards, cached orders of listings are dropped."""

        @wraps(method)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            with self.lock:
                self.world.orders.clear()
                return method(*args, **kwargs)

        return call

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock; it may be replaced."""
        return self.world.host.now

    @now.setter
    def now(self, clock: Callable[[], datetime]) -> None:
        self.world.host.now = clock

    @property
    def url(self) -> str:
        """The address of the API, without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        below = ENTERPRISE_PATH if self.world.host.enterprise else ""
        return f"http://127.0.0.1:{self._server.server_port}{below}"

    def set_links(self, url: str) -> None:
        """Sets the address that the links in its answers lead to: its own, or that of a proxy."""
        with self.lock:
            self.world.host.url = url
            self.world.views.clear()

    def start(self) -> Self:
        """Starts to listen. Data that was added before stays."""
        if self._server is not None:
            raise RuntimeError("the sandbox is started already")
        self._server = Server(self.answer, lambda: self.delay, self.errors)
        self.set_links(self.url)
        self._server.start()
        return self

    def close(self) -> None:
        """Stops at once, also in the middle of answers, and waits for its threads. Repeatable."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests served so far, oldest first."""
        with self.lock:
            return list(self._records)

    def clear_requests(self) -> None:
        """Forgets the requests served so far."""
        with self.lock:
            self._records.clear()

    def answer(self, request: Request) -> Answer:
        """Answers a request and keeps a record of it; a bug becomes a 500 and one of `errors`."""
        try:
            if self.on_request is not None:
                self.on_request(request)
            with self.lock:
                self._served += 1
                request_id = f"5A4D:{self._served:05X}:{self._served * 7919:07X}"
                planned = self._faults.answer(request)
                answer = planned or self.api.answer(request, request_id=request_id)
        except Exception as error:
            self.errors.append(error)
            answer = Answer(status=500, headers={}, body=b'{"message":"Server Error"}')
        if self.keep_requests:
            record = RequestRecord(**vars(request), status=int(answer.status))
            with self.lock:
                self._records.append(record)
        return answer

    def get(self, rid: int, *, full: bool = False, version: str = "2022-11-28") -> Any:
        """The repository's object for its owner, from a listing or, with `full`, by itself."""
        with self.lock:
            found = self.world.repositories.get(rid)
            views = self.world.views
            body, _ = views.encoded(found, permission="admin", version=version, full=full)
        return json.loads(body)

    def listing_of(
        self,
        token: str,
        *,
        visibility: str = "public",
        affiliation: str = ",".join(selection.AFFILIATIONS),
        version: str = "2022-11-28",
    ) -> list[Any]:
        """All repositories that `/user/repos` lists for this token now, oldest first.

        It uses no quota and records no request. LookupError when the token is not valid.
        """
        with self.lock:
            held = self.world.users.token(token)
            if held is None or held.user is None:
                raise LookupError("not a good token")
            kinds = selection.affiliations({"affiliation": affiliation})
            found = listings.affiliated(self.world, held.user, kinds, visibility)
            by = selection.order(_OLDEST_FIRST)
            items = listings.seen(self.world, held, found, by)
            encoded = self.world.views.encoded
            bodies = [encoded(item, permission=may, version=version)[0] for item, may in items]
        return [json.loads(body) for body in bodies]
