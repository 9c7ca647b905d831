"""Turns nested tables into frozen structs, and collects all mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from sync.core.redaction import holds_token, is_token, scrub

S = TypeVar("S", bound=msgspec.Struct)

PREFIX = "REPOLEDGER_"
_INDEX = re.compile(r"[0-9]{1,6}")


class FromEnvironment(str):
    """Text from an environment variable, where numbers and lists are text, too."""

    __slots__ = ("variable",)
    variable: str


class Reader:
    """Builds structs from tables; `problems` collects the mistakes, in order."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def complain(self, key: str, problem: str, value: Any = None) -> None:
        """Add a problem of `key`, with the file or variable that it comes from."""
        source = value.variable if isinstance(value, FromEnvironment) else self.source
        # Scrubbed: a key or name may be a token, pasted into the wrong place.
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
                inner = _table_in(hints[name])
                if inner and (isinstance(table[name], Mapping) or hints[name] is inner):
                    values[name] = self.build(inner, table[name], key)
                    complete = complete and values[name] is not None
                    continue
                try:
                    values[name] = _convert(table[name], hints[name])
                except msgspec.ValidationError as error:
                    self.complain(key, _wording(error, hints[name]), table[name])
                    complete = False
                    continue
                if _is_token(table[name]):
                    advice = _description(hints[name]) or "something else"
                    self.complain(key, f"must be {advice}, not a token itself", table[name])
                    complete = False
            elif field.required:
                self.complain(key, "is missing")
                complete = False
        if not complete:
            return None
        for alternatives in getattr(kind, "alternatives", ()):
            self._choose(alternatives, values, table, where)
        return kind(**values)

    def _choose(
        self,
        alternatives: Mapping[str, tuple[str, ...]],
        values: dict[str, Any],
        table: Mapping[str, Any],
        where: str,
    ) -> None:
        """Leave one of `alternatives` in `values`; complain if the file or variables give two.

        A variable replaces the alternative in the file, with the keys that need that one.
        """
        given = [key for key in alternatives if values.get(key) not in (None, False)]
        variables = [key for key in given if is_from_environment(table[key])]
        chosen = variables or given
        if len(chosen) > 1:
            self.complain(where, f"give {' or '.join(chosen)}, not both", table[chosen[0]])
        kept = {*chosen, *(companion for key in chosen for companion in alternatives[key])}
        for key in given if variables else ():
            for name in {key, *alternatives[key]} - kept:
                if not is_from_environment(table.get(name)):
                    values.pop(name, None)

    def _complain_unknown(self, key: str, known: Mapping[str, Any], where: str, value: Any) -> None:
        if key in ("token", "password", "secret"):
            advice = "a secret does not belong in the configuration; use token_env or token_file"
            self.complain(f"{where}.{key}", advice, value)
            return
        self.complain(f"{where}.{key}", f"unknown key{suggestion(key, known)}", value)


def is_from_environment(value: Any) -> bool:
    """Tell whether a value, or an item of a list, came from an environment variable."""
    items = value if isinstance(value, list) else [value]
    return any(isinstance(item, FromEnvironment) for item in items)


def _is_token(value: Any) -> bool:
    """Tell whether a value is a token, or a list that contains a token.

    An argument of a command may look like an old token: a key's name, or a commit.
    """
    return (isinstance(value, str) and is_token(value)) or any(map(holds_token, texts_in(value)))


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in tables and lists, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from texts_in(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)


def suggestion(name: str, known: Any) -> str:
    """Return `; did you mean X?` for the nearest known name; otherwise all known names."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"


def overlay(table: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return `table`, overridden by the variables `REPOLEDGER_SECTION__KEY`.

    A number is an index into a list; indexes beyond its end append to it, in order.
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


def replaced(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each variable with a value that another makes a table, and that other one."""
    names = [variable for variable, _ in _variables(environ)]
    for name in names:
        inner = next((each for each in names if each.startswith(f"{name}__")), None)
        if inner is not None:
            yield name, inner


def _place(target: Any, step: str, added: dict[tuple[int, str], int]) -> Any:
    """Return the key or index that `step` means in `target`; a missing item is made."""
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
        # Other programs set names like REPOLEDGER_PORT, such as Kubernetes for a service
        # called repoledger. Only names with a double underscore are ours.
        if len(path) > 1:
            found.append((variable, path))
    # Numeric order of indexes: 2 before 10.
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
    except UnicodeEncodeError:  # a variable with invalid UTF-8 in place of a number
        raise msgspec.ValidationError("must be text in UTF-8") from None


def _parse(kind: type[Any], value: Any) -> Any:
    return kind.parse(value)


def _table_in(hint: Any) -> type[msgspec.Struct] | None:
    """Return the struct that a hint is, or that is a member of its union."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next(filter(None, map(_table_in, get_args(hint))), None)


def _wording(error: msgspec.ValidationError, hint: Any) -> str:
    """Return the valid values, in words of the value's type or of the field's description."""
    if isinstance(error.__cause__, ValueError):
        return str(error.__cause__)
    description = _description(hint)
    if description:
        return f"must be {description}"
    return str(error).partition(" - at ")[0].lower().replace("`", "")


def _description(hint: Any) -> str | None:
    """Return the description of a field's type, or of a member of its union."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            return meta.description
    found = (_description(part) for part in get_args(hint) if part is not hint)
    return next((text for text in found if text), None)
