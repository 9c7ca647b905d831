"""What the libraries underneath log at debug level: addresses, and what was signed.

repoledger itself shows none of it, but a program that uses the client may.
"""

from __future__ import annotations

import logging

from sync.redaction import scrub

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
    """Mask known secrets in what they log from now on; once is enough, twice does no harm."""
    for name in _TELLING:
        logging.getLogger(name).addFilter(_scrubbed)
