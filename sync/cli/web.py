"""Pages in the user's browser."""

from __future__ import annotations

import contextlib

from sync.cli import output
from sync.core.errors import ConfigError


def open_page(url: str | None) -> None:
    """Open a page in the browser; where there is none, print its address.

    Raises ConfigError for anything but the address of a page.
    """
    import webbrowser

    if url is None or not url.startswith(("https://", "http://")):
        raise ConfigError("the ledger does not know the address of its page")
    opened = False
    with contextlib.suppress(webbrowser.Error, OSError):
        opened = webbrowser.open(url)
    output.say(f"Opened {url} in your browser." if opened else url)
