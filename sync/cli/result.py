"""Where a command's result goes, and how: --format, --json and --output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from sync.cli.formats import BINARY, ENDINGS, Format, format_of
from sync.cli.output_files import as_stdout, replacing

T = TypeVar("T")

output_option = click.option(
    *("-o", "--output", "file"),
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the result to this file, in the format that its name ends with.",
)


@dataclass(frozen=True, slots=True)
class Result:
    """The format of a result, and the file that it goes to; None is stdout."""

    format: Format
    file: Path | None = None

    @property
    def is_table(self) -> bool:
        return self.format is Format.table

    @contextmanager
    def opened(self) -> Iterator[None]:
        """In this block, what is printed to stdout goes to the file, which it replaces at the end.

        If the block fails, an existing file stays as it was. Raises UsageError for a format that
        a terminal cannot show, and ConfigError if a library is missing.
        """
        self.require()
        if self.file is None:
            yield
            return
        with replacing(self.file) as stream, as_stdout(stream):
            yield

    def require(self) -> None:
        """Raise what `opened` does; for a command that does much before it has a result."""
        if self.file is None and self.format in BINARY and sys.stdout.isatty():
            raise click.UsageError(
                f"a terminal cannot show {self.format}: add --output FILE, or redirect it"
            )
        if self.format is Format.xlsx:
            from sync.cli import xlsx

            xlsx.require()
        elif self.format is Format.parquet:
            from sync.cli import parquet

            parquet.require()


def result_options(command: Callable[..., T]) -> Callable[..., T]:
    """Add --output, --format and --json to a command, which gets them as its argument `result`."""

    @output_option
    @click.option(
        *("--format", "fmt"),
        type=click.Choice(Format),
        help="Format of the result. Default: that of FILE's name, or a table.",
    )
    @click.option("--json", is_flag=True, help="Same as --format json.")
    @wraps(command)
    def with_result(
        *arguments: Any, file: Path | None, fmt: Format | None, json: bool, **options: Any
    ) -> T:
        if json and fmt not in (None, Format.json):
            raise click.UsageError(f"--json and --format {fmt} contradict each other")
        chosen = format_of(file, Format.json if json else fmt, ENDINGS, Format.table)
        return command(*arguments, result=Result(chosen, file), **options)

    return with_result
