"""A stand-in GitHub on loopback, for the demo and for the tests.

    with Sandbox() as github:
        github.add_user("octo", token="a-token")
        github.add_repository("octo", "hello", language="Python")
        ...  # any client of GitHub's REST API, pointed at github.url

All its data is made up and lives in memory. It never connects to another address.
"""

from sync.sandbox.messages import Answer, Request, RequestRecord
from sync.sandbox.sandbox import Sandbox

__all__ = ["Answer", "Request", "RequestRecord", "Sandbox"]
