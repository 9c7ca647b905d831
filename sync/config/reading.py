"""Turns nested tables into frozen structs, and collects every problem on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from sync.errors import ConfigError
from sync.redaction import holds_token, protect, scrub

S = TypeVar("S", bound=msgspec.Struct)

PREFIX = "REPOLEDGER_"
_LONGEST_SECRET = 64 * 1024  # bytes
_INDEX = re.compile(r"[0-9]{1,6}")


class FromEnvironment(str):
    """Text that came from an environment variable: numbers and lists are written as text there."""

    __slots__ = ("variable",)
    variable: str


class Reader:
    """Builds structs from tables; `problems` gathers what is wrong, in order."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def complain(self, key: str, problem: str, value: Any = None) -> None:
        """Add a problem of `key`, naming the file or variable that it came from."""
        source = value.variable if isinstance(value, FromEnvironment) else self.source
        # Scrubbed: a key or a name may be a token that was pasted to the wrong place.
        self.problems.append(
            scrub(f"{source}: {key}: {problem}" if key else f"{source}: {problem}")
        )

    def build(self, kind: type[S], table: Any, where: str) -> S | None:
        """Return a `kind` made of `table`, or None after complaining about it."""
        if not isinstance(table, Mapping):
            self.complain(where, "must be a table of keys", table)
            return None
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        for key in table:
            if key not in fields:
                self._complain_unknown(key, fields, where, table[key])
        hints = get_type_hints(kind, include_extras=True)
        values = {}
        complete = True
        for name, field in fields.items():
            key = f"{where}.{name}"
            if name in table:
                try:
                    values[name] = _convert(table[name], hints[name])
                except msgspec.ValidationError as error:
                    self.complain(key, _wording(error, hints[name]), table[name])
                    complete = False
                    continue
                if isinstance(table[name], str) and holds_token(table[name]):
                    advice = _description(hints[name]) or "something else"
                    self.complain(key, f"must be {advice}, not a token itself", table[name])
                    complete = False
            elif field.required:
                self.complain(key, "is missing")
                complete = False
        return kind(**values) if complete else None

    def _complain_unknown(self, key: str, known: Mapping[str, Any], where: str, value: Any) -> None:
        if key in ("token", "password", "secret"):
            advice = "a secret does not belong in the configuration; use token_env or token_file"
            self.complain(f"{where}.{key}", advice, value)
            return
        self.complain(f"{where}.{key}", f"unknown key{suggestion(key, known)}", value)


def read_text(file: Path, *, limit: int) -> str:
    """Return a file's UTF-8 text, of at most `limit` bytes. Raises OSError, ValueError.

    Never read whole: a wrong path may name a device that does not end.
    """
    with file.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is longer than {limit // 1024} KiB")
    return content.decode("utf-8-sig")


def suggestion(name: str, known: Any) -> str:
    """Return `; did you mean X?` for the nearest known name, or the choice there is."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"


def overlay(table: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return `table` with the values of `REPOLEDGER_SECTION__KEY` variables put over it.

    A number is an index into a list; those beyond its end add to it, in order.
    """
    result: dict[str, Any] = _copied(table)
    added: dict[tuple[int, str], int] = {}
    for variable, path in _variables(environ):
        value = FromEnvironment(environ[variable])
        value.variable = variable
        target: Any = result
        for step, following in pairwise(path):
            place = _place(target, step, added)
            if not isinstance(target[place], (dict, list)):
                target[place] = [] if _INDEX.fullmatch(following) else {}
            target = target[place]
        target[_place(target, path[-1], added)] = value
    return result


def _place(target: Any, step: str, added: dict[tuple[int, str], int]) -> Any:
    """Return the key or index that `step` means in `target`, where there is something then."""
    if isinstance(target, dict):
        target.setdefault(step, None)
        return step
    index = int(step) if _INDEX.fullmatch(step) else len(target)
    index = added.setdefault((id(target), step), min(index, len(target)))
    if index == len(target):
        target.append(None)
    return index


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    found = []
    for variable in environ:
        if not variable.startswith(PREFIX):
            continue
        path = variable.removeprefix(PREFIX).lower().split("__")
        # Others set names like REPOLEDGER_PORT too (Kubernetes does for a service
        # called repoledger): without the double underscore it is not ours.
        if len(path) > 1:
            found.append((variable, path))
    # Indexes in the order of numbers: 2 before 10.
    yield from sorted(
        found, key=lambda item: [(int(s) if _INDEX.fullmatch(s) else -1, s) for s in item[1]]
    )


def _convert(value: Any, kind: Any) -> Any:
    from_environment = isinstance(value, FromEnvironment)
    if from_environment:
        value = str(value)
        origin = getattr(getattr(kind, "__origin__", kind), "__origin__", None)
        if origin is tuple:
            value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=not from_environment, dec_hook=_parse)
    except UnicodeEncodeError:  # a variable whose bytes are no UTF-8, where a number is meant
        raise msgspec.ValidationError("must be text in UTF-8") from None


def _parse(kind: type[Any], value: Any) -> Any:
    return kind.parse(value)


def _wording(error: msgspec.ValidationError, hint: Any) -> str:
    """Return what would be right: the value's own words, or the field's description."""
    if isinstance(error.__cause__, ValueError):
        return str(error.__cause__)
    description = _description(hint)
    if description:
        return f"must be {description}"
    return str(error).partition(" - at ")[0].lower().replace("`", "")


def _description(hint: Any) -> str | None:
    """Return the description of a field's type, or of one that it is a union of."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            return meta.description
    found = (_description(part) for part in get_args(hint) if part is not hint)
    return next((text for text in found if text), None)


def secret_in(file: str, what: str) -> str:
    """Return what a file holds that is a secret. Raises ConfigError, which never shows it."""
    secret, reason = "", None
    try:
        secret = read_text(Path(file), limit=_LONGEST_SECRET)
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not text"
    except ValueError as error:
        reason = str(error)
    if reason is not None:  # raised outside of the handler: the original holds the content
        raise ConfigError(f"{what} {file} cannot be read: {reason}")
    if not secret.strip():
        raise ConfigError(f"{what} {file} is empty")
    protect(secret.strip())
    return secret
