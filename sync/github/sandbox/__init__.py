"""A stand-in GitHub on loopback, for the demo and for the tests.

    with Sandbox() as github:
        github.add_user("octo", token="a-token")
        github.add_repository("octo", "hello", language="Python")
        ...  # any client of GitHub's REST API, pointed at github.url

Everything it knows is made up and lives in memory. It never opens a connection of its own to
any other address.
"""

from .server import Sandbox
from .wire import RequestRecord

__all__ = ["RequestRecord", "Sandbox"]
