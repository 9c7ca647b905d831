"""The repositories of a story, as they are on its first day. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass

from sync.sandbox.activity import draw

_FIRST_WORDS = (
    *("amber", "birch", "copper", "drift", "ember", "fern", "granite", "hazel", "iron", "juniper"),
    *("kelp", "larch", "moss", "north", "opal", "pebble", "quartz", "reed", "silver", "thistle"),
)
_SECOND_WORDS = (
    *("api", "board", "cache", "cli", "desk", "engine", "feed", "graph", "index", "kit"),
    *("log", "mail", "notes", "parser", "queue", "router", "sdk", "shell", "tree", "worker"),
)
_LANGUAGES = (
    "Python",
    "TypeScript",
    "Go",
    "Rust",
    "JavaScript",
    "Shell",
    "C",
    "Ruby",
    "HTML",
    None,
)
_LICENSES = ("mit", "mit", "mit", "apache-2.0", "apache-2.0", "bsd-3-clause", "gpl-3.0", None)
_WHAT = {
    "api": "An HTTP API",
    "board": "A dashboard",
    "cache": "A small cache",
    "cli": "A command line",
    "desk": "A help desk",
    "engine": "A rules engine",
    "feed": "A feed reader",
    "graph": "Graphs and charts",
    "index": "A search index",
    "kit": "A toolkit",
    "log": "Structured logs",
    "mail": "Mail templates",
    "notes": "Plain-text notes",
    "parser": "A fast parser",
    "queue": "A job queue",
    "router": "A request router",
    "sdk": "A client library",
    "shell": "Shell helpers",
    "tree": "Trees on disk",
    "worker": "Background jobs",
}


@dataclass(frozen=True, kw_only=True)
class Character:
    """A repository on its first day. `rate` is how many stars a usual day brings, `visits` how
    many views, `work` the share of days with a push, `releases` how many it has, with files.
    `older` is its age in days on the first day of the story.
    """

    name: str
    description: str | None = None
    language: str | None = None
    stars: int = 0
    forks: int = 0
    issues: int = 0
    rate: float = 0.0
    visits: int = 0
    work: float = 0.0
    releases: int = 0
    older: int = 900
    license: str | None = "mit"
    topics: tuple[str, ...] = ()
    private: bool = False
    archived: bool = False


LEADS = (
    Character(
        name="gravel",
        description="An embeddable key-value store",
        language="Rust",
        stars=1064,
        forks=58,
        issues=23,
        rate=2.6,
        visits=130,
        work=0.5,
        releases=3,
        older=1890,
        topics=("database", "embedded", "rust"),
    ),
    Character(
        name="tide-tables",
        description="Predicts tides for any harbour",
        language="Python",
        stars=374,
        forks=31,
        issues=8,
        rate=0.6,
        visits=36,
        work=0.25,
        releases=2,
        older=1590,
        topics=("tides", "sailing"),
    ),
    Character(
        name="paper-lantern",
        description="A small UI kit",
        language="TypeScript",
        stars=71,
        forks=9,
        issues=4,
        rate=0.25,
        visits=14,
        work=0.3,
        older=1130,
        topics=("ui",),
    ),
    Character(
        name="night-train",
        description="Moves files between servers while you sleep",
        language="Go",
        stars=206,
        forks=18,
        issues=11,
        rate=0.35,
        visits=21,
        work=0.15,
        releases=1,
        older=790,
    ),
    Character(
        name="dotfiles",
        description="My configuration",
        language="Shell",
        stars=5,
        work=0.12,
        older=1210,
        license=None,
    ),
    Character(name="old-website", language="HTML", stars=2, older=980, license=None),
    Character(
        name="harbour-notes",
        description="Notes from the harbour office",
        language="Python",
        stars=3,
        work=0.1,
        older=640,
        license=None,
    ),
    Character(
        name="lighthouse",
        description="Watches your services",
        language="Python",
        rate=1.3,
        visits=18,
        work=0.7,
        topics=("monitoring",),
    ),
)


def cast(repositories: int, seed: int) -> tuple[Character, ...]:
    """This many repositories: the leads first, then others with names and sizes of their own."""
    return LEADS[:repositories] + tuple(
        _extra(seed, number) for number in range(max(0, repositories - len(LEADS)))
    )


def _extra(seed: int, number: int) -> Character:
    def pick(what: str) -> float:
        return draw(seed, what, number)

    # Every pair of words once, then with a number.
    pairs = len(_FIRST_WORDS) * len(_SECOND_WORDS)
    at, again = (number * 149) % pairs, number // pairs
    first, second = _FIRST_WORDS[at % len(_FIRST_WORDS)], _SECOND_WORDS[at // len(_FIRST_WORDS)]
    fame = pick("fame") ** 4  # a few are known, most are not
    return Character(
        name=f"{first}-{second}" + (f"-{again + 1}" if again else ""),
        description=f"{_WHAT[second]} for {first}" if pick("described") < 0.85 else None,
        language=_LANGUAGES[int(pick("language") * len(_LANGUAGES))],
        stars=int(900 * fame),
        forks=int(70 * fame),
        issues=int(30 * fame * pick("issues") * 2),
        rate=1.5 * fame,
        visits=int(90 * fame),
        work=0.35 * pick("work") ** 2,
        releases=int(1 + 3 * pick("releases")) if fame > 0.25 else 0,
        older=120 + int(2600 * pick("age")),
        license=_LICENSES[int(pick("license") * len(_LICENSES))],
        topics=(second,) if pick("topics") < 0.4 else (),
    )
