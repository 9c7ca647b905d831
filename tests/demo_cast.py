"""Records what a terminal shows of the demo, from a clone on, as docs/demo.svg: `make cast`.

It types COMMANDS into a pseudo-terminal of 80 columns, in a new clone of this repository's last
commit, and draws what they print. The drawing rolls as the terminal did; no line takes longer
than a second. It sends nothing anywhere; what `make demo` installs
comes from the package index that pip uses.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

PROJECT = Path(__file__).parents[1]
PICTURE = PROJECT / "docs" / "demo.svg"
COLUMNS, ROWS = 80, 30
ENTER = "cd repoledger-demo && . ./activate"
COMMANDS = (
    "make demo",
    ENTER,
    "repoledger changes --since 60d --kind private --kind removed",
    "repoledger repos --pushed-before 30d --not-archived",
    "repoledger history ada/gravel --since 7d",
)
_SHORTEST, _LONGEST = 0.15, 1.0  # seconds between two lines
_READING = 4.0  # seconds after a command
_WIDE, _HIGH, _EDGE = 8.4, 19.0, 14.0
_COLOURS = {1: "#ff7b72", 2: "#7ee787", 3: "#e3b341", 6: "#76e3ea"}  # by their ANSI numbers


class Line(NamedTuple):
    """A line of the terminal, with the seconds after which it was there; `typed` by the user."""

    at: float
    text: str
    typed: bool = False


def recorded(folder: Path) -> Iterator[Line]:
    """Yield the lines of the terminal while COMMANDS run, one after the other, in a folder."""
    began = time.monotonic()
    entered = ""
    for command in COMMANDS:
        yield Line(time.monotonic() - began, f"$ {command}", typed=True)
        for text in _printed(f"{entered}{command}", folder):
            yield Line(time.monotonic() - began, text)
        if command == ENTER:
            entered = f"{ENTER} && "


def _printed(command: str, folder: Path) -> Iterator[str]:
    sys.stdout.flush()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(folder)
        home = {"HOME": str(folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PAGER": "cat"}
        os.execvpe("sh", ["sh", "-c", command], {"PATH": os.environ["PATH"], **_index(), **home})
    rest = ""
    with os.fdopen(terminal, "rb", buffering=0) as stream:
        while chunk := _read(stream.fileno()):
            *lines, rest = (rest + chunk.decode()).split("\r\n")
            yield from lines
    if rest:
        yield rest
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        sys.exit(f"{command} failed")


def _index() -> dict[str, str]:
    """Return the variables by which pip finds its index."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how a closed terminal ends
        return b""


def paced(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with times at which they can be read."""
    now, before, found = 0.0, 0.0, list[Line]()
    for line in lines:
        now += _READING if line.typed and found else min(max(line.at - before, _SHORTEST), _LONGEST)
        before = line.at
        found.append(line._replace(at=now))
    return found


def drawn(lines: Sequence[Line]) -> str:
    """Return the SVG: all lines on one sheet, which moves up behind a window of ROWS lines."""
    width, height = COLUMNS * _WIDE + 2 * _EDGE, ROWS * _HIGH + 2 * _EDGE
    end = lines[-1].at + 2 * _READING
    steps = [
        f"{100 * line.at / end:.2f}%{{transform:translateY({-_HIGH * (number - ROWS):.0f}px)}}"
        for number, line in enumerate(lines, 1)
        if number > ROWS
    ]
    console = Console(width=COLUMNS, color_system="truecolor", legacy_windows=False)
    texts = "\n".join(
        _line(console, line, _EDGE + _HIGH * (number + 0.75)) for number, line in enumerate(lines)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">
<title>repoledger on a terminal: {escape(", ".join(COMMANDS))}</title>
<style>
text {{ font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #e6edf3;
 white-space: pre }}
.typed {{ font-weight: bold; fill: #79c0ff }} .bold {{ font-weight: bold }} .dim {{ opacity: 0.6 }}
.roll {{ animation: roll {end:.1f}s step-end infinite }}
@media (prefers-reduced-motion: reduce) {{ .roll {{ animation: none }} }}
@keyframes roll {{ 0%{{transform:translateY(0)}} {" ".join(steps)} }}
</style>
<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#0d1117"/>
<svg y="{_EDGE:.0f}" height="{ROWS * _HIGH:.0f}" width="{width:.0f}"><g class="roll"
 transform="translate(0 {-_EDGE:.0f})"><g transform="translate(0 {-_EDGE:.0f})">
{texts}
</g></g></svg>
</svg>
"""


def _line(console: Console, line: Line, y: float) -> str:
    if line.typed:
        return f'<text class="typed" x="{_EDGE:.0f}" y="{y:.1f}">{escape(line.text)}</text>'
    x, runs = _EDGE, list[str]()
    for segment in Text.from_ansi(line.text).render(console):
        wide = cell_len(segment.text) * _WIDE
        if segment.text.strip():
            style = segment.style
            words = [name for name in ("bold", "dim") if style and getattr(style, name)]
            colour = _COLOURS.get(style.color.number or 0) if style and style.color else None
            looks = f' class="{" ".join(words)}"' if words else ""
            looks += f' style="fill:{colour}"' if colour else ""
            runs.append(
                f'<text{looks} x="{x:.1f}" y="{y:.1f}" textLength="{wide:.1f}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(segment.text)}</text>'
            )
        x += wide
    return "".join(runs)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary) / "repoledger"
        subprocess.run(["git", "clone", "--quiet", PROJECT, clone], check=True)
        lines = paced(list(recorded(clone)))
    PICTURE.write_text(drawn(lines), encoding="utf-8")
    print(f"{PICTURE.relative_to(PROJECT)}: {len(lines)} lines")  # noqa: T201  # the result


if __name__ == "__main__":
    main()
