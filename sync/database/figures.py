"""Computed values of a database that have no Python type here."""

from __future__ import annotations


class Figure(str):
    """A date, time, interval or amount in the server's notation, to be shown unescaped."""

    __slots__ = ()
