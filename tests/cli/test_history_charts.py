"""The charts of the command history."""

from __future__ import annotations

import io
import os
import re
import sqlite3
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.support.process import (
    on_terminal,
    repoledger,
    repoledger_bytes,
)

pytestmark = pytest.mark.slow

ODD_NAME = r"octo/$\frac$^2_x\x <b>&amp;" + "\x1b[31m\n\x00星🚀"
SVG = "{http://www.w3.org/2000/svg}"


def svg_of(folder: Path, *options: str, **variables: str) -> ElementTree.Element:
    """Return the SVG that the command prints; it must print nothing else."""
    done = repoledger("history", *options, "--format", "svg", cwd=folder, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return ElementTree.fromstring(done.stdout)


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def line_of(svg: ElementTree.Element, counter: str) -> list[tuple[float, float]]:
    """Return the corners of the line that is drawn for a counter."""
    (group,) = svg.findall(f".//{SVG}g[@id='{counter}']")
    path = group.find(f"{SVG}path")
    assert path is not None
    points = path.attrib["d"].replace("M", "").split("L")
    return [(float(x), float(y)) for x, y in (point.split() for point in points)]


def test_a_chart_has_a_title_and_a_step_for_each_change(counted: Path) -> None:
    svg = svg_of(counted, "octo/alpha", "--counter", "stars", MPLBACKEND="no such thing")
    assert texts(svg)[:2] == [
        "octo/alpha-two: 1,530 stars, +130 in 20 days",
        "stars – the axis begins at 1,400, not at 0",
    ]
    assert any(re.fullmatch(r"\d{4}-\d\d-\d\d", text) for text in texts(svg))
    line = line_of(svg, "stars")
    assert len({y for _, y in line}) == 3
    assert all(x == u or y == v for (x, y), (u, v) in pairwise(line))
    assert line[0][1] > line[-1][1]  # more stars are higher up


def test_a_chart_shows_the_stars_or_the_counter_that_is_asked_for(counted: Path) -> None:
    assert texts(svg_of(counted, "octo/alpha-two"))[0].endswith("1,530 stars, +130 in 20 days")
    assert texts(svg_of(counted, "octo/alpha-two", "--counter", "size"))[:2] == [
        "octo/alpha-two: 1,000 size (kB), ±0 in 20 days",
        "size (kB) – the axis begins at 999, not at 0",
    ]


def test_a_chart_says_that_nothing_is_known(counted: Path) -> None:
    assert texts(svg_of(counted, "octo/unknown")).count("no data for these days") == 1
    nothing = svg_of(counted, "octo/beta", "--until", "9d")
    assert texts(nothing).count("no data for these days") == 1


def test_a_chart_is_the_same_bytes_wherever_and_whenever_it_is_drawn(counted: Path) -> None:
    options = ("history", "octo/alpha-two", "--format", "svg")
    first = repoledger(*options, cwd=counted)
    (counted / "matplotlibrc").write_text("axes.facecolor: red\nsvg.fonttype: path\n")
    second = repoledger(*options, cwd=counted, TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1")
    assert first.stdout == second.stdout


def test_a_name_of_formulas_markup_and_control_characters_is_shown_as_it_is(counted: Path) -> None:
    connection = sqlite3.connect(counted / "ledger.db")
    connection.execute("UPDATE repositories SET full_name = ? WHERE name = 'beta'", (ODD_NAME,))
    connection.execute(
        "INSERT INTO repository_changes (run_id, host, repository_id, observed_at, field, "
        "old_value, new_value) SELECT 1, host, id, '2026-01-01', 'full_name', 'octo/odd', "
        "full_name FROM repositories WHERE name = 'beta'"
    )
    connection.commit()
    connection.close()
    shown = r"octo/$\frac$^2_x\x <b>&amp;\x1b[31m\n\x00星🚀"
    assert f"{shown}: 50 stars" in texts(svg_of(counted, "octo/odd"))
    assert repoledger_bytes(counted, "history", "octo/odd", "--format", "png").stderr == b""
    assert f"{shown}: 50 stars\n" in on_terminal("history", "octo/odd", cwd=counted, columns=80)


def test_a_png_goes_into_a_pipe(counted: Path) -> None:
    done = repoledger_bytes(counted, "history", "octo/alpha-two", "--format", "png")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(io.BytesIO(done.stdout)) as image:
        image.load()
        assert image.width > 1000
        assert image.height > 400


@pytest.mark.parametrize("fmt", ["svg", "png"])
def test_a_chart_is_not_thrown_at_a_terminal(counted: Path, fmt: str) -> None:
    options = ("octo/alpha-two", "--format", fmt)
    shown = on_terminal("history", *options, cwd=counted, columns=80)
    assert f"Error: a terminal cannot show {fmt}: add --output FILE, or redirect it\n" in shown
    on_terminal("history", *options, "--output", "chart", cwd=counted, columns=80)
    assert (counted / "chart").stat().st_size > 1000


def test_a_home_that_cannot_be_written_to_makes_no_noise(counted: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    noisy = programs / "fc-list"
    noisy.write_text("#!/bin/sh\necho no writable cache directories >&2\n")
    noisy.chmod(0o755)
    variables = {"HOME": str(file), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    svg_of(counted, "octo/alpha-two", **variables)  # looks at stderr
