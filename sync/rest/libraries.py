"""Masks secrets in the debug logs of HTTP and OAuth libraries, such as tokens in addresses.

repoledger does not show these logs, but a program that uses the client may.
"""

from __future__ import annotations

import logging

from sync.core.redaction import scrub

_TELLING = (
    "urllib3.connectionpool",
    "requests_oauthlib.oauth1_auth",
    "oauthlib.oauth1.rfc5849",
    "oauthlib.oauth1.rfc5849.signature",
)


def _scrubbed(record: logging.LogRecord) -> bool:
    record.msg, record.args = scrub(record.getMessage()), ()
    return True


def scrub_logs() -> None:
    """Mask known secrets in the libraries' log lines from now on; may be called repeatedly."""
    for name in _TELLING:
        logging.getLogger(name).addFilter(_scrubbed)
