"""Charts in files and pipes."""

from __future__ import annotations

import contextlib
import sys
from enum import StrEnum
from pathlib import Path

import click

from sync.charts.picture import Picture, Theme
from sync.cli.formats import ENDINGS, Format
from sync.cli.output_files import replacing


class ChartFormat(StrEnum):
    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"
    svg = "svg"
    png = "png"

    @property
    def is_chart(self) -> bool:
        return self in (ChartFormat.svg, ChartFormat.png)

    @property
    def of_lists(self) -> Format:
        return Format(self.value)


CHART_ENDINGS = {
    **{ending: ChartFormat(fmt.value) for ending, fmt in ENDINGS.items()},
    ".svg": ChartFormat.svg,
    ".png": ChartFormat.png,
}


def require_place(fmt: ChartFormat, file: Path | None) -> None:
    """Raise UsageError if a chart would be shown as characters."""
    if fmt.is_chart and file is None and sys.stdout.isatty():
        raise click.UsageError(f"a terminal cannot show {fmt}: add --output FILE, or redirect it")


def write(picture: Picture, fmt: ChartFormat, theme: Theme, file: Path | None) -> None:
    """Write a picture to a file, or stdout."""
    if fmt is ChartFormat.svg:
        from sync.charts import svg

        content = svg.drawn(picture, theme).encode()
    else:
        from sync.cli import png

        content = png.drawn(picture, theme)
    with replacing(file) if file else contextlib.nullcontext(sys.stdout.buffer) as stream:
        stream.write(content)
