"""The command `repoledger`, also `python -m sync`."""

from __future__ import annotations

import io
import os
import sys

from sync import __version__, memory


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.stdout is None or sys.stderr is None:  # started with a closed output
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # open to the end
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    try:
        _run()
    except KeyboardInterrupt:  # before a command took over
        sys.exit(130)
    except OSError as error:  # such as an output that cannot be written
        if not isinstance(error, BrokenPipeError):
            from sync.cli.output import print_error

            print_error(str(error))
        _drop_what_is_left(1)
        sys.exit(1)
    except Exception as error:
        if not memory.is_exhausted(error):
            raise
        print(f"error: {memory.EXHAUSTED}", file=sys.stderr)  # noqa: T201  # nothing else fits
        sys.exit(1)
    finally:
        _give_up_on_stderr()
        memory.leave_the_rest()


def _run() -> None:
    if sys.argv[1:] == ["--version"]:  # answered before anything slow is imported
        print(f"repoledger {__version__}", flush=True)  # noqa: T201  # its one answer
        return
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no emoji still gets text
            stream.reconfigure(errors="backslashreplace")
    memory.keep_one_heap()
    memory.collect_rarely()
    from sync.cli.app import app

    app(prog_name="repoledger")


def _give_up_on_stderr() -> None:
    try:
        sys.stderr.flush()
    except OSError:
        _drop_what_is_left(2)


def _drop_what_is_left(output: int) -> None:
    """Have what cannot be written go nowhere: at exit, Python would fail for it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)


if __name__ == "__main__":
    main()
