"""Writes docs/api.md from the signatures and docstrings of what `sync` promises.

python -m tests.api_page
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import sync
from tests.support.inside.core import errors

FILE = Path(__file__).parents[1] / "docs" / "api.md"

GROUPS = {
    "Clients": ("RestClient", "GitHubClient", "Response", "RetryPolicy", "Limits"),
    "Signing in": (
        "NoAuth",
        "BasicAuth",
        "BearerAuth",
        "HeaderAuth",
        "QueryAuth",
        "CookieAuth",
        "ClientCredentials",
        "RefreshToken",
        "OAuth1Auth",
        "RenewingAuth",
        "Token",
    ),
    "Signing in to GitHub": (
        "AppAuth",
        "InstallationAuth",
        "Installation",
        "DeviceFlow",
        "DeviceCode",
        "Granted",
    ),
    "What GitHub answers": (
        "Identity",
        "RateLimit",
        "User",
        "Repository",
        "Page",
        "Item",
        "Rejected",
        "CachedPage",
    ),
}

CLOSED = {"Limits", "Installation"}  # to be handed on, not to be used
# For the program's own parts, and not promised.
INTERNAL = {
    "children",
    "first_page",
    "in_background",
    "paced",
    "quota_host",
    "repository_by_id",
    "require_running",
    "wait_for_limit",
}

INTRODUCTION = """\
# The library

Every public name of `from sync import …`. `python -m tests.api_page` writes this page from the
docstrings, and a test fails if it is stale. [CONTRIBUTING.md](../CONTRIBUTING.md) explains which
names are public and how one is removed; [rest-client.md](rest-client.md) is the place to start.

```python
from sync import GitHubClient

with GitHubClient(token="...") as client:
    for page in client.repository_pages():
        for item in page.items:
            print(item.record.full_name, item.record.stargazers_count)
```

On this page, a `Clock` is a function that returns the present time in UTC, and msgspec's `UNSET` is
the value of a field that an answer leaves out. All times are `datetime`s in UTC. `stop` is a
`threading.Event`.
"""


class Part(NamedTuple):
    """A class or one of its methods: what is called, what is said of it."""

    title: str
    parameters: dict[str, str]  # name -> annotation
    text: str


class Section(NamedTuple):
    name: str
    parts: list[Part]
    fields: dict[str, str]
    bases: tuple[str, ...]


def sections() -> Iterator[Section]:
    for name in (name for names in GROUPS.values() for name in names):
        yield section(name, getattr(sync, name))


def section(name: str, kind: type) -> Section:
    own = list(own_classes(kind))
    described = [kind, *(each for each in own if each.__name__.startswith("_"))]
    texts = [inspect.cleandoc(vars(each).get("__doc__") or "") for each in described]
    record = hasattr(kind, "__struct_fields__") or is_plain(kind)
    signature = inspect.Signature() if record else inspect.signature(kind)
    parameters = annotations_of(signature)
    title = name if record else f"{name}{shown(signature)}"
    whole = Part(title, parameters, "\n\n".join(filter(None, texts)))
    bases = tuple(each.__name__ for each in kind.__mro__[1:] if is_promised(each))
    seen = [] if name in CLOSED else own
    methods = [part for each in seen for part in methods_of(name, each)]
    unique = {part.title.partition("(")[0]: part for part in reversed(methods)}
    return Section(
        name, [whole, *sorted(unique.values())], fields_of(kind) if record else {}, bases
    )


def is_plain(kind: type) -> bool:
    """Whether it is a value that is read, not made by hand."""
    return hasattr(kind, "__dataclass_fields__") and kind is not sync.RetryPolicy


def is_promised(kind: type) -> bool:
    return kind.__name__ in sync.__all__ and getattr(sync, kind.__name__) is kind


def own_classes(kind: type) -> Iterator[type]:
    """Yield the class, and those it comes from that have no section of their own."""
    yield kind
    for base in kind.__mro__[1:]:
        if is_promised(base):
            return
        if base.__module__.startswith("sync."):
            yield base


def methods_of(name: str, kind: type) -> Iterator[Part]:
    for method, value in vars(kind).items():
        if method.startswith("_") or method in INTERNAL:
            continue
        if isinstance(value, property):
            text = inspect.getdoc(value)
            if text:
                yield Part(f"{name}.{method}", {}, text)
        elif inspect.isfunction(value):
            text = inspect.cleandoc(value.__doc__ or "")
            if text:
                signature = inspect.signature(value)
                yield Part(f"{name}.{method}{shown(signature)}", annotations_of(signature), text)


def annotations_of(signature: inspect.Signature) -> dict[str, str]:
    return {
        each.name: str(each.annotation)
        for each in signature.parameters.values()
        if each.name != "self" and each.kind is not each.VAR_KEYWORD
    }


def fields_of(kind: Any) -> dict[str, str]:
    names = getattr(kind, "__struct_fields__", None) or kind.__dataclass_fields__
    return {name: str(kind.__annotations__[name]) for name in names}


def shown(signature: inspect.Signature) -> str:
    """Return a signature as it is written."""
    told: list[str] = []
    star = False
    for each in signature.parameters.values():
        if each.name == "self":
            continue
        if each.kind is each.KEYWORD_ONLY and not star:
            told.append("*")
            star = True
        stars = {"VAR_KEYWORD": "**", "VAR_POSITIONAL": "*"}
        prefix = stars.get(each.kind.name, "")
        default = "" if each.default is each.empty else f" = {default_of(each.default)}"
        told.append(f"{prefix}{each.name}: {each.annotation}{default}")
    returns = signature.return_annotation
    suffix = "" if returns in (signature.empty, None, "None") else f" -> {returns}"
    line = f"({', '.join(told)}){suffix}"
    if len(line) < 80:
        return line
    return "(\n" + "".join(f"    {each},\n" for each in told) + f"){suffix}"


def default_of(value: object) -> str:
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    if isinstance(value, sync.RetryPolicy):
        return f"RetryPolicy(attempts={value.attempts}, methods={default_of(value.methods)})"
    if callable(value):
        return str(getattr(value, "__name__", value))
    return "UNSET" if value is msgspec.UNSET else repr(value)


def tree() -> str:
    """Return the tree of errors, as the docstring draws it."""
    drawn = inspect.getdoc(errors) or ""
    lines = drawn.splitlines()
    first = next(n for n, line in enumerate(lines) if line.strip() == "RepoledgerError")
    last = max(n for n, line in enumerate(lines) if "──" in line)
    return inspect.cleandoc("\n".join(["", *lines[first : last + 1]]))


def render() -> str:
    by_name = {each.name: each for each in sections()}
    out = [INTRODUCTION]
    for group, names in GROUPS.items():
        out.append(f"# {group}\n")
        out += [rendered(by_name[name]) for name in names]
    out.append("# Errors\n\n## `errors`\n\n" + error_text())
    return "\n".join(out)


def rendered(each: Section) -> str:
    whole, *methods = each.parts
    lines = [f"## `{each.name}`\n"]
    if not each.fields:
        lines.append(f"```python\n{whole.title}\n```\n")
    lines.append(f"{whole.text}\n")
    if each.bases:
        lines.append(f"Besides, all that {', '.join(f'`{base}`' for base in each.bases)} has.\n")
    if each.fields:
        told = "\n".join(f"{name}: {kind}" for name, kind in each.fields.items())
        lines.append(f"```python\n{told}\n```\n")
    lines += [f"```python\n{method.title}\n```\n\n{method.text}\n" for method in methods]
    return "\n".join(lines)


def error_text() -> str:
    lines = [
        "`from sync import errors`. Everything that is raised on purpose is one of these, and its",
        "text is for people. A client raises `RestError`s, `ConfigError` for what it is given, and",
        f"`Interrupted`.\n\n```text\n{tree()}\n```\n",
    ]
    lines += [f"- `errors.{kind.__name__}`: {doc(kind)}" for kind in promised_errors()]
    return "\n".join(lines) + "\n"


def doc(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def promised_errors() -> list[type]:
    """Return the errors that a client may raise, in the order of the tree."""
    wanted: Callable[[type], bool] = lambda kind: issubclass(  # noqa: E731
        kind, (errors.RestError, errors.ConfigError, errors.Interrupted)
    )
    names = re.findall(r"\b[A-Z]\w+(?=\s|$)", tree())
    kinds = [vars(errors)[name] for name in dict.fromkeys(names) if name in vars(errors)]
    return [kind for kind in kinds if kind is errors.RepoledgerError or wanted(kind)]


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
