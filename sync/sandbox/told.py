"""Answers that are told in place of a repository's children: by repository and resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

NO_PUSH = "Must have push access to repository"
NO_PERMISSION = "no permission"  # whose words depend on the token

# What GitHub answers in such a case: a status and a message.
CASES: dict[str, tuple[int, str]] = {
    "computing": (HTTPStatus.ACCEPTED, ""),
    "no content": (HTTPStatus.NO_CONTENT, ""),
    "empty": (HTTPStatus.CONFLICT, "Git Repository is empty."),
    "gone": (HTTPStatus.GONE, "Issues are disabled for this repo"),
    "no push": (HTTPStatus.FORBIDDEN, NO_PUSH),
    NO_PERMISSION: (HTTPStatus.FORBIDDEN, ""),
    "disabled": (HTTPStatus.FORBIDDEN, "Statistics are disabled for this repository."),
    "too large": (
        HTTPStatus.FORBIDDEN,
        "The history or contributor list is too large to list contributors for this repository",
    ),
}


@dataclass(kw_only=True)
class Told:
    """An answer to the next `times` requests for these children; None: to all requests.

    `case` is one of CASES or a status. `key` is that of the repository, None for all of them;
    `name` may have wildcards. `body` is JSON, in place of the case's own.
    """

    name: str
    key: int | None
    case: str | int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None

    def meets(self, key: int, name: str) -> bool:
        """Whether it is told of this child of a repository."""
        here = self.key in (None, key) and fnmatchcase(name, self.name)
        return here and self.times != 0


class ToldAnswers:
    """The told answers, newest first."""

    def __init__(self) -> None:
        self._told: list[Told] = []

    def add(self, told: Told) -> None:
        """Tells an answer from now on."""
        self._told.insert(0, told)

    def end(self, name: str, key: int | None) -> None:
        """Ends what was told under this name of a repository, or of all."""
        self._told = [each for each in self._told if (each.name, each.key) != (name, key)]

    def get(self, key: int, name: str) -> Told | None:
        """What is told of this child, in place of the right answer."""
        for told in self._told:
            if told.meets(key, name):
                if told.times is not None:
                    told.times -= 1
                return told
        return None
