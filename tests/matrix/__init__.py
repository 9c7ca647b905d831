"""Each fault of the table, and what becomes of it."""

import pytest

pytest.register_assert_rewrite("tests.matrix.stage")
