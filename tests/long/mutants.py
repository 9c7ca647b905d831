"""The faults of `test_mutants`: in what decides, in what writes, and in what is careful."""

from __future__ import annotations

from tests.support.mutants import Mutant

_ONE = "-k 'not postgresql and not mysql'"
_PLAN = "tests/test_planning.py"
_RUNS = f"tests/test_run_healing.py tests/database/test_rejected.py tests/test_run_faults.py {_ONE}"
_REMEMBERED = f"tests/test_remembered.py {_ONE}"
_COMMITS = "tests/database/test_lost_commits.py"
_REMOVALS = f"tests/test_departures.py tests/test_verdicts.py tests/removals {_ONE}"
_WALK = "tests/github/test_listing.py tests/github/test_ends.py tests/github/test_client.py"
_LIMITS = "tests/github/test_limits.py tests/github/test_protocol.py tests/github/test_pace.py"
_PACING = "tests/github/test_pacing.py tests/github/test_paced_requests.py"
_REST = "tests/rest/test_redirects.py"
_RETRY = "tests/rest/test_retry.py"
_SCHEDULE = "tests/test_schedule.py"

PLANNING = (
    ("sync/load/page_plan.py", " or row.removed_at is not None)", ")", _PLAN),
    ("sync/load/page_plan.py", "values == stored and not restores", "values == stored", _PLAN),
    ("sync/load/page_plan.py", "counted = restores or _of_day", "counted = _of_day", _PLAN),
    ("sync/load/page_plan.py", "old is not None and not old.listed", "old is None", _PLAN),
    ("sync/load/page_plan.py", "old if value is UNSET else value", "value", _PLAN),
)
STORING = (
    ("sync/load/page.py", "        or rejections\n", "", _RUNS),
    ("sync/load/page.py", "        or page.partial\n", "", _REMEMBERED),
    ("sync/load/page.py", "if write.id not in refused", "if write.id", _RUNS),
    ("sync/database/store.py", "<= before.steps", "< before.steps", _COMMITS),
    (
        "sync/database/run_transaction.py",
        "    self.forget_pages_of_others(updated)",
        "    pass",
        _RUNS,
    ),
    ("sync/database/run_transaction.py", "set(keys) - set(kept)", "set()", _RUNS),
)
REMOVING = (
    (
        "sync/removals/departure.py",
        "stays_with and known.removed_at is None",
        "stays_with",
        _REMOVALS,
    ),
    ("sync/removals/departure.py", '!= "keep" and not stays_with', '!= "keep"', _REMOVALS),
    (
        "sync/removals/departure.py",
        "postponed = clears and not",
        "postponed = clears and",
        _REMOVALS,
    ),
    ("sync/removals/departure.py", '["owner_id"] != owner', '["owner_id"] == owner', _REMOVALS),
    ("sync/removals/judge.py", "if items == 0:", "if items < 0:", _REMOVALS),
    ("sync/removals/judge.py", "if missing > max(", "if missing > min(", _REMOVALS),
    ("sync/removals/judge.py", "if record.id != id_:", "if record.id < 0:", _REMOVALS),
    ("sync/removals/judge.py", 'private and basis.visibility == "public"', "private", _REMOVALS),
    ("sync/removals/missing.py", "second.partial or first.", "first.", _REMOVALS),
    (
        "sync/removals/missing.py",
        "first.unreadable or second.",
        "first.unreadable or first.",
        _REMOVALS,
    ),
    ("sync/removals/missing.py", "len(before) == runs - 1 and ", "", _REMOVALS),
    (
        "sync/removals/decide.py",
        "            self._settle(batch, absence)\n            raise",
        "            raise",
        _REMOVALS,
    ),
)
WALKING = (
    ("sync/forges/page_queue.py", "origin.require_same_origin(page.", "''.format(page.", _WALK),
    ("sync/forges/page_queue.py", "position <= here", "position < here", _WALK),
    (
        "sync/forges/github/decode.py",
        "next_url=next_url or known.next_url",
        "next_url=None",
        _WALK,
    ),
    (
        "sync/core/origin.py",
        "require_same_origin(base_url, target",
        "str.format(base_url, target",
        _REST,
    ),
)
WAITING = (
    ("sync/forges/limits.py", "if until - now > _left", "if until - now < _left", _LIMITS),
    ("sync/forges/limits.py", "quota.remaining <= kept", "quota.remaining < kept", _LIMITS),
    ("sync/forges/limits.py", "max(before // 2, 1)", "before", _LIMITS),
    ("sync/forges/limits.py", "remaining <= before.", "remaining >= before.", _LIMITS),
    ("sync/forges/limits.py", "not answered:", "answered:", _PACING),
    ("sync/forges/pace.py", "here = self._under_way + 1", "here = 1", _PACING),
    ("sync/forges/pace.py", "for _ in range(self._under_way)", "for _ in range(0)", _PACING),
    ("sync/rest/retry.py", "attempt >= self.attempts", "attempt > self.attempts", _RETRY),
    ("sync/rest/retry.py", "if seconds <= self.max_wait", "if seconds", _RETRY),
    ("sync/daemon/schedule.py", "(time for time in times if time > moment)", "(times)", _SCHEDULE),
    ("sync/daemon/schedule.py", " or any(moment > now for moment in history.times)", "", _SCHEDULE),
    ("sync/daemon/schedule.py", "max(earliest, schedule.following(ended))", "earliest", _SCHEDULE),
)
MUTANTS = tuple(Mutant(*each) for each in PLANNING + STORING + REMOVING + WALKING + WAITING)
