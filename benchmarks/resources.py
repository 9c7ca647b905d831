"""What the resources of repositories cost: `python -m benchmarks.resources`.

For each size and latency: the first day, a usual day and an idle day, each by a process of its own,
against the stand-in in another one. Besides: the pace of a minute, the requests of five weeks, and
tap-github with the same streams. Writes build/bench/resources.json for `benchmarks.report`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.environments import build, versions
from benchmarks.measuring import Usage, run
from benchmarks.resource_ledger import IDLE_DAYS, Ledger, Served, serving
from benchmarks.resource_server import OWNER, SHARES
from benchmarks.run import environment, machine

# What tap-github reads, and the same as resources of repoledger.
STREAMS = (
    *("traffic_clones", "traffic_pageviews", "traffic_referrers", "traffic_referral_paths"),
    *("releases", "languages"),
)
SAME = ("traffic", "traffic_popular", "downloads", "languages")
# GitHub's points of a minute; the first minute, in which nothing holds back yet, does not count.
_PACE_POINTS, _PACE_DELAY, _PACED_SECONDS, _BEGINNING = 900, 0.12, 185.0, 60.0
_AGAIN = 4  # runs without work, and listings of unchanged pages
_ENOUGH = 10  # requests of a run, to tell what one of them costs
_CYCLE_DAYS, _CYCLE_SIZE = 35, 100


def model(count: int, *, usual: bool) -> float:
    """Return the requests of a day by the cost model: idle traffic every 5 days, else daily.

    Downloads daily with assets, else every 7 days; stars and languages after a change.
    """
    viewed, assets = SHARES["viewed"] / 100, SHARES["released"] / 100
    changed = (SHARES["pushed"] + SHARES["starred"]) / 100 if usual else 0.0
    traffic = 2 * (viewed + (1 - viewed) / IDLE_DAYS["traffic"])
    downloads = assets + (1 - assets) / IDLE_DAYS["downloads"]
    return count * (traffic + 2 * viewed + downloads + changed)


def _record(phase: str, told: list[dict[str, Any]], used: Usage) -> dict[str, Any]:
    """Return what a day cost. All listings but the first found every page unchanged.

    The cost of a request is without that of the run, which one without any work shows.
    """
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for each in told:
        by_kind.setdefault(each["what"], []).append(each)
    (loaded,) = by_kind["resources"]
    return {
        "phase": phase,
        **{name: loaded[name] for name in ("asked", "rows", "by_resource", "cpu", "wall")},
        "paid": loaded["asked"] - loaded["not_modified"],
        "process_cpu": used.cpu,
        "memory": used.memory,
        "request_cpu": _of_one([loaded], by_kind["nothing"]),
        "listing_cpu": _of_one(by_kind["listing"][1:], by_kind["nothing"]),
    }


def _of_one(runs: Sequence[dict[str, Any]], idle: Sequence[dict[str, Any]]) -> float | None:
    """Return the processor time of a request of these runs; None if they have too few of them."""
    cpu, requests = (mean(r[key] for r in runs) for key in ("cpu", "requests"))
    less_cpu, less = (mean(r[key] for r in idle) for key in ("cpu", "requests"))
    return (cpu - less_cpu) / (requests - less) if requests - less >= _ENOUGH else None


def _checked(counts: dict[str, Any]) -> None:
    """Raise RuntimeError if the server refused a request, or counts another quota."""
    paid = counts["requests"] - counts["not_modified"]
    if counts["failed"] or counts["quota"] != paid:
        raise RuntimeError(f"{counts['failed']} failed, {counts['quota']} of {paid} paid")


def days(served: Served, size: int, latency: float) -> Iterator[dict[str, Any]]:
    """Yield what the first day, a usual day and an idle day cost.

    With latency, the first day is loaded without it, and is not a result: its wall time follows
    from the number of requests.
    """
    with TemporaryDirectory() as name:
        ledger = Ledger(Path(name), served)
        served.turn()
        runs = [*["nothing"] * _AGAIN, "listing", *["listing"] * _AGAIN, "resources"]
        first = _record("first", *ledger.run(runs))
        _checked(served.turn(days=1, usual=True, delay=latency))
        if not latency:
            yield first
        ledger.spread_idle()
        for phase in ("usual", "idle"):
            record = _record(phase, *ledger.run(runs))
            _checked(served.turn(days=1, delay=latency))
            yield record | {"model": model(size, usual=phase == "usual")}


def cycle(served: Served) -> list[int]:
    """Return the requests of each day after the first, for five weeks of usual days.

    After them, what is idle has been read equally often in weeks of five and of seven days.
    """
    with TemporaryDirectory() as name:
        ledger, asked = Ledger(Path(name), served), []
        for _ in range(2 + _CYCLE_DAYS):
            told, _ = ledger.run(["listing", "resources"])
            _checked(served.turn(days=1, usual=True))
            asked.append(told[-1]["asked"])
    return asked[2:]  # idle from the second day on


def pace(served: Served) -> dict[str, Any]:
    """Return the requests of two minutes, after the first one, with 120 ms latency."""
    with TemporaryDirectory() as name:
        ledger = Ledger(Path(name), served)
        ledger.run(["listing"])
        served.turn(delay=_PACE_DELAY, points=_PACE_POINTS)
        ledger.run(["resources"], seconds=_PACED_SECONDS)
        counts = served.turn()
    times = counts["times"]
    until = _BEGINNING + 2 * 60
    inside = sum(_BEGINNING <= at - times[0] < until for at in times)
    return {
        "latency": _PACE_DELAY,
        "a_minute": inside / 2,
        "limit": _PACE_POINTS,
        "refused": counts["failed"],
    }


def same_streams(served: Served, venvs: Path) -> dict[str, Any]:
    """Return what repoledger and tap-github use for the same streams of all repositories."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        ledger = Ledger(folder, served)
        served.turn()
        _, ours = ledger.run(["listing", "resources"], SAME)
        mine = served.turn()
        _checked(mine)
        theirs = _tap(folder, served, venvs)
        counts = served.turn()
        _checked(counts)
        lines = (folder / "tap.log").read_text("utf-8").splitlines()
    records = sum('"type":"RECORD"' in line.replace(" ", "")[:40] for line in lines)
    return {
        "repoledger": {**ours._asdict(), "requests": mine["requests"]},
        "tap-github": {**theirs._asdict(), "requests": counts["requests"], "records": records},
    }


def _tap(folder: Path, served: Served, venvs: Path) -> Usage:
    """Have tap-github write the streams to a file."""
    config = {"organizations": [OWNER], "api_url_base": served.api, "metrics_log_level": "warning"}
    (folder / "tap.json").write_text(json.dumps(config), encoding="utf-8")
    program = [str(venvs / "tap-github" / "bin" / "tap-github"), "--config", "tap.json"]
    env = environment(folder)
    told = subprocess.run(
        [*program, "--discover"], cwd=folder, env=env, check=True, capture_output=True
    )
    catalog = json.loads(told.stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["stream"] in STREAMS
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    command = [*program, "--catalog", "catalog.json"]
    return run([command], cwd=folder, env=env, log=folder / "tap.log")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--latencies", type=float, nargs="+", default=[0, 0.12])
    parser.add_argument("--slow-size", type=int, default=1_000, help="the most with latency")
    parser.add_argument("--peer-size", type=int, default=1_000, help="what tap-github reads")
    parser.add_argument("--without", nargs="*", default=[], choices=["cycle", "pace", "peers"])
    parser.add_argument("--venvs", type=Path, default=ROOT / "build" / "bench" / "environments")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench" / "resources.json")
    return parser.parse_args()


def _note(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)


def main() -> None:
    options = _arguments()
    records: list[dict[str, Any]] = []
    found: dict[str, Any] = {"records": records, "machine": machine()}

    def keep() -> None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps({"resources": found}, indent=1), encoding="utf-8")

    for size in options.sizes:
        for latency in options.latencies:
            if latency and size > options.slow_size:
                continue
            _note(f"{size:,} repositories, {latency * 1000:g} ms")
            with serving(size) as served:
                for record in days(served, size, latency):
                    records.append({"size": size, "latency": latency, **record})
                    keep()
    if "peers" not in options.without:
        _note("tap-github")
        build(options.venvs, ["tap-github"])
        with serving(options.peer_size) as served:
            found["peers"] = same_streams(served, options.venvs) | {"size": options.peer_size}
        found["versions"] = versions(options.venvs, ["tap-github"])
    if "cycle" not in options.without:
        _note(f"{_CYCLE_DAYS} days")
        with serving(_CYCLE_SIZE) as served:
            asked = cycle(served)
        usual = model(_CYCLE_SIZE, usual=True)
        found["cycle"] = {"size": _CYCLE_SIZE, "asked": asked, "model": usual}
    if "pace" not in options.without:
        _note("the pace of a minute")
        with serving(1_000) as served:
            found["pace"] = pace(served)
    keep()


if __name__ == "__main__":
    main()
