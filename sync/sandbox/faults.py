"""Planned faults: answers that replace the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from fnmatch import fnmatchcase

from sync.sandbox.host import Host
from sync.sandbox.messages import Answer, Request

_UNICORN = (
    b"<html><body><h1>We had issues producing the response to your request.</h1></body></html>"
)


@dataclass(kw_only=True)
class _Fault:
    times: int
    answer: Answer
    path: str
    query: Mapping[str, str] = field(default_factory=dict)

    def meets(self, request: Request) -> bool:
        return fnmatchcase(request.path, self.path) and self.query.items() <= request.query.items()


class Faults:
    """The planned faults, oldest first."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._planned: list[_Fault] = []

    def plan(
        self,
        times: int = 1,
        status: int = 502,
        path: str = "*",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> None:
        """Gives the next `times` requests this answer instead of the right one.

        `path` may have wildcards (`/users/*`); `query` limits the fault to requests with these
        parameters. It costs no quota. A `Content-Length` in `headers` is sent unchanged, and the
        connection is closed after the body.
        """
        given = {"Content-Type": "text/html; charset=utf-8"} if body is None else {}
        answer = Answer(
            status=status,
            headers=given | dict(headers or {}),
            body=_UNICORN if body is None else body,
        )
        self._planned.append(_Fault(times=times, answer=answer, path=path, query=query or {}))

    def clear(self) -> None:
        """Drops all planned faults."""
        self._planned.clear()

    def answer(self, request: Request) -> Answer | None:
        """The planned answer to this request; None without a fault."""
        for fault in self._planned:
            if fault.times > 0 and fault.meets(request):
                fault.times -= 1
                date = {"Date": format_datetime(self._host.now(), usegmt=True)}
                return replace(fault.answer, headers=date | fault.answer.headers)
        return None
