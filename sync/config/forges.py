"""Reads the forges of a configuration: `[github]`, always present, and each `[forges.NAME]`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sync.config.sections import DEFAULT_FORGE, ForgeSettings, section_of
from sync.config.structs import Reader, suggestion

# Names that also work in variables, which have no hyphens and are split at double underscores.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def forge_tables(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of each forge, by its name."""
    named, default = tables.get("forges"), tables.get(DEFAULT_FORGE, {})
    others = named if isinstance(named, Mapping) else {}
    return {DEFAULT_FORGE: default} | {k: v for k, v in others.items() if k != DEFAULT_FORGE}


def read_forges(reader: Reader, tables: Mapping[str, Any]) -> dict[str, ForgeSettings]:
    """Return the forges by name, except those with mistakes."""
    named = tables.get("forges", {})
    if not isinstance(named, Mapping):
        reader.complain("forges", "must be tables, each written [forges.NAME]", named)
    elif DEFAULT_FORGE in named:
        reader.complain(
            f"forges.{DEFAULT_FORGE}",
            f"the name is reserved: put its keys into [{DEFAULT_FORGE}], or name another host "
            "differently",
        )
    found: dict[str, ForgeSettings] = {}
    for name, table in forge_tables(tables).items():
        where = section_of(name)
        if name != DEFAULT_FORGE:
            _complain_of_name(reader, where, name, table)
        forge = reader.build(ForgeSettings, table, where)
        if forge is None:
            continue
        if forge.timeout <= 0:
            reader.complain(f"{where}.timeout", "must be more than 0s", table["timeout"])
        _complain_of_shared_host(reader, where, forge, found)
        found[name] = forge
    return found


def _complain_of_name(reader: Reader, where: str, name: str, table: Any) -> None:
    """Complain of a forge with an invalid name or without an address."""
    if not _NAME.fullmatch(name):
        reader.complain(
            where,
            "the name must be lower-case letters and digits, a letter first, with single "
            "underscores between them, such as [forges.work]",
        )
    if isinstance(table, Mapping) and "api_url" not in table:
        # No default: it would send the token of another host to GitHub.
        reader.complain(f"{where}.api_url", "is missing, such as https://HOST/api/v3")


def _complain_of_shared_host(
    reader: Reader, where: str, forge: ForgeSettings, others: Mapping[str, ForgeSettings]
) -> None:
    """Complain of a forge at another path of a host that another forge has."""
    for name, other in others.items():
        if other.host == forge.host and other.api_url.rstrip("/") != forge.api_url.rstrip("/"):
            reader.complain(
                f"{where}.api_url",
                f"is another address on the host of [{section_of(name)}]: the ledger tells "
                "repositories apart by host and id, and would mix the two",
                forge.api_url,
            )


def complain_of_unknown(reader: Reader, where: str, account: Any, known: Collection[str]) -> None:
    """Complain of an account whose forge is not one of the `known` forges."""
    name = account.get("forge") if isinstance(account, Mapping) else None
    if isinstance(name, str) and name not in known:
        reader.complain(f"{where}.forge", f"there is no such forge{suggestion(name, known)}", name)
