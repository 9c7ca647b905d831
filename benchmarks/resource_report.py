"""The section of docs/performance.md about what repositories have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.targets import Target

REMARKS = Path(__file__).with_name("resource_remarks.md")  # why it is so, by hand
HEADING = "## Traffic, stars, downloads, languages"
_MB = 1_000_000
_PHASES = {"first": "first day", "usual": "usual day", "idle": "idle day"}
_ABOUT = """
Against the stand-in GitHub, in a process of its own, into SQLite:
`python -m benchmarks.resources`. Of the repositories, 30 % have views, 25 % release assets, and
20 % stars, from two years. On a usual day, 4 % are pushed and 4 % have a new star. On an idle day
nothing happens, but the windows of traffic move on. The clocks of both are set by hand, for one
reading a day. Readings of idle repositories are spread over five days (traffic) and seven
(downloads) by hand. Nothing holds requests back, except where the pace is measured. "Quota" are
requests that are not answered by 304. CPU and wall time are those of a run without its listing; the
peak is that of the process.

The model: 2 requests for traffic a day, or every 5 days without any; 2 for popular paths and
referrers with views; 1 for downloads a day, or every 7 days without assets; 1 for stars or
languages after a change. With latency, the first day is loaded without it.
"""
_PEERS = """
`tap-github` reads the streams `traffic_clones`, `traffic_pageviews`, `traffic_referrers`,
`traffic_referral_paths`, `releases` and `languages` of {size:,} repositories, once, and writes
them to a file. repoledger reads the same for the first time, into SQLite. Start-up and listing are
in both. tap-github checks a token at GitHub's own address, so it has none, and the stand-in takes
it for the owner.
"""
_LEFT_OUT = """
- *ghstats* is left out: its source has the address `https://api.github.com`, and no setting for it.
- *github-repo-stats* is left out: it uses PyGithub with its default address, and has no setting for
  it.
"""


def targets(found: Mapping[str, Any]) -> Iterator[Target]:
    """Yield the targets of resources, with their figures as far as they were measured."""
    records = {(r["size"], r["latency"], r["phase"]): r for r in found.get("records", ())}
    for size in (1_000, 10_000):
        record = records.get((size, 0, "usual"))
        what = f"requests for resources on a usual day, in times of the model's, at {size:,}"
        yield Target(what, 1.05, record and record["asked"] / record["model"])
    for size in (1_000, 10_000):
        for phase, word in _PHASES.items():
            record = records.get((size, 0, phase))
            what = f"CPU of a request for resources, {word}, in times of one for an unchanged page"
            ratio = record and record["request_cpu"] / record["listing_cpu"]
            yield Target(f"{what} of the listing, at {size:,}", 1.5, ratio)
    peaks = [
        max((r["memory"] for r in records.values() if r["size"] == size), default=None)
        for size in (100, 10_000)
    ]
    small, large = peaks
    grown = None if small is None or large is None else (large - small) / _MB
    yield Target("peak memory with resources of 10,000 over that of 100, in MB", 25, grown)
    pace = found.get("pace")
    share = pace and pace["a_minute"] / pace["limit"]
    what = "requests a minute with 120 ms latency, of the 900 that GitHub allows"
    yield Target(what, 0.85, share, at_least=True)
    peers = found.get("peers")
    cpu = peers and peers["repoledger"]["cpu"] / peers["tap-github"]["cpu"]
    count = f", at {peers['size']:,}" if peers else ""
    yield Target(f"CPU for the streams that tap-github reads too, of tap-github's{count}", 0.2, cpu)


def section(found: Mapping[str, Any], told: Iterator[str], tables: Any) -> str:
    """Return the section. `told` are the lines of the targets' table; `tables` makes a table."""
    lines = [HEADING, _ABOUT, *told]
    head = ("", "requests", "quota", "model", "rows written", "CPU s", "wall s", "peak MB")
    for size, latency in dict.fromkeys((r["size"], r["latency"]) for r in found["records"]):
        slow = f", {latency * 1000:g} ms latency" if latency else ""
        here = [r for r in found["records"] if (r["size"], r["latency"]) == (size, latency)]
        lines += [f"\n### {size:,} repositories with resources{slow}\n"]
        lines += tables(head, map(_row, here))
    lines += [*_costs(found, tables), *_cycle(found), *_pace(found)]
    if peers := found.get("peers"):
        lines += ["\n### The same streams\n", _PEERS.strip().format(**peers), ""]
        rows = (_peer(name, peers[name]) for name in ("repoledger", "tap-github"))
        lines += tables(("", "CPU s", "wall s", "peak MB", "requests"), rows)
        lines += [_LEFT_OUT.rstrip()]
    lines += ["\n### About these figures\n", REMARKS.read_text("utf-8").rstrip()]
    return "\n".join(lines) + "\n"


def put(page: str, text: str) -> str:
    """Return the page with the section in place of its earlier one, or at its end."""
    before, found, rest = page.partition(HEADING)
    following = rest.find("\n## ")
    after = rest[following:] if found and following >= 0 else ""
    return f"{before.rstrip()}\n\n{text}{after}"


def taken(page: str) -> str | None:
    """Return the section of a page as it is."""
    _, found, rest = page.partition(HEADING)
    end = rest.find("\n## ")
    return f"{found}{rest if end < 0 else rest[:end]}" if found else None


def _row(record: Mapping[str, Any]) -> list[str]:
    model = record.get("model")
    return [
        _PHASES[record["phase"]],
        f"{record['asked']:,}",
        f"{record['paid']:,}",
        f"{model:,.0f}" if model else "",
        f"{record['rows']:,}",
        f"{record['cpu']:.2f}",
        f"{record['wall']:.1f}",
        f"{record['memory'] / _MB:.0f}",
    ]


def _peer(name: str, used: Mapping[str, Any]) -> list[str]:
    seconds = (f"{used[key]:.2f}" for key in ("cpu", "wall"))
    return [name, *seconds, f"{used['memory'] / _MB:.0f}", f"{used['requests']:,}"]


def _costs(found: Mapping[str, Any], tables: Any) -> Iterator[str]:
    """Yield the table of processor time of one request, without the run's own."""
    yield "\n### Processor time of one request, in ms\n"
    yield "Without the cost of a run that requests nothing.\n"
    head = ("", "resource", "unchanged page of the listing", "ratio")
    rows = (
        [
            f"{r['size']:,}, {_PHASES[r['phase']]}",
            *(f"{r[name] * 1e3:.2f}" for name in ("request_cpu", "listing_cpu")),
            f"{r['request_cpu'] / r['listing_cpu']:.2f}",
        ]
        for r in found["records"]
        if not r["latency"] and r["listing_cpu"]
    )
    yield from tables(head, rows)


def _cycle(found: Mapping[str, Any]) -> Iterator[str]:
    if cycle := found.get("cycle"):
        asked = cycle["asked"]
        yield (
            f"\n{len(asked)} usual days in a row, {cycle['size']} repositories, nothing spread by "
            f"hand: {sum(asked) / len(asked):.1f} requests a day, from {min(asked)} to "
            f"{max(asked)}; the model has {cycle['model']:.1f}."
        )


def _pace(found: Mapping[str, Any]) -> Iterator[str]:
    if pace := found.get("pace"):
        yield (
            f"\nWith {pace['latency'] * 1000:g} ms latency and GitHub's {pace['limit']} points a "
            f"minute: {pace['a_minute']:.0f} requests a minute in the second and third minute, "
            f"{pace['refused']} refused. The stand-in counts the points alone. repoledger counts "
            "the whole duration of each answer towards the 90 s of answers that GitHub allows "
            f"a minute, and so allows itself {min(90 / pace['latency'], pace['limit']):.0f}."
        )
