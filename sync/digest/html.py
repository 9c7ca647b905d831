"""A digest as one HTML file, fit for mail. No I/O here.

Nothing is loaded from elsewhere. Programs for mail know neither scripts nor most style sheets, so
that styles stand at the elements; those that know `prefers-color-scheme` show it dark.
"""

from __future__ import annotations

import re
from html import escape

from sync.core.redaction import printable
from sync.digest.digest import Digest
from sync.digest.parts import Line, Part, parts_of, title_of

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
@media (prefers-color-scheme: dark) {{
  body {{ background: #16181d !important; color: #e3e5e8 !important; }}
  a {{ color: #8ab4f8 !important; }}
  h2 {{ color: #a9b0ba !important; }}
  td {{ border-color: #2b2f36 !important; }}
}}
</style>
</head>
<body style="margin: 0; padding: 24px; background: #ffffff; color: #1f2328; \
font: 15px/1.5 -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;">
<div style="max-width: 640px; margin: 0 auto;">
<h1 style="margin: 0 0 16px; font-size: 22px; line-height: 1.3;">{title}</h1>
{parts}
<p style="margin: 32px 0 0; font-size: 13px; color: #6e7781;">Sent by repoledger, \
from a ledger of {number}.</p>
</div>
</body>
</html>
"""
_PART = """<h2 style="margin: 24px 0 4px; font-size: 13px; letter-spacing: .04em; \
text-transform: uppercase; color: #57606a;">{heading}</h2>
<table role="presentation" style="width: 100%; border-collapse: collapse;">
{rows}
</table>"""
_CELL = "padding: 5px 12px 5px 0; border-bottom: 1px solid #e6e8eb; vertical-align: top;"
_NAME = f'<td style="{_CELL} width: 45%; word-break: break-word;">{{name}}</td>'
_TEXT = f'<td style="{_CELL} word-break: break-word;"{{span}}>{{text}}</td>'


def as_html(digest: Digest) -> str:
    """Return a digest as a page of HTML."""
    return _PAGE.format(
        title=escape(title_of(digest)),
        parts="\n".join(map(_part, parts_of(digest))),
        number=f"{digest.repositories:,} repositories",
    )


def _part(part: Part) -> str:
    rows = "\n".join(f"<tr>{_row(line)}</tr>" for line in part.lines)
    return _PART.format(heading=escape(part.heading), rows=rows)


def _row(line: Line) -> str:
    text = _shown(line.text)
    if line.full_name is None:
        return _TEXT.format(span=' colspan="2"', text=text)
    name = _shown(line.full_name)
    if line.html_url and re.fullmatch(r"https?://[^\s\"'<>]+", line.html_url):
        name = f'<a href="{escape(line.html_url)}" style="color: #0969da;">{name}</a>'
    return _NAME.format(name=name) + _TEXT.format(span="", text=text)


def _shown(text: str) -> str:
    """Return text as HTML, kept apart from its surroundings where it is written right to left."""
    return f"<bdi>{escape(printable(text))}</bdi>"
