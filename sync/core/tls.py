"""The verification of certificates."""

from __future__ import annotations

import ssl


def verify_alike(context: ssl.SSLContext) -> None:
    """Make `context` verify alike on every version of Python, and like curl and browsers.

    By default, Python 3.13 and newer refuse authorities that lack extensions of RFC 5280, as those
    of inspecting proxies and databases often do, and accept a trusted authority that has not signed
    itself. Signatures, names and dates are verified in any case.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
