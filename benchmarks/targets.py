"""What must be reached, each as a ratio within one run, and whether it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

Records = dict[tuple[str, str, str, int, float], Mapping[str, Any]]
_MB = 1_000_000


class Target(NamedTuple):
    """A figure, the most (or with `at_least` the least) that it may be; None: not measured."""

    what: str
    bound: float
    figure: float | None
    at_least: bool = False

    @property
    def reached(self) -> bool | None:
        if self.figure is None:
            return None
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


def by_key(results: Mapping[str, Any]) -> Records:
    """Return the records by (contender, phase, database, size, latency)."""
    keys = ("contender", "phase", "database", "size", "latency")
    return {tuple(r[k] for k in keys): r for r in results["records"]}


def targets(results: Mapping[str, Any]) -> Iterator[Target]:
    """Yield every target, with its figure as far as it was measured."""
    records = by_key(results)

    def of(
        field: str, name: str, phase: str, size: int, kind: str = "sqlite", latency: float = 0
    ) -> float | None:
        found = records.get((name, phase, kind, size, latency))
        return None if found is None else found[field]

    def cpu(name: str, phase: str, size: int, kind: str = "sqlite") -> float | None:
        return of("cpu", name, phase, size, kind)

    mine = "repoledger"
    yield Target(
        "CPU of an initial load of 10,000 on SQLite, in times of the limit's",
        2.0,
        _ratio(cpu(mine, "initial", 10_000), cpu("limit", "initial", 10_000)),
    )
    for size, bound in ((10_000, 0.45), (100_000, 0.2)):
        share = _ratio(cpu(mine, "unchanged", size), cpu(mine, "initial", size))
        yield Target(f"CPU with nothing changed, of the initial load's, at {size:,}", bound, share)
    yield from _conditional(records)
    for phase, bound in (("initial", 5.0), ("unchanged", 12.0)):
        yield from _peers(records, phase, bound)
    record = records.get((mine, "initial", "sqlite", 10_000, 0.2), {})
    wall = record.get("sync")
    yield Target(
        "wall time of a sync of 10,000 with 200 ms latency, in times of the least with 4 in flight",
        1.12,
        None if wall is None else wall / (0.2 * (1 + ceil((100 - 1) / 4))),
    )
    yield Target(
        "CPU of an initial load of 10,000 on PostgreSQL, in times of COPY and merge",
        1.5,
        _ratio(
            cpu(mine, "initial", 10_000, "postgresql"),
            cpu("limit", "initial", 10_000, "postgresql"),
        ),
    )
    small, large = (of("memory", mine, "initial", size) for size in (1_000, 100_000))
    grown = None if small is None or large is None else (large - small) / _MB
    yield Target("peak memory of 100,000 over that of 1,000, in MB", 20, grown)
    yield from _startup(results.get("startup", {}))


def _conditional(records: Records) -> Iterator[Target]:
    """Yield the share of conditional answers in a run in which nothing changed."""
    for (name, phase, kind, size, latency), record in records.items():
        if name == "repoledger" and phase == "unchanged" and kind == "sqlite" and not latency:
            share = record["not_modified"] / record["requests"]
            what = f"answers without a body when nothing changed, of all, at {size:,}"
            yield Target(what, 1.0, share, at_least=True)


def _peers(records: Records, phase: str, bound: float) -> Iterator[Target]:
    for (name, its_phase, kind, size, latency), record in records.items():
        is_peer = name not in ("repoledger", "limit")
        if not is_peer or its_phase != phase or size != 10_000 or latency:
            continue
        ours = records.get(("repoledger", phase, kind, size, latency))
        word = "an initial load" if phase == "initial" else "nothing changed"
        what = f"CPU of {name} ({kind}) in times of ours, {word}, at 10,000"
        yield Target(
            what, bound, _ratio(record["cpu"], ours["cpu"] if ours else None), at_least=True
        )


def _startup(startup: Mapping[str, Mapping[str, float]]) -> Iterator[Target]:
    wall = {name: used["wall"] for name, used in startup.items()}
    bare, version = wall.get("python -c pass"), wall.get("repoledger --version")
    yield Target("`repoledger --version`, in times of `python -c pass`", 4.0, _ratio(version, bare))
    repos = wall.get("repoledger repos")
    more = None if repos is None or version is None else 1000 * (repos - version)
    yield Target("`repoledger repos` over `--version`, in ms", 400, more)


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other
