"""Databases on secured servers, and what `repoledger check` finds there for whom."""

from __future__ import annotations

import re
from uuid import uuid4

from sync.database.dialects import dialect_of
from sync.doctor import database
from sync.doctor.check_list import Finding
from tests.support.secured_servers import Secured

PASSWORD = "a long password"


def findings(url: str) -> list[Finding]:
    return list(database.findings(dialect_of(url)))


def failures(url: str) -> list[str]:
    return [finding.message for finding in findings(url) if finding.result == "fail"]


def warnings(url: str) -> list[str]:
    return [finding.message for finding in findings(url) if finding.result == "warn"]


def statements(message: str) -> list[str]:
    """Return what a message says to type."""
    return re.findall(r"(?:GRANT|ALTER) [^:;]+?(?=, and |$)", message)


class Place:
    """A database of a server's, and the user who made it, and another."""

    def __init__(self, server: Secured) -> None:
        self.server = server
        self.database, self.owner, self.other = (f"{c}{uuid4().hex[:12]}" for c in "dou")
        server.add_user(self.owner, PASSWORD, self.database)
        create = "CREATE ROLE {} LOGIN PASSWORD '{}'"
        if server.kind == "mysql":
            create = "CREATE USER {} IDENTIFIED BY '{}'"
        server.execute(create.format(self.other, PASSWORD))

    def url(self, user: str, **options: object) -> str:
        return self.server.url(user, self.database, PASSWORD, **options)

    def execute(self, *statements: str) -> None:
        """Do what the server's administrator does in this database."""
        self.server.execute(*statements, database=self.database)
