"""A digest as plain text and as Markdown. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from sync.core.redaction import printable
from sync.digest.digest import Digest
from sync.digest.parts import Line, parts_of, title_of

# What begins or ends a span, a link, a table or HTML.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&-])")


def as_text(digest: Digest) -> str:
    """Return a digest as lines of plain text, for a terminal or a mail."""
    return "".join(f"{line}\n" for line in _lines(digest))


def _lines(digest: Digest) -> Iterator[str]:
    title = title_of(digest)
    yield title
    yield "=" * cell_len(title)
    for part in parts_of(digest):
        yield ""
        yield part.heading
        names = [printable(line.full_name or "") for line in part.lines]
        width = max(map(cell_len, names), default=0)
        for line, name in zip(part.lines, names, strict=True):
            space = f"{name}{' ' * (width - cell_len(name))}  " if name else ""
            yield f"  {space}{printable(line.text)}"


def as_markdown(digest: Digest) -> str:
    """Return a digest as Markdown, as GitHub, Slack's imports and editors read it."""
    parts = [f"# {title_of(digest)}\n"]
    for part in parts_of(digest):
        lines = "".join(f"- {_markdown(line)}\n" for line in part.lines)
        parts.append(f"## {part.heading}\n\n{lines}")
    return "\n".join(parts)


def _markdown(line: Line) -> str:
    text = _escaped(line.text)
    if line.full_name is None:
        return text
    name = _escaped(line.full_name)
    return f"[{name}]({line.html_url}): {text}" if _is_plain(line.html_url) else f"{name}: {text}"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", printable(text))


def _is_plain(url: str | None) -> bool:
    return url is not None and re.fullmatch(r"https?://[A-Za-z0-9._~:/%-]+", url) is not None
