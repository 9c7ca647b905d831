"""Scenarios of one account in which something is odd: the listing, its paging, an answer."""

from __future__ import annotations

import json
from typing import Any

from sync.sandbox import Sandbox
from tests.removals.playing import Deed, Scenario, Step, do, one
from tests.removals.telling import FIRST, changed, gone

_ONE_LESS = ("me succeeded removed 1",)
_NOT_YET = ("me partial withheld 1 RemovalsWithheld",)
_ONE_GONE: dict[str, Any] = {
    "rows": ("1 octo/one public not_found me(gone)",),
    "log": gone(1, "not_found"),
}
_LATER = Step(ran=_ONE_LESS, **_ONE_GONE)
_KIT_GONE = "6 hubber/kit public unlisted me(gone)"
_KIT_LEFT: Any = {"ran": _ONE_LESS, "rows": (_KIT_GONE,), "log": gone(6, "unlisted")}
_ASKED = "/repositories/*"


def _of_another(github: Sandbox) -> None:
    body = json.dumps(github.get(FIRST + 2, full=True)).encode()
    github.fail(status=200, path=_ASKED, body=body)


def _without_a_name(github: Sandbox) -> None:
    body = json.dumps({**github.get(FIRST + 1, full=True), "name": None}).encode()
    github.delete(FIRST + 1)
    github.fail(status=200, path=_ASKED, body=body)


def _answered_with(words: str, status: int, body: bytes | None = None, times: int = 1) -> Scenario:
    """Return a scenario in which an answer tells nothing of a deleted repository."""
    answer = Deed(words, lambda github: github.fail(times, status, _ASKED, body=body))
    return one(
        f"deleted, and asked for it GitHub gives {words}",
        Step(happens=(do("delete", 1), answer), ran=_NOT_YET),
        _LATER,
    )


_ANSWERS = (
    _answered_with("502", 502, times=3),
    _answered_with("500 for each attempt, in JSON", 500, b'{"message": "Server Error"}', 3),
    _answered_with("a page of HTML", 200, None, 3),
    _answered_with("a list", 200, b"[]"),
    _answered_with("an empty object", 200, b"{}"),
    _answered_with("null", 200, b"null"),
    _answered_with("403 without a block", 403, b'{"message": "Forbidden"}'),
    _answered_with("403 in HTML", 403),
    _answered_with("404 in HTML", 404),
    _answered_with("404 in other words", 404, b'{"message": "no Route matched"}'),
    _answered_with("410", 410, b'{"message": "Gone"}'),
    _answered_with("404 with a list", 404, b"[]"),
    _answered_with("451 of a proxy", 451),
    _answered_with("422", 422, b'{"message": "Validation Failed"}'),
    one(
        "deleted, and asked for it GitHub gives another one",
        Step(happens=(do("delete", 1), Deed("answer with 2", _of_another)), ran=_NOT_YET),
        _LATER,
    ),
    one(
        "deleted, and asked for it GitHub gives it without a name",
        Step(happens=(Deed("delete 1, answer without name", _without_a_name),), ran=_NOT_YET),
        _LATER,
    ),
    one(
        "two are deleted, and asked for one GitHub gives 502",
        Step(
            happens=(
                do("delete", 1),
                do("delete", 2),
                do("fail", times=3, path=f"/repositories/{FIRST + 2}"),
            ),
            ran=("me partial removed 1 withheld 1 RemovalsWithheld",),
            **_ONE_GONE,
        ),
        Step(
            ran=_ONE_LESS,
            rows=("2 octo/two public not_found me(gone)",),
            log=gone(2, "not_found"),
        ),
    ),
    one(
        "deleted, and asked for it GitHub knows the token no longer",
        Step(
            happens=(do("delete", 1), do("fail", status=401, path=_ASKED, body=b"{}")),
            ran=("me failed BadCredentials",),
        ),
        _LATER,
    ),
    one(
        "two are deleted, and the quota is spent while asking",
        Step(
            happens=(do("delete", 1), do("delete", 2)),
            moment="ask 1",
            meanwhile=(do("set_quota", "token of me", remaining=0),),
            ran=("me deferred RateLimited",),
        ),
        Step(
            happens=(do("set_quota", "token of me"),),
            ran=("me succeeded removed 2",),
            rows=(
                "1 octo/one public not_found me(gone)",
                "2 octo/two public not_found me(gone)",
            ),
            log=(*gone(1, "not_found"), *gone(2, "not_found")),
        ),
    ),
)

_LISTINGS = (
    one(
        "hidden from the listing though owned",
        Step(happens=(do("hide", 1),)),
        Step(),
        Step(
            happens=(do("edit", 1, description="Still here"),),
            log=(changed(1, "description", "-", "Still here"),),
        ),
        Step(happens=(do("unhide", 1),)),
    ),
    one(
        "hidden from the listing though a collaborator",
        Step(
            happens=(do("hide", 6),),
            ran=_ONE_LESS,
            rows=("6 hubber/kit public unlisted me(gone)",),
            log=gone(6, "unlisted"),
        ),
    ),
    one(
        "its object is odd in the listing",
        Step(happens=(do("edit", 1, full_name=""),), ran=("me partial",)),
    ),
    one(
        "its object has no id that can be read",
        Step(happens=(do("edit", 1, id="abc"),), ran=_NOT_YET),
        Step(happens=(do("edit", 1, id=FIRST + 1),)),
    ),
    one(
        "an organization demands single sign-on, and one is deleted",
        Step(
            happens=(do("restrict_sso", "token of me", ("guild",)), do("delete", 1)),
            ran=("me partial",),
        ),
        Step(happens=(do("restrict_sso", "token of me", ()),), ran=_ONE_LESS, **_ONE_GONE),
    ),
    one(
        "an organization demands single sign-on, and never gets it",
        Step(
            happens=(do("restrict_sso", "token of me", ("guild",)), do("delete", 4)),
            ran=("me partial",),
        ),
        Step(ran=("me partial",)),
    ),
)

_SECOND_LOOKS = (
    one(
        "an invitation comes back while it is asked for",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            meanwhile=(do("add_collaborator", "octo", 6),),
        ),
    ),
    one(
        "a collaborator no longer, and another is deleted between the two looks",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            meanwhile=(do("delete", 1),),
            ran=_NOT_YET,
        ),
        Step(
            ran=("me succeeded removed 2",),
            rows=(_KIT_GONE, "1 octo/one public not_found me(gone)"),
            log=(*gone(6, "unlisted"), *gone(1, "not_found")),
        ),
    ),
    one(
        "a collaborator no longer, and a new one comes between the two looks",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            meanwhile=(do("add_repository", "octo", "new"),),
            **_KIT_LEFT,
        ),
        Step(rows=("9 octo/new public - me",), log=("9 created created - -> {octo/new}",)),
    ),
    one(
        "a collaborator no longer, and the first look held what cannot be read",
        Step(
            happens=(do("remove_collaborator", "octo", 6), do("edit", 1, id="abc")),
            moment="ask 1",
            meanwhile=(do("edit", 1, id=FIRST + 1),),
            ran=_NOT_YET,
        ),
        Step(**_KIT_LEFT),
    ),
    one(
        "a collaborator no longer, and the second look holds what cannot be read",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            meanwhile=(do("add_repository", "octo", "new"), do("edit", 9, id="abc")),
            ran=_NOT_YET,
        ),
        Step(
            happens=(do("edit", 9, id=FIRST + 9),),
            ran=_ONE_LESS,
            rows=(_KIT_GONE, "9 octo/new public - me"),
            log=(*gone(6, "unlisted"), "9 created created - -> {octo/new}"),
        ),
    ),
    one(
        "a collaborator no longer, and the second look fails",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            # As often as two pages are asked for: as a whole, and in pieces of two sizes.
            meanwhile=(do("fail", times=16, path="/user/repos"),),
            ran=("me failed ServerError",),
        ),
        Step(**_KIT_LEFT),
    ),
    one(
        "a collaborator no longer, and the second look is partial",
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            meanwhile=(do("restrict_sso", "token of me", ("guild",)),),
            ran=_NOT_YET,
        ),
        Step(
            happens=(do("restrict_sso", "token of me", ()),),
            **_KIT_LEFT,
        ),
    ),
    one(
        "a collaborator no longer, and the second look lacks an organization that has nothing",
        Step(
            happens=(do("delete", 4), do("delete", 5)),
            ran=("me succeeded removed 2",),
            rows=(
                "4 guild/club public not_found me(gone)",
                "5 guild/pool public not_found me(gone)",
            ),
            log=(*gone(4, "not_found"), *gone(5, "not_found")),
        ),
        Step(
            happens=(do("remove_collaborator", "octo", 6),),
            moment="ask 1",
            meanwhile=(do("restrict_sso", "token of me", ("guild",)),),
            ran=_NOT_YET,
        ),
        Step(
            happens=(do("restrict_sso", "token of me", ()),),
            **_KIT_LEFT,
        ),
    ),
)

_PAGES = (
    one(
        "on one of two pages, and the other is as it was",
        Step(
            happens=(do("delete", 3),),
            ran=_ONE_LESS,
            rows=("3 octo/three public not_found me(gone)",),
            log=gone(3, "not_found"),
        ),
        fillers=99,
    ),
    one(
        "a deletion during paging hides one that is alive",
        Step(moment="page 2", meanwhile=(do("delete", 1),)),
        _LATER,
        fillers=99,
    ),
    one(
        "a deletion during paging hides one that is alive and somebody else's",
        Step(moment="page 2", meanwhile=(do("delete", 5),)),
        Step(
            ran=_ONE_LESS,
            rows=("5 guild/pool public not_found me(gone)",),
            log=gone(5, "not_found"),
        ),
        fillers=95,
    ),
    one(
        "deleted and made anew during paging",
        Step(
            moment="page 2",
            meanwhile=(do("delete", 1), do("add_repository", "octo", "one")),
            rows=("108 octo/one public - me",),
            log=("108 created created - -> {octo/one}",),
        ),
        _LATER,
        fillers=99,
    ),
    one(
        "a whole page is deleted while it is asked for",
        Step(
            moment="page 2",
            meanwhile=(do("delete", 1), do("delete", 2), do("delete", 3)),
            ran=("me succeeded removed 2",),
            rows=(
                *("2 octo/two public not_found me(gone)",),
                *("3 octo/three public not_found me(gone)",),
            ),
            log=(*gone(2, "not_found"), *gone(3, "not_found")),
        ),
        _LATER,
        fillers=99,
    ),
)

ODD = (*_ANSWERS, *_LISTINGS, *_SECOND_LOOKS, *_PAGES)
