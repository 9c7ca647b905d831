"""All data of the stand-in GitHub, in one value."""

from __future__ import annotations

from typing import Any

from sync.sandbox.host import Host
from sync.sandbox.pace import Pace
from sync.sandbox.quotas import Quotas
from sync.sandbox.registry import Repositories
from sync.sandbox.told import ToldAnswers
from sync.sandbox.traffic import Hidden
from sync.sandbox.users import Users
from sync.sandbox.views import Views


class World:
    """The objects that handlers read; `orders` caches the order of listings until a change.

    `hidden` are the days of traffic that all repositories leave out.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.users = Users(host)
        self.quotas = Quotas(host, self.users)
        self.repositories = Repositories(host, self.users)
        self.pace = Pace(host)
        self.told = ToldAnswers()
        self.hidden = Hidden()
        self.views = Views(host)
        self.orders: dict[Any, Any] = {}
