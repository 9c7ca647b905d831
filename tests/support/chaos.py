"""A server between a client and the sandbox that passes requests on, and misbehaves at random.

    with Sandbox() as github, Chaos(github, seed=1) as chaos:
        chaos.share = 0.3
        ...ask chaos.url...
    print(chaos.seen)

What goes wrong is drawn by weight from `chaos_faults.FAULTS`. Which request comes first depends
on threads, so a seed need not tell the same story twice.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Collection
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from sync.sandbox import Sandbox
from tests.support.chaos_faults import AGAIN, FAULTS, not_modified, said
from tests.support.chaos_scene import Reply, Scene
from tests.support.fault_server import PATIENCE, FaultServer, Peer, Received, Talk

_REFUSED_FOR = 0.03  # seconds
_FRAMING = ("connection", "content-length", "transfer-encoding")


class Chaos(FaultServer):
    """Stands before `github`, whose links lead here from then on.

    `share` is how many of the answers go wrong, from 0 to 1; faults that `without` names never
    happen. `seen` counts requests, and faults by their names; `story` has those since `new_run`.
    Nothing may ever be sent to `foreign`.

    A lie that agrees with itself cannot be told from the truth. So of what an account lists at
    most one lie is told until `new_run`, and none of a single repository.
    """

    def __init__(self, github: Sandbox, seed: int, *, without: Collection[str] = ()) -> None:
        super().__init__(talk=self._converse)
        self._faults = {name: one for name, one in FAULTS.items() if name not in without}
        self.share = 0.0
        self.seen: Counter[str] = Counter()
        self.story: list[str] = []
        self.foreign = FaultServer()
        self._github = github
        self._rng = Random(seed)
        self._turn = threading.Lock()
        self._lied_to: set[str] = set()
        self._before: dict[tuple[str, str], deque[Reply]] = defaultdict(lambda: deque(maxlen=3))
        # Only what is bound to a port by its number still is when it has been shut down.
        self._listener.close()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listening = threading.Event()
        self._listening.set()

    def __enter__(self) -> Self:
        self.foreign.__enter__()
        super().__enter__()
        self._github.set_links(self.url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self.foreign.__exit__(kind, error, traceback)

    def new_run(self) -> None:
        """Forget what went wrong, to whom lies were told, and connections that are over."""
        with self._turn:
            self._lied_to.clear()
            self.story.clear()
        self._threads[1:] = [thread for thread in self._threads[1:] if thread.is_alive()]
        self._peers[:] = [peer for peer in self._peers if not peer.is_closed]

    # Connections

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(OSError):  # the listener was shut down, to refuse
                super()._accept()
            self._listening.wait(PATIENCE)

    def _refuse(self) -> None:
        """Refuse every connection for a moment."""
        with self._turn:
            if not self._listening.is_set():
                return
            self._listening.clear()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._closing.wait(_REFUSED_FOR)
        self._listener.listen(128)
        self._listening.set()

    def _converse(self, peer: Peer) -> None:
        upstream = http.client.HTTPConnection(urlsplit(self._github.url).netloc, timeout=PATIENCE)
        with contextlib.closing(upstream):
            while (received := peer.receive()) is not None:
                if not self._answer(received, upstream)(peer):
                    return

    # Answers

    def _answer(self, received: Received, upstream: http.client.HTTPConnection) -> Talk:
        true = self._ask(received, _without_again(received.target), upstream)
        key = received.headers.get("authorization", ""), received.target
        with self._turn:
            self.seen["requests"] += 1
            scene = Scene(
                received=received,
                true=true,
                rng=Random(self._rng.getrandbits(64)),
                earlier=tuple(self._before[key]),
                foreign=self.foreign.url,
                other=lambda target: self._ask(received, target, upstream),
                refuse=self._refuse,
            )
            if scene.lists:
                self._before[key].append(true)
            name = self._drawn(scene)
            if name:
                self.seen[name] += 1
                self.story.append(f"{name}: {true.status} {received.target}")
        return FAULTS[name].act(scene) if name else said(true)

    def _drawn(self, scene: Scene) -> str | None:
        """Return the name of what goes wrong; None if nothing does."""
        if self._rng.random() >= self.share:
            return None
        account = scene.received.headers.get("authorization", "")
        honest = not scene.lists or account in self._lied_to

        def lies(name: str) -> bool:
            asked = FAULTS[name].act is not_modified and scene.conditional
            return FAULTS[name].lies or (asked and scene.received.target != "/user")

        names = [name for name in self._faults if not (honest and lies(name))]
        (name,) = self._rng.choices(names, [FAULTS[name].weight for name in names])
        if lies(name):
            self._lied_to.add(account)
        return name

    def _ask(self, received: Received, target: str, upstream: http.client.HTTPConnection) -> Reply:
        headers = {**received.headers, "accept-encoding": "identity"}
        upstream.request(received.method, target, headers=headers)
        with upstream.getresponse() as answer:
            told = [pair for pair in answer.getheaders() if pair[0].lower() not in _FRAMING]
            return Reply(status=answer.status, headers=tuple(told), body=answer.read())


def _without_again(target: str) -> str:
    return target.replace(f"?{AGAIN}", "").replace(f"&{AGAIN}", "")
