"""Scenarios of two accounts, of which one or both cease to list a repository."""

from __future__ import annotations

from tests.removals.playing import HUBBER, OCTO, STRANGER, Step, do, two
from tests.removals.telling import (
    changed,
    gone,
    handed,
    joined,
    left,
    moved,
    redacted,
    removed,
    restored,
)
from tests.support.inside.config import Removals

_BOTH_LESS = ("me succeeded removed 1", "other succeeded removed 1")
_ME_LESS = ("me succeeded removed 1", "other succeeded")
_OTHER_LESS = ("me succeeded", "other succeeded removed 1")
_NEITHER = ("me succeeded", "other succeeded")
_BOTH_LEFT = (left(7), left(7, "other"))

_TURNED_PRIVATE = Step(
    happens=(do("make_private", 7),),
    ran=_BOTH_LESS,
    rows=("7 octo/[redacted-500000007] private private me(gone) other(gone)",),
    log=(*_BOTH_LEFT, *removed(7, "private"), *redacted(7)),
)

SHARED = (
    two(
        "of one of two accounts: deleted",
        Step(
            happens=(do("delete", 1),),
            ran=_ME_LESS,
            rows=("1 octo/one public not_found me(gone)",),
            log=gone(1, "not_found"),
        ),
    ),
    two(
        "of two accounts: renamed",
        Step(
            happens=(do("rename", 7, "duo"),),
            ran=_NEITHER,
            rows=("7 octo/duo public - me other",),
            log=moved(7, "octo/pair", "octo/duo"),
        ),
    ),
    two(
        "of two accounts: deleted",
        Step(
            happens=(do("delete", 7),),
            ran=_BOTH_LESS,
            rows=("7 octo/pair public not_found me(gone) other(gone)",),
            log=(*_BOTH_LEFT, *removed(7, "not_found")),
        ),
    ),
    two(
        "of two accounts: blocked, and back",
        Step(
            happens=(do("block", 7),),
            ran=_BOTH_LESS,
            rows=("7 octo/pair public blocked me(gone) other(gone)",),
            log=(*_BOTH_LEFT, *removed(7, "blocked")),
        ),
        Step(
            happens=(do("unblock", 7),),
            ran=("me succeeded restored 1", "other succeeded"),
            rows=("7 octo/pair public - me other",),
            log=(joined(7), joined(7, "other"), *restored(7, "blocked")),
        ),
    ),
    two(
        "of two accounts: one loses it",
        Step(
            happens=(do("remove_collaborator", "hubber", 7),),
            ran=_OTHER_LESS,
            rows=("7 octo/pair public - me other(gone)",),
            log=(left(7, "other"),),
        ),
    ),
    two(
        "of two accounts: one loses it, then the other deletes it",
        Step(
            happens=(do("remove_collaborator", "hubber", 7),),
            ran=_OTHER_LESS,
            rows=("7 octo/pair public - me other(gone)",),
            log=(left(7, "other"),),
        ),
        Step(
            happens=(do("delete", 7),),
            ran=_ME_LESS,
            rows=("7 octo/pair public not_found me(gone) other(gone)",),
            log=gone(7, "not_found"),
        ),
    ),
    two(
        "of two accounts: transferred, and one stays a collaborator",
        Step(
            happens=(do("transfer", 7, "stranger"),),
            ran=_ME_LESS,
            rows=("7 stranger/pair public - me(gone) other",),
            log=(left(7), *moved(7, "octo/pair", "stranger/pair"), *handed(7, OCTO, STRANGER)),
        ),
    ),
    two(
        "of two accounts: hidden from both, and still there",
        Step(
            happens=(do("hide", 6),),
            ran=_ME_LESS,
            rows=("6 hubber/kit public - me(gone) other",),
            log=(left(6),),
        ),
    ),
    two(
        "transferred to the other account, which runs later",
        Step(
            happens=(do("transfer", 1, "hubber"),),
            ran=("me succeeded removed 1", "other succeeded restored 1"),
            rows=("1 hubber/one public - me(gone) other",),
            log=(
                *(*gone(1, "transferred"), *restored(1, "transferred"), joined(1, "other")),
                *(*moved(1, "octo/one", "hubber/one"), *handed(1, OCTO, HUBBER)),
            ),
        ),
    ),
    two(
        "transferred to the other account, which runs first",
        Step(
            happens=(do("transfer", 1, "hubber"),),
            runs=("other", "me"),
            ran=("other succeeded", "me succeeded removed 1"),
            rows=("1 hubber/one public - me(gone) other",),
            log=(
                *(left(1), joined(1, "other")),
                *(*moved(1, "octo/one", "hubber/one"), *handed(1, OCTO, HUBBER)),
            ),
        ),
    ),
    two(
        "removed, and restored by the other account",
        Step(
            happens=(do("transfer", 1, "stranger"),),
            ran=_ME_LESS,
            rows=("1 stranger/one public transferred me(gone)",),
            log=(
                *gone(1, "transferred"),
                *moved(1, "octo/one", "stranger/one"),
                *handed(1, OCTO, STRANGER),
            ),
        ),
        Step(
            happens=(do("add_collaborator", "hubber", 1),),
            ran=("me succeeded", "other succeeded restored 1"),
            rows=("1 stranger/one public - me(gone) other",),
            log=(joined(1, "other"), *restored(1, "transferred")),
        ),
    ),
    two("of two accounts: private", _TURNED_PRIVATE),
    two(
        "of two accounts: private, and one has run so far",
        Step(
            happens=(do("make_private", 7),),
            runs=("me",),
            ran=("me succeeded removed 1",),
            rows=("7 octo/pair private - me(gone) other",),
            log=(left(7), changed(7, "visibility", "public", "private")),
        ),
    ),
    two(
        "of two accounts: private, and the one that runs first sees no private ones",
        Step(
            happens=(do("make_private", 7),),
            ran=_BOTH_LESS,
            rows=("7 octo/[redacted-500000007] private private me(gone) other(gone)",),
            log=(*_BOTH_LEFT, *removed(7, "private"), *redacted(7)),
        ),
        begins=(do("set_scopes", "token of me", ()),),
    ),
    two(
        "of two accounts: private, and the one that runs last sees no private ones",
        Step(
            happens=(do("make_private", 7),),
            ran=_BOTH_LESS,
            rows=("7 octo/[redacted-500000007] private private me(gone) other(gone)",),
            log=(*_BOTH_LEFT, *removed(7, "private"), *redacted(7)),
        ),
        begins=(do("set_scopes", "token of other", ()),),
    ),
    two(
        "of two accounts: private, purged by one that sees no private ones",
        Step(happens=(do("make_private", 7),), ran=_BOTH_LESS, rows=("7 no row",)),
        begins=(do("set_scopes", "token of other", ()),),
        removals=Removals(on_private="purge"),
    ),
    two(
        "of two accounts: private, and public before the other has run",
        Step(
            happens=(do("edit", 6, private=True, visibility="private"),),
            runs=("me",),
            ran=("me succeeded removed 1",),
            rows=("6 hubber/kit private - me(gone) other",),
            log=(left(6), changed(6, "visibility", "public", "private")),
        ),
        Step(
            happens=(
                do("edit", 6, private=False, visibility="public"),
                do("remove_collaborator", "octo", 6),
            ),
            ran=_NEITHER,
            rows=("6 hubber/kit public - me(gone) other",),
            log=(changed(6, "visibility", "private", "public"),),
        ),
    ),
    two(
        "of two accounts: private, and the other lists all",
        Step(
            happens=(do("make_private", 7),),
            ran=_ME_LESS,
            rows=("7 octo/pair private - me(gone) other",),
            log=(
                left(7),
                changed(7, "visibility", "public", "private"),
            ),
        ),
        visibility={"other": "all"},
    ),
    two(
        "of two accounts: private, where such are purged",
        Step(happens=(do("make_private", 7),), ran=_BOTH_LESS, rows=("7 no row",)),
        removals=Removals(on_private="purge"),
    ),
    two(
        "of two accounts: private, where all is kept",
        Step(
            happens=(do("make_private", 7),),
            ran=_BOTH_LESS,
            rows=("7 octo/pair private private me(gone) other(gone)",),
            log=(
                *(*_BOTH_LEFT, *removed(7, "private")),
                changed(7, "visibility", "public", "private"),
            ),
        ),
        removals=Removals(on_private="keep"),
    ),
)
