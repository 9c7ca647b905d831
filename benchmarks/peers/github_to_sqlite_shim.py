"""github-to-sqlite, asking another address: it has GitHub's own written into its code.

    python github_to_sqlite_shim.py API ARGUMENTS...

The shim changes the address of each request, and nothing else.
"""

import sys

import requests
from github_to_sqlite import cli

api, arguments = sys.argv[1], sys.argv[2:]
_get = requests.get


def get(url, **options):
    return _get(url.replace("https://api.github.com", api), **options)


requests.get = get
cli.cli(arguments)
