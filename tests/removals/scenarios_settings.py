"""Scenarios of accounts that are set up in another way than usual."""

from __future__ import annotations

from tests.removals.playing import OCTO, STRANGER, WORLD, Step, do, one, two
from tests.removals.telling import gone, handed, joined, moved

SETTINGS = (
    two(
        "of two accounts, of which one is configured no longer: deleted",
        Step(
            happens=(do("delete", 7),),
            runs=("me",),
            configured=("me",),
            ran=("me succeeded removed 1",),
            rows=("7 octo/pair public not_found me(gone) other",),
            log=gone(7, "not_found"),
        ),
    ),
    one(
        "the account has another name in the configuration, and one is deleted",
        Step(
            happens=(do("delete", 1),),
            runs=("mine",),
            configured=("mine",),
            ran=("mine succeeded removed 1",),
            rows=(
                "1 octo/one public not_found me(gone)",
                *(f"{n} {place} public - me mine" for n, place in enumerate(WORLD[1:7], 2)),
            ),
            log=(*gone(1, "not_found"), *(joined(n, "mine") for n in range(2, 8))),
        ),
    ),
    one(
        "transferred, where only what the user owns is listed",
        Step(
            happens=(do("transfer", 1, "stranger", stay=True),),
            ran=("me succeeded removed 1",),
            rows=("1 stranger/one public transferred me(gone)",),
            log=(
                *gone(1, "transferred"),
                *moved(1, "octo/one", "stranger/one"),
                *handed(1, OCTO, STRANGER),
            ),
        ),
        before=("4 no row", "5 no row", "6 no row"),
        affiliation=("owner",),
    ),
    one(
        "read without a token: one is deleted, one private, one transferred",
        Step(
            happens=(do("delete", 1), do("make_private", 2), do("transfer", 3, "stranger")),
            ran=("me succeeded removed 3",),
            rows=(
                "1 octo/one public not_found me(gone)",
                "2 octo/two public not_found me(gone)",
                "3 stranger/three public transferred me(gone)",
            ),
            log=(
                *(*gone(1, "not_found"), *gone(2, "not_found"), *gone(3, "transferred")),
                *(*moved(3, "octo/three", "stranger/three"), *handed(3, OCTO, STRANGER)),
            ),
        ),
        before=("4 no row", "5 no row", "6 no row"),
        username="octo",
    ),
)
