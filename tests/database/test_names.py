"""What a name means in a ledger of several hosts, of which two may have the same OWNER/NAME."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import HOST, START, HandClock, execute, repository, store_page
from tests.support.inside.core import AmbiguousName, NoSuchHost, NoSuchRepository, host_of
from tests.support.inside.database import Ledger, Spelling, spelling_of

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

OTHER = "git.example.com"
DAY = START.date()
ASKED: list[Callable[[Ledger, str], Any]] = [
    lambda ledger, name: list(ledger.changes(repository=name)),
    lambda ledger, name: list(ledger.history(name, since=DAY, until=DAY)),
    lambda ledger, name: ledger.removed_on(name),
    lambda ledger, name: ledger.full_name(name),
]


@pytest.fixture
def mirrored(store: Store, ledger: Ledger, run: Run) -> Ledger:
    """Return a ledger of two hosts, on which one repository has the same name and the same id."""
    store_page(
        store, run, repository(1, "Octo/one", stargazers_count=5), repository(2, "octo/here")
    )
    work = store.start_run("work", OTHER, "backfill")
    store_page(
        store, work, repository(1, "octo/one", stargazers_count=8), repository(3, "octo/there")
    )
    return ledger


def stars(ledger: Ledger, name: str) -> int:
    (row,) = ledger.history(name, since=DAY, until=DAY)
    return int(row["stargazers_count"])


@pytest.mark.parametrize(
    ("text", "host", "full_name"),
    [
        ("octo/one", None, "octo/one"),
        (" octo/one/ ", None, "octo/one"),
        ("github.com/octo/one", "github.com", "octo/one"),
        ("127.0.0.1:8080/octo/one", "127.0.0.1:8080", "octo/one"),
        ("https://github.com/octo/one", "github.com", "octo/one"),
        ("HTTPS://GitHub.com/Octo/One/", "GitHub.com", "Octo/One"),
        ("https://github.com/octo/one.git", "github.com", "octo/one"),
        ("https://me:ghp_secret@github.com/octo/one.git", "github.com", "octo/one"),
        ("https://github.com/octo/one/tree/main?x=1#readme", "github.com", "octo/one"),
        ("http://localhost:3000/octo/one#readme", "localhost:3000", "octo/one"),
        ("https://api.github.com/repos/octo/one", "api.github.com", "octo/one"),
        ("https://api.corp.ghe.com/repos/octo/one/forks", "api.corp.ghe.com", "octo/one"),
        ("https://git.example.com/api/v3/repos/octo/one", "git.example.com", "octo/one"),
        ("https://git.example.com/repos/octo/one", "git.example.com", "repos/octo"),
        ("git@github.com:octo/one.git", "github.com", "octo/one"),
        ("ssh://git@git.example.com:22/octo/one", "git.example.com", "octo/one"),
        ("one", None, "one"),
        ("github.com/*/one", "github.com", "one"),
        ("http://[::1]:3000/octo/one", "[::1]:3000", "octo/one"),
        ("[::1]:3000/octo/one", "[::1]:3000", "octo/one"),
    ],
)
def test_a_name_is_taken_apart(text: str, host: str | None, full_name: str) -> None:
    assert spelling_of(text) == Spelling(host, full_name)


@pytest.mark.parametrize(
    "text",
    [
        *("", "one/", "/octo/one", "octo//one", "https://github.com/octo"),
        *("ssh://github.com/octo/one", "my one"),
    ],
)
def test_what_is_not_a_name_is_refused_with_the_forms_of_names(mirrored: Ledger, text: str) -> None:
    with pytest.raises(NoSuchRepository) as refused:
        mirrored.full_name(text)
    assert str(refused.value) == (
        f"{text!r} is not the name of a repository; "
        "write OWNER/NAME, NAME, HOST/OWNER/NAME or https://HOST/OWNER/NAME"
    )


@pytest.mark.parametrize("ask", ASKED, ids=["changes", "history", "removed_on", "full_name"])
def test_a_name_of_two_hosts_is_refused_with_both_full_spellings(
    mirrored: Ledger, ask: Callable[[Ledger, str], Any]
) -> None:
    with pytest.raises(AmbiguousName) as refused:
        ask(mirrored, "OCTO/one")
    assert str(refused.value) == (
        "2 hosts have a repository called OCTO/one; say which: "
        "git.example.com/octo/one or github.com/Octo/one"
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("github.com/octo/one", 5),
        ("GitHub.com/OCTO/One", 5),
        ("github.com./octo/one/", 5),
        ("https://github.com/octo/one", 5),
        ("https://github.com:443/octo/one", 5),
        ("https://api.github.com/repos/octo/one", 5),
        ("git.example.com/octo/one", 8),
        ("https://git.example.com/octo/one/releases", 8),
        ("https://git.example.com/api/v3/repos/octo/one", 8),
    ],
)
def test_with_its_host_or_as_an_address_a_name_means_one_repository(
    mirrored: Ledger, name: str, count: int
) -> None:
    assert stars(mirrored, name) == count
    assert {row["host"] for row in mirrored.changes(repository=name)} == {
        HOST if count == 5 else OTHER
    }


def test_a_password_in_what_is_not_a_name_is_not_quoted() -> None:
    with pytest.raises(NoSuchRepository) as refused:
        spelling_of("ssh://me:hunter22@github.com/octo/one")
    assert "hunter22" not in str(refused.value)


def test_a_name_that_one_host_alone_has_needs_no_host(mirrored: Ledger) -> None:
    assert [row["host"] for row in mirrored.changes(repository="octo/there")] == [OTHER]
    assert mirrored.full_name("octo/there") == "git.example.com/octo/there"


@pytest.mark.parametrize("gone", [False, True])
def test_a_former_name_or_a_removed_repository_at_another_host_makes_a_name_mean_two(
    store: Store, ledger: Ledger, run: Run, clock: HandClock, gone: bool
) -> None:
    store_page(store, run, repository(1, "octo/one"))
    work = store.start_run("work", OTHER, "backfill")
    store_page(store, work, repository(1, "octo/one"))
    clock.advance(days=1)
    if gone:
        execute(store.url, f"UPDATE repositories SET removed_at = first_seen_at {AT_OTHER}")
    else:
        store_page(store, work, repository(1, "octo/renamed"))
    with pytest.raises(AmbiguousName, match=f"say which: {OTHER}/octo/one or {HOST}/octo/one"):
        ledger.full_name("octo/one")
    assert ledger.full_name(f"{HOST}/octo/one") == f"{HOST}/octo/one"
    expected = "octo/one" if gone else "octo/renamed"
    assert ledger.full_name(f"{OTHER}/octo/one") == f"{OTHER}/{expected}"


AT_OTHER = f"WHERE host = '{OTHER}'"


def test_a_ledger_of_one_host_shows_names_without_it(
    store: Store, ledger: Ledger, run: Run
) -> None:
    store_page(store, run, repository(1, "octo/one"))
    assert ledger.hosts() == [HOST]
    assert ledger.full_name(f"{HOST}/octo/one") == "octo/one"


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("gihub.com", "the ledger knows no host gihub.com; did you mean github.com?"),
        ("x", "the ledger knows no host x; known: git.example.com, github.com"),
        (
            "api.git.example.com",
            "the ledger knows no host api.git.example.com; did you mean git.example.com?",
        ),
    ],
)
def test_an_unknown_host_is_told_with_those_that_are_known(
    mirrored: Ledger, host: str, told: str
) -> None:
    asked: list[Callable[[], Any]] = [
        lambda: list(mirrored.repos(host=host)),
        lambda: list(mirrored.changes(host=host)),
        lambda: mirrored.full_name(f"{host}/octo/one"),
        lambda: mirrored.full_name(f"https://{host}/octo/one"),
    ]
    for ask in asked:
        with pytest.raises(NoSuchHost) as refused:
            ask()
        assert str(refused.value) == told


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        *((text, "github.com") for text in ("GitHub.com", "github.com.", " github.com:443 ")),
        ("api.github.com", "github.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example:8443", "xn--bcher-kva.example:8443"),
        ("octocorp.ghe.com", "api.octocorp.ghe.com"),
        ("[0:0::1]:3000", "[::1]:3000"),
    ],
)
def test_a_host_is_found_in_every_spelling_of_its_address(
    store: Store, ledger: Ledger, typed: str, host: str
) -> None:
    for number, api in enumerate(
        (
            *("api.github.com", "api.octocorp.ghe.com", "bücher.example", "bücher.example:8443"),
            "[::1]:3000",
        )
    ):
        store.start_run(f"account{number}", host_of(f"https://{api}"), "backfill")
    assert ledger.host_called(typed) == host


@pytest.mark.parametrize("text", ["", " ", "a/b", "http://github.com", "me@github.com", "x:y"])
def test_what_is_not_a_host_is_refused_with_the_form_of_hosts(ledger: Ledger, text: str) -> None:
    with pytest.raises(NoSuchHost) as refused:
        ledger.host_called(text)
    told = f"{text!r} is not a host; write HOST or HOST:PORT, such as github.com"
    assert str(refused.value) == told


def test_a_ledger_without_anything_knows_no_host(ledger: Ledger) -> None:
    with pytest.raises(NoSuchHost, match=r"no host github\.com; it holds nothing yet"):
        list(ledger.repos(host="github.com"))


def test_a_host_that_lacks_the_repository_is_named(mirrored: Ledger) -> None:
    told = r"called octo/there at github\.com; did you mean octo/here\?"
    with pytest.raises(NoSuchRepository, match=told):
        mirrored.full_name("github.com/octo/there")


def test_a_host_without_repositories_is_known_by_its_account(store: Store, ledger: Ledger) -> None:
    store.start_run("new", "api.octocorp.ghe.com", "backfill")
    assert list(ledger.repos(host="octocorp.ghe.com")) == []
    assert ledger.hosts() == []


def test_a_name_with_more_slashes_is_looked_up_whole(
    store: Store, ledger: Ledger, run: Run
) -> None:
    store_page(store, run, repository(1, "octo/one"))
    execute(store.url, "UPDATE repositories SET full_name = 'group/part/one'")
    assert ledger.full_name("group/part/one") == "group/part/one"


def test_lists_are_of_one_host_if_asked_so(
    mirrored: Ledger, store: Store, clock: HandClock
) -> None:
    for as_of in (None, clock.now):
        rows = mirrored.repos(host="GITHUB.com", as_of=as_of)
        assert sorted((row["host"], row["id"]) for row in rows) == [(HOST, 1), (HOST, 2)]
    assert {row["host"] for row in mirrored.changes(host=OTHER)} == {OTHER}
    assert list(mirrored.changes(host=OTHER, repository=f"{HOST}/octo/one")) == []
    execute(store.url, f"UPDATE repositories SET removed_at = first_seen_at {AT_OTHER}")
    assert list(mirrored.repos(host=OTHER)) == []
    assert {row["id"] for row in mirrored.repos(host=OTHER, removed=True)} == {1, 3}


@pytest.mark.parametrize("descending", [False, True])
def test_what_two_hosts_have_alike_comes_in_the_order_of_hosts(
    store: Store, ledger: Ledger, clock: HandClock, descending: bool
) -> None:
    for host in ("b.org", "c.org", "a.org"):
        store_page(store, store.start_run(host, host, "test"), repository(1, "octo/one"))
    assert sorted(ledger.hosts()) == ["a.org", "b.org", "c.org"]
    for as_of in (None, clock.now):
        rows = list(ledger.repos(descending=descending, limit=9, as_of=as_of))
        assert [row["host"] for row in rows] == ["a.org", "b.org", "c.org"]


def test_a_name_without_an_owner_is_enough_where_one_repository_has_it(
    mirrored: Ledger, store: Store, run: Run, clock: HandClock
) -> None:
    assert mirrored.full_name("THERE") == f"{OTHER}/octo/there"
    with pytest.raises(AmbiguousName, match="2 hosts have a repository called one; say which"):
        mirrored.full_name("one")
    clock.advance(days=1)
    store_page(store, run, repository(2, "octo/now"), repository(4, "ada/there"))
    assert mirrored.full_name("here") == f"{HOST}/octo/now"
    with pytest.raises(AmbiguousName) as refused:
        mirrored.full_name("there")
    assert str(refused.value) == (
        "2 repositories are called there; say which: ada/there, octo/there"
    )
    execute(store.url, "UPDATE repositories SET removed_at = first_seen_at WHERE id = 4")
    assert mirrored.full_name("there") == f"{OTHER}/octo/there"  # what is removed yields


def test_a_name_that_nothing_has_is_answered_with_the_nearest_present_and_former_names(
    store: Store, ledger: Ledger, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1, "ada/gravel"), repository(2, "ada/larch"))
    clock.advance(days=1)
    store_page(store, run, repository(2, "ada/pine-tree"))
    for typed, near in {
        "ada/gravle": "did you mean ada/gravel?",
        "gravle": "did you mean ada/gravel?",
        "grace/gravel": "did you mean ada/gravel?",
        "Ada/Pinetree": "did you mean ada/pine-tree?",
        "larhc": "did you mean ada/larch?",
        "100%": "`repoledger repos` lists what it holds",
        "\U0001f980\u202e" * 50: "`repoledger repos` lists what it holds",
    }.items():
        with pytest.raises(NoSuchRepository) as refused:
            ledger.full_name(typed)
        assert str(refused.value).endswith(f"; {near}")
