"""The results as a page and as charts: `python -m benchmarks.report RESULTS.json...`.

Writes docs/performance.md and docs/performance/*.svg, and prints what must be reached. Of the
results of `benchmarks.resources` alone, it writes their section and leaves the rest of the page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from benchmarks import resource_report
from benchmarks.contenders import CONTENDERS, LEFT_OUT, ROOT
from benchmarks.targets import Target, targets

PAGE = ROOT / "docs" / "performance.md"
REMARKS = ROOT / "benchmarks" / "remarks.md"  # why it is so, by hand
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}
_PHASES = {"initial": "initial load", "unchanged": "nothing changed", "changed": "1 % changed"}
_ABOUT = """# Performance

`make bench` measures and writes this page. Every contender loads the same repositories from the
same server on the same machine: full-size objects ({bytes:,} bytes of JSON on average) in pages
of 100, compressed, with ETags and links like GitHub's. The server is a process of its own that
encodes everything beforehand; neither it nor the database server is counted. Each figure is the
median of several rounds, in which all contenders of a table take turns. Compare figures only
within a table: between tables, other programs may have slowed the machine. CPU time is that of
the whole processes, start-up included. No contender uses TLS.
"""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table; all columns but the first are figures."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield "|".join(["", "---", *["---:"] * (len(names) - 1), ""])
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _told(target: Target) -> tuple[str, str, str, str]:
    words = {None: "not measured", True: "yes", False: "**no**"}
    figure = "" if target.figure is None else f"{target.figure:.2f}"
    bound = f"{'≥' if target.at_least else '≤'} {target.bound:g}"
    return target.what, figure, bound, words[target.reached]


def _tables(records: list[Mapping[str, Any]]) -> Iterator[str]:
    place_of = itemgetter("size", "database", "latency")
    kinds = list(_KINDS)
    places = sorted(set(map(place_of, records)), key=lambda p: (p[0], kinds.index(p[1]), p[2]))
    for size, kind, latency in places:
        here = [r for r in records if place_of(r) == (size, kind, latency)]
        title = f"{size:,} repositories, {_KINDS[kind]}"
        rounds = here[0]["rounds"]
        medians = f"Medians of {rounds} rounds" if rounds > 1 else "One round"
        slow = f", {latency * 1000:g} ms latency" if latency else ""
        yield f"\n### {title}{slow}\n\n{medians}.\n"
        figures = [f"{word}: {unit}" for word in _PHASES.values() for unit in ("CPU s", "wall s")]
        rows = []
        for name in dict.fromkeys(r["contender"] for r in here):
            mine = {r["phase"]: r for r in here if r["contender"] == name}
            cells = [f"{mine[p][field]:.2f}" for p in _PHASES for field in ("cpu", "wall")]
            peak = max(r["memory"] for r in mine.values()) / 1e6
            asked = " / ".join(f"{mine[p]['requests']:.0f}" for p in _PHASES)
            label = f"**{name}**" if name == "repoledger" else name
            rows.append([label, *cells, f"{peak:.0f}", asked])
        yield from table(["", *figures, "peak MB", "requests"], rows)


def _growth(growth: Mapping[str, Any]) -> Iterator[str]:
    count, size = growth["repositories"], growth["bytes"]
    yield (
        f"{count:,} repositories in SQLite, each with {growth['days']} days of counters and two "
        f"changes within five years: {size / 1e9:.2f} GB, {size / count:,.0f} bytes a repository. "
        "What commands then take, start-up included:\n"
    )
    rows = ((f"`{name}`", f"{seconds:.2f}") for name, seconds in growth["seconds"].items())
    yield from table(("", "wall s"), rows)


def _profile(profile: Mapping[str, Any]) -> Iterator[str]:
    size = profile["size"]
    yield (
        f"Processor time in ms of {size:,} repositories. To look at the clock for it takes some "
        "itself, which is in it.\n"
    )
    for kind, programs in profile["seconds"].items():
        for name, parts in programs.items():
            yield ""
            rows = [(part, f"{seconds * 1e3:.0f}") for part, seconds in parts.items()]
            total = sum(parts.values()) * 1e3
            yield from table(
                (f"{name}, {_KINDS[kind]}", "ms"), [*rows, ("**all**", f"{total:.0f}")]
            )
    yield f"\n{REMARKS.read_text('utf-8').strip()}"


def _machine(results: Mapping[str, Any]) -> Iterator[str]:
    it = results["machine"]
    yield (
        f"{it['cores']} cores ({it['cpu']}), {it['memory_gib']} GiB, {it['system']}, "
        f"Python {it['python']}.\n"
    )
    for name, packages in results["versions"].items():
        told = ", ".join(f"{package} {version}" for package, version in sorted(packages.items()))
        yield f"- {name}: {told}"


def page(results: Mapping[str, Any], charts: Iterable[tuple[str, str]]) -> str:
    """Return the page. `charts` are titles and files."""
    records = results["records"]
    measured = {r["contender"] for r in records}
    lines = [_ABOUT.format(bytes=results["object_bytes"])]
    lines += ["## Targets\n"]
    lines += table(["", "is", "must be", "reached"], map(_told, targets(results)))
    lines += ["\n## Figures", *(f"\n![{title}](performance/{file})" for title, file in charts)]
    lines += _tables(records)
    if startup := results.get("startup"):
        lines += ["\n### Start-up\n"]
        lines += table(
            ["", "wall ms", "CPU ms"],
            (
                [f"`{name}`", f"{used['wall'] * 1e3:.0f}", f"{used['cpu'] * 1e3:.0f}"]
                for name, used in startup.items()
            ),
        )
    if growth := results.get("growth"):
        lines += ["\n### A ledger of five years\n", *_growth(growth)]
    if profile := results.get("profile"):
        lines += ["\n## Where the time of an initial load goes\n", *_profile(profile)]
    lines += ["\n## Settings\n"]
    lines += [f"- **{c.name}**: {c.settings}." for c in CONTENDERS if c.name in measured]
    lines += [f"- *{name}* is left out: {reason}." for name, reason in LEFT_OUT.items()]
    lines += ["\n## Machine and versions\n", *_machine(results)]
    return "\n".join(lines) + "\n"


def _resources(results: Mapping[str, Any]) -> str | None:
    """Return the section about resources, if they were measured."""
    if (found := results.get("resources")) is None:
        return None
    lines = table(["", "is", "must be", "reached"], map(_told, resource_report.targets(found)))
    return resource_report.section(found, lines, table)


def _merged(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the results of several runs as one; of what was measured twice, the last counts."""
    records = {
        tuple(r[k] for k in ("contender", "phase", "database", "size", "latency")): r
        for run in runs
        for r in run.get("records", ())
    }
    packages = {name: found for run in runs for name, found in run.get("versions", {}).items()}
    rest = {name: value for run in runs for name, value in run.items()}
    return rest | {"records": list(records.values()), "versions": packages}


def main() -> None:
    results = _merged([json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:]])
    before = PAGE.read_text("utf-8")
    whole, told_of = before, list(resource_report.targets(results.get("resources", {})))
    if results["records"]:
        from benchmarks.charts import draw

        whole = page(results, draw(results["records"], PAGE.parent / "performance"))
        told_of = [*targets(results), *told_of]
    if text := _resources(results) or resource_report.taken(before):
        whole = resource_report.put(whole, text)
    PAGE.write_text(whole, "utf-8")
    print("\n".join(_tables(results["records"])), "\n")
    for told in map(_told, told_of):
        print(
            "  ".join((told[3].strip("*").ljust(12), told[1].rjust(8), told[2].ljust(8), told[0]))
        )


if __name__ == "__main__":
    main()
