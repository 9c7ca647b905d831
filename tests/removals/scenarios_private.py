"""Scenarios of one account whose repositories turn private, or are blocked."""

from __future__ import annotations

import json

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.playing import OCTO, STRANGER, Deed, Step, do, one
from tests.removals.telling import (
    back,
    changed,
    gone,
    handed,
    moved,
    redacted,
)
from tests.support.inside.config import Removals

_ONE_LESS = ("me succeeded removed 1",)
_ONE_BACK = ("me succeeded restored 1",)
_CREATED = "1 created created - -> {octo/one}"

_TURNED_PRIVATE = Step(
    happens=(do("make_private", 1),),
    ran=_ONE_LESS,
    rows=("1 octo/[redacted-500000001] private private me(gone)",),
    log=(*gone(1, "private"), *redacted(1)),
)
_PUBLIC_AGAIN = Step(
    happens=(do("make_public", 1),),
    ran=_ONE_BACK,
    rows=("1 octo/one public - me",),
    log=(
        *back(1, "private"),
        changed(1, "name", "[redacted-500000001]", "one"),
        changed(1, "full_name", "octo/[redacted-500000001]", "octo/one"),
        changed(1, "html_url", "-", "https://github.example/octo/one"),
        changed(1, "default_branch", "-", "main"),
        changed(1, "topics", "-", "[]"),
        changed(1, "visibility", "private", "public"),
    ),
)
_BLOCKED = Step(
    happens=(do("block", 1),),
    ran=_ONE_LESS,
    rows=("1 octo/one public blocked me(gone)",),
    log=gone(1, "blocked"),
)


def _list_all(github: Sandbox) -> None:
    body = json.dumps(github.listing_of(TOKEN, visibility="all")).encode()
    github.fail(times=10, status=200, path="/user/repos", body=body)


PRIVATE = (
    one("private", _TURNED_PRIVATE),
    one("private, and public again", _TURNED_PRIVATE, _PUBLIC_AGAIN),
    one(
        "private, public, and private again",
        _TURNED_PRIVATE,
        _PUBLIC_AGAIN,
        Step(
            happens=(do("make_private", 1),),
            ran=_ONE_LESS,
            rows=("1 octo/[redacted-500000001] private private me(gone)",),
            log=(*gone(1, "private"), *redacted(1)),
        ),
    ),
    one(
        "private, and deleted behind the scenes",
        _TURNED_PRIVATE,
        Step(happens=(do("delete", 1),)),
    ),
    one(
        "private, where all is kept",
        Step(
            happens=(do("make_private", 1),),
            ran=_ONE_LESS,
            rows=("1 octo/one private private me(gone)",),
            log=(*gone(1, "private"), changed(1, "visibility", "public", "private")),
        ),
        Step(
            happens=(do("make_public", 1),),
            ran=_ONE_BACK,
            rows=("1 octo/one public - me",),
            log=(
                *back(1, "private"),
                changed(1, "visibility", "private", "public"),
            ),
        ),
        removals=Removals(on_private="keep"),
    ),
    one(
        "private, where such are purged",
        Step(happens=(do("make_private", 1),), ran=_ONE_LESS, rows=("1 no row",)),
        Step(
            happens=(do("make_public", 1),),
            rows=("1 octo/one public - me",),
            log=(_CREATED,),
        ),
        removals=Removals(on_private="purge"),
    ),
    one(
        "private, for a token that sees no private ones",
        Step(
            happens=(do("make_private", 1),),
            ran=_ONE_LESS,
            rows=("1 octo/one public not_found me(gone)",),
            log=gone(1, "not_found"),
        ),
        Step(
            happens=(do("make_public", 1),),
            ran=_ONE_BACK,
            rows=("1 octo/one public - me",),
            log=back(1, "not_found"),
        ),
        begins=(do("set_scopes", "token of me", ()),),
    ),
    one(
        "private, on a server that lists private ones among the public",
        Step(
            happens=(do("make_private", 1), Deed("list all the same", _list_all)),
            ran=_ONE_LESS,
            rows=("1 octo/[redacted-500000001] private private me(gone)",),
            log=(*gone(1, "private"), *redacted(1)),
        ),
    ),
    one(
        "private, where all are listed",
        Step(
            happens=(do("make_private", 1),),
            rows=("1 octo/one private - me",),
            log=(changed(1, "visibility", "public", "private"),),
        ),
        visibility={"me": "all"},
    ),
    one(
        "public, where private ones are listed",
        Step(
            happens=(do("make_public", 1),),
            ran=_ONE_LESS,
            rows=("1 octo/one public unlisted me(gone)",),
            log=(
                *gone(1, "unlisted"),
                changed(1, "visibility", "private", "public"),
            ),
        ),
        begins=(do("make_private", 1), do("make_private", 2)),
        before=(
            "1 octo/one private - me",
            "2 octo/two private - me",
            *(f"{number} no row" for number in range(3, 8)),
        ),
        visibility={"me": "private"},
    ),
    one(
        "transferred and made private",
        Step(
            happens=(do("transfer", 1, "stranger", stay=True), do("make_private", 1)),
            ran=_ONE_LESS,
            rows=("1 octo/[redacted-500000001] private private me(gone)",),
            log=(*gone(1, "private"), *redacted(1)),
        ),
    ),
    one("blocked with 451", _BLOCKED),
    one(
        "blocked with 403",
        Step(
            happens=(do("block", 1, reason="tos"),),
            ran=_ONE_LESS,
            rows=("1 octo/one public blocked me(gone)",),
            log=gone(1, "blocked"),
        ),
    ),
    one("blocked, and still listed", Step(happens=(do("block", 1, listed=True),))),
    one(
        "blocked, and no longer",
        _BLOCKED,
        Step(
            happens=(do("unblock", 1),),
            ran=_ONE_BACK,
            rows=("1 octo/one public - me",),
            log=back(1, "blocked"),
        ),
    ),
    one(
        "blocked, and back under another name and with a star",
        _BLOCKED,
        Step(
            happens=(do("unblock", 1), do("rename", 1, "uno"), do("star", 1)),
            ran=_ONE_BACK,
            rows=("1 octo/uno public - me",),
            log=(*back(1, "blocked"), *moved(1, "octo/one", "octo/uno")),
        ),
    ),
    one(
        "blocked, and back with another owner",
        _BLOCKED,
        Step(
            happens=(
                do("unblock", 1),
                do("transfer", 1, "stranger"),
                do("add_collaborator", "octo", 1),
            ),
            ran=_ONE_BACK,
            rows=("1 stranger/one public - me",),
            log=(
                *back(1, "blocked"),
                *moved(1, "octo/one", "stranger/one"),
                *handed(1, OCTO, STRANGER),
            ),
        ),
    ),
)
