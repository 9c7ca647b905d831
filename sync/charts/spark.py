"""Values as a row of small bars made of characters. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence

_BARS, _PLAIN = "▁▂▃▄▅▆▇█", "_.:-=+*#"
_UNKNOWN = " "


def sparkline(
    values: Sequence[int | None], width: int, *, from_zero: bool = False, plain: bool = False
) -> str:
    """Return a character for each value, an unknown one blank; the last of some if `width` is less.

    The lowest bar is the smallest value, or with `from_zero` 0. `plain` uses ASCII only.
    """
    bars = _PLAIN if plain else _BARS
    shown = _fewer(values, width)
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = 0 if from_zero else min(known), max(known)
    span = max(high - low, 1)
    return "".join(
        _UNKNOWN if value is None else bars[(value - low) * (len(bars) - 1) // span]
        for value in shown
    )


def _fewer(values: Sequence[int | None], width: int) -> list[int | None]:
    """Return the last value of each of `width` equal parts."""
    count = len(values)
    if count <= width:
        return list(values)
    return [values[(part + 1) * count // width - 1] for part in range(width)]
