"""Reads the accounts of a configuration, and finds keys that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sync.config.forges import complain_of_unknown
from sync.config.resources import complain_of_loss
from sync.config.sections import Account, ForgeSettings, Schedule
from sync.config.structs import Reader


def read_accounts(
    reader: Reader, tables: Any, names: Collection[str], forges: Mapping[str, ForgeSettings]
) -> tuple[Account, ...]:
    """Return the accounts of the tables `[[accounts]]`, except those with mistakes.

    `names` are those of the configured forges, `forges` the ones without mistakes.
    """
    if not isinstance(tables, list):
        reader.complain("accounts", "must be a list of tables, each written [[accounts]]")
        return ()
    if not tables:
        reader.complain("accounts", "at least one [[accounts]] is needed")
    accounts: list[Account] = []
    for index, table in enumerate(tables):
        where = f"accounts[{index}]"
        complain_of_unknown(reader, where, table, names)
        account = reader.build(Account, table, where)
        if account is None:
            continue
        _complain_of_secrets(reader, where, account, table)
        complain_of_haste(reader, where, account)
        table = table.get("resources")
        complain_of_loss(reader, f"{where}.resources", account.resources, table)
        if any(account.name.lower() == other.name.lower() for other in accounts):
            reader.complain(f"{where}.name", f"the name {account.name!r} is given twice")
        _complain_of_shared_token(reader, where, account, accounts, forges)
        accounts.append(account)
    return tuple(accounts)


def _complain_of_secrets(
    reader: Reader, where: str, account: Account, table: Mapping[str, Any]
) -> None:
    sources = account.sources
    if not sources and not account.username:
        reader.complain(
            where,
            "needs token_env, token_file, token_command, keyring or app_id, or only a username, "
            "to read without signing in",
        )
    keys = [key for key in ("private_key_env", "private_key_file") if getattr(account, key)]
    if account.app_id is None:
        for key in (*keys, *(["installation_id"] if account.installation_id else [])):
            reader.complain(f"{where}.{key}", "needs app_id", table[key])
    elif not keys:
        reader.complain(where, "an App needs private_key_env or private_key_file", table["app_id"])
    if account.scheme == "basic" and not (account.username and sources and not account.app_id):
        reader.complain(f"{where}.scheme", '"basic" needs a username and a token', table["scheme"])


def _complain_of_shared_token(
    reader: Reader,
    where: str,
    account: Account,
    others: Iterable[Account],
    forges: Mapping[str, ForgeSettings],
) -> None:
    """Complain of a token file that an account of another host has too."""
    hosts = {name: forge.host for name, forge in forges.items()}
    for other in others:
        is_shared = account.token_file and account.token_file == other.token_file
        if is_shared and hosts.get(account.forge) != hosts.get(other.forge):
            reader.complain(
                f"{where}.token_file",
                f"is the file of account {other.name} too, whose token is for another host",
                account.token_file,
            )


def complain_of_haste(reader: Reader, where: str, given: Schedule | Account) -> None:
    """Complain of an interval that is too short."""
    if given.every is not None and given.every < 1:
        reader.complain(f"{where}.every", "must be at least 1s")
