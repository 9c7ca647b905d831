"""Charts of CPU time: how many times as long as the limit, by contender and by size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_PHASES = {"initial": "initial load", "unchanged": "nothing changed", "changed": "1 % changed"}
_COLORS = {"initial": "#2563a8", "unchanged": "#5da271", "changed": "#d9903d"}
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}
Records = Sequence[Mapping[str, Any]]


def draw(records: Records, folder: Path) -> list[tuple[str, str]]:
    """Draw what was measured into `folder`; return each chart's title and file."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same figures give the same file.
    mpl.rcParams.update({"svg.hashsalt": "repoledger", "svg.fonttype": "none", "font.size": 9})
    folder.mkdir(exist_ok=True)
    return [*_by_contender(records, folder), *_by_size(records, folder)]


def _by_contender(records: Records, folder: Path) -> Iterator[tuple[str, str]]:
    """One chart a database, of the largest size at which peers were measured."""
    for kind, title in _KINDS.items():
        here = [r for r in records if r["database"] == kind and not r["latency"]]
        peers = [r["size"] for r in here if r["contender"] not in ("repoledger", "limit")]
        size = max(peers or [r["size"] for r in here], default=None)
        if size is None:
            continue
        found = {(r["contender"], r["phase"]): r["cpu"] for r in here if r["size"] == size}
        names = sorted({name for name, _ in found}, key=lambda name: -found[name, "initial"])
        what = f"CPU seconds, {size:,} repositories, {title}"
        yield _bars(found, names, what, folder / f"{kind}.svg")


def _bars(
    found: Mapping[tuple[str, str], float], names: Sequence[str], title: str, file: Path
) -> tuple[str, str]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.75 + 0.5 * len(names)), layout="constrained")
    axes = figure.subplots()
    for offset, (phase, label) in enumerate(_PHASES.items()):
        places = [at + 0.26 * (1 - offset) for at in range(len(names))]
        lengths = [found[name, phase] for name in names]
        bars = axes.barh(places, lengths, 0.24, color=_COLORS[phase], label=label)
        axes.bar_label(bars, fmt="%.2g", padding=2, fontsize=7)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_title(title)
    axes.legend(loc="upper right")
    figure.savefig(file, format="svg", metadata={"Date": None})
    return title, file.name


def _by_size(records: Records, folder: Path) -> Iterator[tuple[str, str]]:
    """CPU and memory against the number of repositories, if there are several sizes."""
    from matplotlib.figure import Figure

    here = [
        r
        for r in records
        if r["contender"] == "repoledger" and r["database"] == "sqlite" and not r["latency"]
    ]
    sizes = sorted({r["size"] for r in here})
    if len(sizes) < 2:
        return
    title = "CPU and peak memory of repoledger by the number of repositories, SQLite"
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, field, unit, scale in ((left, "cpu", "CPU seconds", 1), (right, "memory", "MB", 1e6)):
        for phase, label in _PHASES.items():
            found = {r["size"]: r[field] / scale for r in here if r["phase"] == phase}
            axes.plot(sizes, [found[s] for s in sizes], "o-", color=_COLORS[phase], label=label)
        axes.set_xscale("log")
        axes.set_ylabel(unit)
        axes.set_xlabel("repositories")
    left.set_yscale("log")
    right.set_ylim(bottom=0)
    left.legend()
    figure.savefig(folder / "growth.svg", format="svg", metadata={"Date": None})
    yield title, "growth.svg"
