"""Measures everything, interleaved, and writes the results as JSON: `make bench`.

In each of `repeats` rounds every contender loads into an empty database, runs again with
nothing changed, and again with 1 % changed; the order is turned by one from round to round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from benchmarks import profile, startup
from benchmarks.contenders import CONTENDERS, ROOT, TOKEN, Contender, Place, empty_place
from benchmarks.environments import build, versions
from benchmarks.measuring import Usage, run
from tests.support.servers import KINDS

PHASES = ("initial", "unchanged", "changed")
_MINIMAL = 5


class Served:
    """The server's process, seen from here."""

    def __init__(self, api: str, bytes_each: int) -> None:
        self.api = api
        self.bytes_each = bytes_each

    def set(self, *, changed: bool, latency: float) -> None:
        """Choose what is served and how fast, and begin to count anew."""
        self._ask(f"/-/set?changed={int(changed)}&latency={latency}")

    def counts(self) -> dict[str, int]:
        told: dict[str, int] = self._ask("/-/counts")
        return told

    def _ask(self, path: str) -> Any:
        with urlopen(self.api + path) as answer:  # noqa: S310  # on this machine
            return json.load(answer)


@contextmanager
def serving(count: int) -> Iterator[Served]:
    """Serve so many repositories, from a process of its own, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.server", str(count)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        try:
            yield Served(told["api"], told["object"])
        finally:
            process.stdin.close()  # which ends it


def environment(folder: Path) -> dict[str, str]:
    """Return what contenders find around them: nothing of the caller's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "BENCH_TOKEN": TOKEN,
        "LOGLEVEL": "WARNING",  # tap-github's
        "RUNTIME__DLTHUB_TELEMETRY": "false",  # else dlt reports to its makers
        "RUNTIME__LOG_LEVEL": "WARNING",
    }


def trial(
    contender: Contender, place: Place, served: Served, size: int, latency: float
) -> dict[str, tuple[Usage, dict[str, float]]]:
    """Return what the three runs of a contender used, and what they asked of the server."""
    served.set(changed=False, latency=0)
    contender.prepare(place)
    used = {}
    for phase in PHASES:
        served.set(changed=phase == "changed", latency=latency)
        usage = run(
            contender.commands(place),
            cwd=place.folder,
            env=environment(place.folder),
            log=place.folder / "output.log",
        )
        told: dict[str, float] = {**served.counts()}
        if contender.sync_seconds is not None:
            told["sync"] = contender.sync_seconds(place)
        used[phase] = usage, told
        expected = size, size // 100 if phase == "changed" else 0
        if contender.stored(place) != expected:
            raise RuntimeError(
                f"{contender.name}, {phase}: {contender.stored(place)} instead of {expected}"
            )
    return used


def measure(
    chosen: Sequence[Contender], kind: str, served: Served, size: int, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Yield a record for each contender and phase."""
    for latency in options.latencies:
        rounds: dict[tuple[str, str], list[tuple[Usage, dict[str, float]]]] = {}
        # With latency, what the limit needs is known without measuring.
        here = [c for c in chosen if kind in c.databases and not (latency and c.name == "limit")]
        for number in range(options.repeats):
            turned = [*here[number % len(here) :], *here[: number % len(here)]]
            for contender in turned:
                with empty_place(kind, options.venvs, served.api) as place:
                    for phase, result in trial(contender, place, served, size, latency).items():
                        rounds.setdefault((contender.name, phase), []).append(result)
                print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for (name, phase), results in rounds.items():
            yield _record(name, phase, results) | {
                "database": kind,
                "size": size,
                "latency": latency,
                "rounds": options.repeats,
            }


def _record(
    name: str, phase: str, results: Sequence[tuple[Usage, dict[str, float]]]
) -> dict[str, Any]:
    usages = [usage for usage, _ in results]
    return {
        "contender": name,
        "phase": phase,
        "wall": median(usage.wall for usage in usages),
        "cpu": median(usage.cpu for usage in usages),
        "memory": median(usage.memory for usage in usages),
        "all_cpu": [round(usage.cpu, 3) for usage in usages],
        **{what: median(told[what] for _, told in results) for what in results[-1][1]},
    }


def machine() -> dict[str, Any]:
    """Return what this machine is, without its name."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--latencies", type=float, nargs="+", default=[0, 0.05, 0.2])
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--repeats", type=int, default=_MINIMAL)
    parser.add_argument("--peers", nargs="*", help="parts of names; none for no peers at all")
    parser.add_argument("--peer-size", type=int, default=10_000, help="the most a peer loads")
    parser.add_argument("--venvs", type=Path, default=ROOT / "build" / "bench" / "environments")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench" / "results.json")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Contender]:
    def is_wanted(contender: Contender) -> bool:
        if not contender.is_peer or options.peers is None:
            return True
        return any(part.lower() in contender.name.lower() for part in options.peers)

    return [contender for contender in CONTENDERS if is_wanted(contender)]


def main() -> None:
    options = _arguments()
    chosen = [c for c in _chosen(options) if set(c.databases) & set(options.databases)]
    names = sorted({name for contender in chosen for name in contender.venvs})
    build(options.venvs, names)
    records: list[dict[str, Any]] = []
    results: dict[str, Any] = {"machine": machine(), "versions": versions(options.venvs, names)}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    for size in options.sizes:
        with serving(size) as served:
            results["object_bytes"] = served.bytes_each
            small = [c for c in chosen if not c.is_peer or size <= options.peer_size]
            for kind in options.databases:
                print(f"{size:,} repositories, {kind} ", end="", file=sys.stderr, flush=True)
                records += measure(small, kind, served, size, options)
                results["records"] = records
                options.output.write_text(json.dumps(results, indent=1), encoding="utf-8")
    results["profile"] = profile.measure(
        options.venvs,
        options.databases,
        size=min(max(options.sizes), options.peer_size),
        rounds=options.repeats,
    )
    results["startup"] = startup.measure(options.venvs, rounds=3 * options.repeats)
    options.output.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
