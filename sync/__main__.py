"""The command `repoledger`, also `python -m sync`."""

from __future__ import annotations

import io
import sys

from sync import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:  # answered before anything slow is imported
        print(f"repoledger {__version__}")  # noqa: T201  # its one answer
        return
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no emoji still gets text
            stream.reconfigure(errors="backslashreplace")
    try:
        from sync.cli.app import app

        app(prog_name="repoledger")
    except KeyboardInterrupt:  # before a command took over
        sys.exit(130)


if __name__ == "__main__":
    main()
