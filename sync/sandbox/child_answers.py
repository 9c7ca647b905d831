"""Tells children of repositories what to answer in place of what is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.sandbox.registry import Repositories
from sync.sandbox.told import CASES, Told, ToldAnswers


class ChildAnswers:
    """Finds the repositories for which answers are told."""

    def __init__(self, repositories: Repositories, told: ToldAnswers) -> None:
        self._repositories = repositories
        self._told = told

    def answer_child(
        self,
        name: str,
        case: str | int | None,
        *,
        rid: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> None:
        """Answers requests for a child such as `languages` otherwise; with None, no longer.

        `case` is what GitHub answers then, by a word of CASES in `told.py` (`computing`, `empty`,
        `no push`, `no permission`, `disabled`, `too large` …), or a status. `body` is JSON in
        place of the case's own. `name` may have wildcards (`traffic/*`). It holds for one
        repository or for all, and for the next `times` requests or for all. As opposed to
        `fail`, it costs quota, and only who may see the repository gets it.
        """
        if isinstance(case, str) and case not in CASES:
            raise ValueError(f"not a case of {sorted(CASES)}: {case}")
        key = None if rid is None else self._repositories.get(rid).key
        self._told.end(name, key)
        if case is not None:
            told = Told(
                name=name, key=key, case=case, body=body, headers=headers or {}, times=times
            )
            self._told.add(told)
