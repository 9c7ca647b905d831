"""How many examples hypothesis tries: few in `make test`, many in `make slow`, the same each time.

So both turn red for a change, and never by chance. What is new is looked for by `make slow` with
REPOLEDGER_TEST_RANDOM=1, and by `make fuzz`; what they find gets a plain test of its own. There are
no deadlines: a busy machine is no fault of the product's.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = bool(os.environ.get("REPOLEDGER_TEST_LONG"))
RANDOM = bool(os.environ.get("REPOLEDGER_TEST_RANDOM"))
_TIMES = 8  # as many examples in a long run


def register() -> None:
    """Have every test of hypothesis's follow the profile that the environment asks for."""
    # Nothing about speed, and fixtures may hold for all examples of a test: each cleans up itself.
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    settings.register_profile(
        "same", derandomize=True, deadline=None, database=None, suppress_health_check=checks
    )
    settings.register_profile("new", deadline=None, print_blob=True, suppress_health_check=checks)
    settings.load_profile("new" if RANDOM else "same")


def examples(quick: int) -> settings:
    """Return the settings of a test with that many examples in the ordinary suite."""
    return settings(max_examples=quick * (_TIMES if LONG else 1))
