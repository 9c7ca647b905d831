"""How many examples hypothesis tries: few and the same in `make test`, many in `make slow`.

The ordinary suite is derandomized, so that it turns red for a change and never by chance. What is
new is looked for by `make slow` (REPOLEDGER_TEST_LONG=1) and `make fuzz`; what they find gets a
plain test of its own. There are no deadlines: a busy machine is no fault of the product's.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = bool(os.environ.get("REPOLEDGER_TEST_LONG"))
_TIMES = 20  # as many examples in a long run


def register() -> None:
    """Have every test of hypothesis's follow the profile that the environment asks for."""
    # Nothing about speed, and fixtures may hold for all examples of a test: each cleans up itself.
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    settings.register_profile(
        "quick", derandomize=True, deadline=None, database=None, suppress_health_check=checks
    )
    settings.register_profile("long", deadline=None, print_blob=True, suppress_health_check=checks)
    settings.load_profile("long" if LONG else "quick")


def examples(quick: int) -> settings:
    """Return the settings of a test with that many examples in the ordinary suite."""
    return settings(max_examples=quick * (_TIMES if LONG else 1))
