"""Draws docs/imports.svg: the folders of `sync/` on their floors, and the imports between them.

python -m tests.import_picture
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import wrap

import grimp

PROJECT = Path(__file__).parents[1]
FILE = PROJECT / "docs" / "imports.svg"

_WIDTH, _BOX, _HEIGHT, _GAP = 980, 300, 62, 46  # pixels
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
  aria-label="The folders of sync/ and the imports between them">
<style>
  text {{ font: 12px sans-serif; fill: #24292f; }}
  .name {{ font: bold 15px monospace; }}
  rect {{ fill: #f6f8fa; stroke: #8c959f; }}
  path {{ fill: none; stroke: #0969da; stroke-opacity: .45; marker-end: url(#tip); }}
  marker path {{ fill: #0969da; stroke: none; }}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #e6edf3; }} rect {{ fill: #161b22; stroke: #6e7681; }}
    path {{ stroke: #58a6ff; }} marker path {{ fill: #58a6ff; }}
  }}
</style>
<marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto">
  <path d="M0 0 6 3 0 6z"/>
</marker>"""

Floors = list[list[str]]


def floors() -> Floors:
    """Return the floors that import-linter holds true, top first, without single files."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each.get("containers") == ["sync"])
    names = ([name.strip() for name in layer.split("|")] for layer in contract["layers"])
    return [folders for floor in names if (folders := [n for n in floor if _folder(n).is_dir()])]


def imports() -> set[tuple[str, str]]:
    """Return which folder imports from which."""
    graph = grimp.build_graph("sync", cache_dir=None)
    pairs = {
        (_first_level(importer), _first_level(imported))
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }
    return {(importer, imported) for importer, imported in pairs if importer != imported}


def sentence(name: str) -> str:
    """Return what the folder says that it is: the first sentence of its docstring."""
    tree = ast.parse((_folder(name) / "__init__.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")


def render() -> str:
    """Return the picture as SVG."""
    rows = floors()
    places = {
        name: ((_WIDTH * (2 * at + 1)) // (2 * len(row)) - _BOX // 2, level * (_HEIGHT + _GAP) + 8)
        for level, row in enumerate(rows)
        for at, name in enumerate(row)
    }
    height = len(rows) * (_HEIGHT + _GAP) - _GAP + 16
    lines = (_HEAD.format(width=_WIDTH, height=height), *_arrows(places), *_boxes(places), "</svg>")
    return "\n".join(lines) + "\n"


def _arrows(places: dict[str, tuple[int, int]]) -> Iterator[str]:
    for importer, imported in sorted(imports()):
        if importer not in places or imported not in places:
            continue
        (x1, y1), (x2, y2) = places[importer], places[imported]
        # Those that pass by other floors go around them, the longer the wider.
        passed = (y2 - y1) // (_HEIGHT + _GAP) - 1
        side = 1 if (x1 + x2) >= _WIDTH - _BOX else -1
        start, end = x1 + _BOX // 2 + side * 12 * passed, x2 + _BOX // 2 + side * 12 * passed
        bend = side * passed * 46
        yield (
            f'<path d="M{start} {y1 + _HEIGHT} C{start + bend} {y1 + _HEIGHT + _GAP} '
            f'{end + bend} {y2 - _GAP} {end} {y2 - 1}">'
            f"<title>{importer} imports from {imported}</title></path>"
        )


def _boxes(places: dict[str, tuple[int, int]]) -> Iterator[str]:
    for name, (x, y) in places.items():
        yield f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_HEIGHT}" rx="6"/>'
        yield f'<text class="name" x="{x + 10}" y="{y + 20}">{name}/</text>'
        for line, text in enumerate(wrap(sentence(name), 48)[:2]):
            yield f'<text x="{x + 10}" y="{y + 38 + 15 * line}">{escape(text)}</text>'


def _folder(name: str) -> Path:
    return PROJECT / "sync" / name


def _first_level(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
