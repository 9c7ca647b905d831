"""The Dockerfile as its steps, for tests that look at them and for one that takes them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support.process import PROJECT


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def joined(text: str) -> list[str]:
    """Return the lines of `text`, those that end with a backslash joined with the next."""
    return re.sub(r"\\\n\s*", " ", text).splitlines()


def steps() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with its arguments on one line."""
    lines = read(PROJECT / "Dockerfile").splitlines(keepends=True)
    uncommented = "".join(line for line in lines if not line.startswith("#"))
    parts = (line.partition(" ") for line in joined(uncommented) if line)
    return [(instruction, rest.strip()) for instruction, _, rest in parts]


def last(instruction: str) -> str:
    return [rest for name, rest in steps() if name == instruction][-1]


def in_exec_form(text: str) -> list[str]:
    words: list[str] = json.loads(text[text.index("[") :])
    return words


STARTS = [*in_exec_form(last("ENTRYPOINT")), *in_exec_form(last("CMD"))]
CHECKS_HEALTH = in_exec_form(last("HEALTHCHECK"))
