"""What `repoledger check` says of one thing that a run needs."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self


class Finding(NamedTuple):
    """One line of the doctor's: `fail` keeps a run from working, `warn` may."""

    result: Literal["ok", "warn", "fail"]
    message: str

    @classmethod
    def of(cls, good: bool, message: str) -> Self:
        return cls("ok" if good else "fail", message)
