"""The stand-in GitHub with repositories that have traffic, stars, releases and languages.

    python -m benchmarks.resource_server COUNT

prints its address, and does what each line of its standard input says, a JSON object with the
keys of `Stage.turn`; it answers each by a line with the counts since the one before. It ends with
its input. Its clock stands still between two lines, unless it is told to keep to the real one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from sync.sandbox.messages import Answer, Request
from sync.sandbox.sandbox import Sandbox

OWNER, USER = "bench", "user"
TOKEN = "ghp_benchbenchbenchbench"  # noqa: S105  # nobody's
# Of a hundred repositories: with views, pushed on a usual day, with a new star, with assets; and
# those with stars at all.
SHARES = {"viewed": 30, "pushed": 4, "starred": 4, "released": 25, "stars": 20}
_STEPS = {"viewed": 7, "pushed": 11, "starred": 13, "released": 17, "stars": 13}
_AGE = timedelta(days=730)
_FILES = ("package.tar.gz", "package.zip")
_TAGS = ("v1.0", "v1.1")


class Stage(Sandbox):
    """A stand-in with `count` repositories of an organization, and an owner of it who asks.

    A request without a token is taken for the owner's, for programs that check their token at
    GitHub's own address. Only times of requests are kept.
    """

    def __init__(self, count: int, moment: datetime) -> None:
        super().__init__(now=lambda: self.moment)
        self.moment, self.busy_until = moment, moment.date()
        self.keep_requests = False
        self.times: list[float] = []
        self.statuses: dict[int, int] = {}
        self.add_user(OWNER, kind="Organization")
        self.add_user(USER, token=TOKEN, scopes=("repo",))
        self.add_member(OWNER, USER, role="admin")
        self.set_quota(TOKEN, limit=10**9, reset=moment + timedelta(days=3650))
        self.ids = [self._repository(number, moment) for number in range(count)]

    def _repository(self, number: int, moment: datetime) -> int:
        stars = 50 if self._has("stars", number) else 0
        created = moment - _AGE
        rid = self.add_repository(
            OWNER,
            f"repository-{number}",
            created_at=created,
            language="Python",
            stargazers_count=stars,
        )
        first = created.date()
        self.set_stars(rid, {first + 7 * day * timedelta(days=1): 1 for day in range(stars)})
        self.set_child(rid, "languages", {"Python": 1000 + number, "C": 500, "Shell": 20})
        if self._has("released", number):
            for tag in _TAGS:
                self.add_release(rid, tag, assets=dict.fromkeys(_FILES, 10), created_at=created)
        if self._has("viewed", number):
            for kind, usual in (("views", 20), ("clones", 5)):
                self.set_traffic(rid, kind, partial(self._visits, usual))
            referrers, paths = self._popular(number)
            self.set_popular(rid, "referrers", referrers)
            self.set_popular(rid, "paths", paths)
        return rid

    def _has(self, what: str, number: int) -> bool:
        return number * _STEPS[what] % 100 < SHARES[what]

    def _visits(self, usual: int, day: date) -> tuple[int, int]:
        if day > self.busy_until:
            return 0, 0
        return usual + day.toordinal() % 7, usual // 2

    def _popular(self, number: int) -> tuple[Any, Any]:
        """The two lists as functions of the day: full, and new ones on each busy day."""

        def count(day: date, at: int) -> int:
            return 100 - 10 * at + min(day, self.busy_until).toordinal() % 7

        def referrers(day: date) -> Iterable[tuple[str | int, ...]]:
            return [(f"site-{at}.example", count(day, at), 3) for at in range(10)]

        def paths(day: date) -> Iterable[tuple[str | int, ...]]:
            place = f"{OWNER}/repository-{number}"
            return [
                (f"/{place}/{at}", f"Page {at} of {place}", count(day, at), 3) for at in range(10)
            ]

        return referrers, paths

    def turn(
        self,
        *,
        moment: str | None = None,
        usual: bool = False,
        delay: float = 0.0,
        points: int | None = None,
    ) -> dict[str, Any]:
        """Go on to `moment`, and return the counts of the requests until now.

        `usual`: with what happens on a usual day, else nothing happens. `delay`: the seconds that
        an answer takes. `points`: those of a minute, by the real clock from now on.
        """
        told = {
            "requests": len(self.times),
            "not_modified": self.statuses.get(304, 0),
            "failed": sum(n for status, n in self.statuses.items() if status >= 400),
            "quota": self.quota(self.token(TOKEN)).used,
            "times": self.times if points is None and self.delay else [],
        }
        self.times, self.statuses, self.delay = [], {}, delay
        self.set_quota(TOKEN, limit=10**9, reset=self.moment + timedelta(days=3650))
        if moment is not None:
            self.moment = datetime.fromisoformat(moment)
        if usual:
            self._usual_day()
        if points is not None:
            began, at = time.monotonic(), self.moment
            self.now = lambda: at + timedelta(seconds=time.monotonic() - began)
            # The delay is the network's, so that it takes no answer time.
            self.set_pace(points, seconds=1e9)
        return told

    def _usual_day(self) -> None:
        self.busy_until = self.moment.date()
        day = self.moment.date().toordinal()
        for number, rid in enumerate(self.ids):
            if self._has("pushed", number + 9 * day):
                self.push(rid)
            if self._has("stars", number) and self._has("starred", number):
                self.star(rid)
            if self._has("released", number):
                self.download(rid, _TAGS[-1], _FILES[0], 3)

    def answer(self, request: Request) -> Answer:
        if "authorization" not in request.headers:
            headers = {**request.headers, "authorization": f"Bearer {TOKEN}"}
            request = replace(request, headers=headers)
        answer = super().answer(request)
        with self.lock:
            self.times.append(time.monotonic())
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        return answer


def main() -> None:
    with Stage(int(sys.argv[1]), datetime(2026, 11, 2, 12, tzinfo=UTC)) as stage:
        print(json.dumps({"api": stage.url, "moment": stage.moment.isoformat()}), flush=True)
        for line in sys.stdin:
            print(json.dumps(stage.turn(**json.loads(line))), flush=True)
        if stage.errors:
            raise stage.errors[0]


if __name__ == "__main__":
    main()
