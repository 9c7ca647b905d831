"""Whole numbers in options, refused in words."""

from __future__ import annotations

from typing import Any

import click


class WholeNumber(click.ParamType[int]):
    """A whole number from `least` to `most`."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value)
        except ValueError:
            number = self._least - 1
        if self._least <= number <= self._most:
            return number
        span = f"{self._least} to {self._most}"
        told = f"must be a whole number from {span}, not {str(value)[:40]!r}."
        raise click.BadParameter(told, ctx, param)
