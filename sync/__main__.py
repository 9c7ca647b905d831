"""The command `repoledger`, also `python -m sync`."""

from __future__ import annotations

import os
import sys

from sync import __version__
from sync.core import memory
from sync.core.streams import CUT_OFF, drop_what_is_left, patient_input, patient_output


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.stdout is None or sys.stderr is None:  # started with a closed output
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # open to the end
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    try:
        _run()
    except KeyboardInterrupt:  # before a command took over
        sys.exit(130)
    except Exception as error:
        if memory.is_exhausted(error):
            print(f"error: {memory.EXHAUSTED}", file=sys.stderr)  # noqa: T201  # anything else needs more memory
        elif isinstance(error, OSError):  # such as output that cannot be written
            _tell(error)
        else:
            raise
        sys.exit(CUT_OFF if isinstance(error, BrokenPipeError) else 1)
    finally:
        _give_up_on_stderr()
        memory.skip_exit_collection()


def _run() -> None:
    sys.stdin = patient_input(sys.stdin)
    sys.stdout, sys.stderr = patient_output(sys.stdout), patient_output(sys.stderr)
    if sys.argv[1:] == ["--version"]:  # answered before anything slow is imported
        print(f"repoledger {__version__}", flush=True)  # noqa: T201  # its one answer
        return
    memory.keep_one_heap()
    from sync.cli.main import app

    app(prog_name="repoledger")


def _tell(error: OSError) -> None:
    if not isinstance(error, BrokenPipeError):
        from sync.cli.output import print_error

        print_error(str(error))
    drop_what_is_left(1)


def _give_up_on_stderr() -> None:
    try:
        sys.stderr.flush()
    except OSError:
        drop_what_is_left(2)


if __name__ == "__main__":
    main()
