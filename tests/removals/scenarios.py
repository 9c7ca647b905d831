"""The table of what can become of repositories, each with the rows that it has to lead to.

`playing` says what the world is at the beginning, and `telling` how rows are written down.
Here are those of one account that are deleted, renamed, transferred or listed no longer.
"""

from __future__ import annotations

from tests.removals.playing import GUILD, HUBBER, OCTO, STRANGER, Step, do, one
from tests.removals.scenarios_odd import ODD
from tests.removals.scenarios_private import PRIVATE
from tests.removals.scenarios_settings import SETTINGS
from tests.removals.scenarios_shared import SHARED
from tests.removals.telling import back, changed, gone, handed, moved

_ONE_LESS = ("me succeeded removed 1",)

_NAMES = (
    one(
        "renamed",
        Step(
            happens=(do("rename", 1, "uno"),),
            rows=("1 octo/uno public - me",),
            log=moved(1, "octo/one", "octo/uno"),
        ),
    ),
    one(
        "renamed by case only",
        Step(
            happens=(do("rename", 1, "ONE"),),
            rows=("1 octo/ONE public - me",),
            log=moved(1, "octo/one", "octo/ONE"),
        ),
    ),
    one(
        "two swap names",
        Step(
            happens=(do("rename", 1, "t"), do("rename", 2, "one"), do("rename", 1, "two")),
            rows=("1 octo/two public - me", "2 octo/one public - me"),
            log=(*moved(1, "octo/one", "octo/two"), *moved(2, "octo/two", "octo/one")),
        ),
    ),
    one(
        "three pass their names on in a circle",
        Step(
            happens=(
                *(do("rename", 1, "t"), do("rename", 3, "one")),
                *(do("rename", 2, "three"), do("rename", 1, "two")),
            ),
            rows=(
                *("1 octo/two public - me", "2 octo/three public - me"),
                "3 octo/one public - me",
            ),
            log=(
                *moved(1, "octo/one", "octo/two"),
                *moved(2, "octo/two", "octo/three"),
                *moved(3, "octo/three", "octo/one"),
            ),
        ),
    ),
)

_DELETED = (
    one(
        "deleted",
        Step(
            happens=(do("delete", 1),),
            ran=_ONE_LESS,
            rows=("1 octo/one public not_found me(gone)",),
            log=gone(1, "not_found"),
        ),
    ),
    one(
        "deleted one after the other",
        Step(
            happens=(do("delete", 1),),
            ran=_ONE_LESS,
            rows=("1 octo/one public not_found me(gone)",),
            log=gone(1, "not_found"),
        ),
        Step(
            happens=(do("delete", 2), do("delete", 3)),
            ran=("me succeeded removed 2",),
            rows=(
                "2 octo/two public not_found me(gone)",
                "3 octo/three public not_found me(gone)",
            ),
            log=(*gone(2, "not_found"), *gone(3, "not_found")),
        ),
    ),
    one(
        "deleted, and the name used again",
        Step(
            happens=(do("delete", 1), do("add_repository", "octo", "one")),
            ran=_ONE_LESS,
            rows=("1 octo/one public not_found me(gone)", "9 octo/one public - me"),
            log=(*gone(1, "not_found"), "9 created created - -> {octo/one}"),
        ),
    ),
    one(
        "deleted, the name used again, and that one renamed",
        Step(
            happens=(do("delete", 1), do("add_repository", "octo", "one")),
            ran=_ONE_LESS,
            rows=("1 octo/one public not_found me(gone)", "9 octo/one public - me"),
            log=(*gone(1, "not_found"), "9 created created - -> {octo/one}"),
        ),
        Step(
            happens=(do("rename", 9, "uno"),),
            rows=("9 octo/uno public - me",),
            log=moved(9, "octo/one", "octo/uno"),
        ),
    ),
    one(
        "deleted, another takes its name, and a new one the name of that",
        Step(
            happens=(
                *(do("delete", 1), do("rename", 2, "one")),
                do("add_repository", "octo", "two"),
            ),
            ran=_ONE_LESS,
            rows=(
                "1 octo/one public not_found me(gone)",
                "2 octo/one public - me",
                "9 octo/two public - me",
            ),
            log=(
                *gone(1, "not_found"),
                *moved(2, "octo/two", "octo/one"),
                "9 created created - -> {octo/two}",
            ),
        ),
    ),
    one(
        "renamed, and deleted before anybody saw it",
        Step(
            happens=(do("rename", 1, "uno"), do("delete", 1)),
            ran=_ONE_LESS,
            rows=("1 octo/one public not_found me(gone)",),
            log=gone(1, "not_found"),
        ),
    ),
    one(
        "one is deleted, one blocked, one transferred, all at once",
        Step(
            happens=(do("delete", 1), do("block", 2), do("transfer", 3, "stranger")),
            ran=("me succeeded removed 3",),
            rows=(
                "1 octo/one public not_found me(gone)",
                "2 octo/two public blocked me(gone)",
                "3 stranger/three public transferred me(gone)",
            ),
            log=(
                *gone(1, "not_found"),
                *gone(2, "blocked"),
                *gone(3, "transferred"),
                *moved(3, "octo/three", "stranger/three"),
                *handed(3, OCTO, STRANGER),
            ),
        ),
    ),
)

_TRANSFERRED = (
    one(
        "transferred to another user",
        Step(
            happens=(do("transfer", 1, "stranger"),),
            ran=_ONE_LESS,
            rows=("1 stranger/one public transferred me(gone)",),
            log=(
                *gone(1, "transferred"),
                *moved(1, "octo/one", "stranger/one"),
                *handed(1, OCTO, STRANGER),
            ),
        ),
    ),
    one(
        "transferred, and back",
        Step(
            happens=(do("transfer", 1, "stranger"),),
            ran=_ONE_LESS,
            rows=("1 stranger/one public transferred me(gone)",),
            log=(
                *gone(1, "transferred"),
                *moved(1, "octo/one", "stranger/one"),
                *handed(1, OCTO, STRANGER),
            ),
        ),
        Step(
            happens=(do("transfer", 1, "octo"),),
            ran=("me succeeded restored 1",),
            rows=("1 octo/one public - me",),
            log=(
                *back(1, "transferred"),
                *moved(1, "stranger/one", "octo/one"),
                *handed(1, STRANGER, OCTO),
            ),
        ),
    ),
    one(
        "transferred to an organization that the user is a member of",
        Step(
            happens=(do("transfer", 1, "guild"),),
            rows=("1 guild/one public - me",),
            log=(
                *moved(1, "octo/one", "guild/one"),
                *handed(1, OCTO, GUILD),
                changed(1, "owner_type", "User", "Organization"),
            ),
        ),
    ),
    one(
        "transferred, and the old owner stays a collaborator",
        Step(
            happens=(do("transfer", 1, "stranger", stay=True),),
            rows=("1 stranger/one public - me",),
            log=(*moved(1, "octo/one", "stranger/one"), *handed(1, OCTO, STRANGER)),
        ),
    ),
    one(
        "transferred between two others, and the user's part in it ends",
        Step(
            happens=(do("transfer", 6, "stranger"), do("remove_collaborator", "octo", 6)),
            ran=_ONE_LESS,
            rows=("6 stranger/kit public transferred me(gone)",),
            log=(
                *gone(6, "transferred"),
                *moved(6, "hubber/kit", "stranger/kit"),
                *handed(6, HUBBER, STRANGER),
            ),
        ),
    ),
)

_UNLISTED = (
    one(
        "a collaborator no longer",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            ran=_ONE_LESS,
            rows=("6 hubber/kit public unlisted me(gone)",),
            log=gone(6, "unlisted"),
        ),
    ),
    one(
        "a collaborator no longer, and then again",
        Step(
            happens=(do("remove_collaborator", "octo", 6), do("edit", 6, description="Tools")),
            ran=_ONE_LESS,
            rows=("6 hubber/kit public unlisted me(gone)",),
            log=(*gone(6, "unlisted"), changed(6, "description", "-", "Tools")),
        ),
        Step(
            happens=(do("add_collaborator", "octo", 6),),
            ran=("me succeeded restored 1",),
            rows=("6 hubber/kit public - me",),
            log=back(6, "unlisted"),
        ),
    ),
    one(
        "a member of an organization no longer, and then again",
        Step(
            happens=(do("remove_member", "guild", "octo"),),
            ran=("me succeeded removed 2",),
            rows=(
                "4 guild/club public unlisted me(gone)",
                "5 guild/pool public unlisted me(gone)",
            ),
            log=(*gone(4, "unlisted"), *gone(5, "unlisted")),
        ),
        Step(
            happens=(do("add_member", "guild", "octo"),),
            ran=("me succeeded restored 2",),
            rows=("4 guild/club public - me", "5 guild/pool public - me"),
            log=(*back(4, "unlisted"), *back(5, "unlisted")),
        ),
    ),
    one(
        "a member no longer, and one of the organization's is deleted",
        Step(
            happens=(do("remove_member", "guild", "octo"), do("delete", 4)),
            ran=("me succeeded removed 2",),
            rows=(
                "4 guild/club public not_found me(gone)",
                "5 guild/pool public unlisted me(gone)",
            ),
            log=(*gone(4, "not_found"), *gone(5, "unlisted")),
        ),
    ),
)

SCENARIOS = (*_NAMES, *_DELETED, *_TRANSFERRED, *_UNLISTED, *PRIVATE, *SHARED, *SETTINGS, *ODD)
