"""The TLS options of a URL, as arguments for PyMySQL.

PyMySQL itself reads "false" as true, and with a CA does not verify the server's name by
default.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from sync.core.errors import DatabaseUnusable
from sync.core.tls import verify_alike


def tls_arguments(options: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the arguments of a connection. Raises DatabaseUnusable.

    Without options, TLS is used if the server offers it, and nothing is verified. With any of
    them, a server without TLS is refused.
    """
    if options.get("ssl_disabled") == "true":
        return {"ssl_disabled": True}
    if not any(name.startswith("ssl_") and name != "ssl_disabled" for name in options):
        return {}
    reason = None
    try:
        return {"ssl": _context(options)}
    except ssl.SSLError as error:
        reason = f"a file of ssl_ca, ssl_cert or ssl_key cannot be used: {error.reason or error}"
    except (OSError, ValueError) as error:  # a name with a zero byte in it
        why = getattr(error, "strerror", None) or error
        reason = f"a file of ssl_ca, ssl_cert or ssl_key cannot be read: {why}"
    raise DatabaseUnusable(f"{where}: {reason}")


def _context(options: Mapping[str, str]) -> ssl.SSLContext:
    file, folder = options.get("ssl_ca"), options.get("ssl_capath")
    context = ssl.create_default_context(cafile=file, capath=folder)
    verify_alike(context)
    verify = options.get("ssl_verify_cert", "true" if file or folder else "false") == "true"
    context.check_hostname = options.get("ssl_verify_identity", str(verify).lower()) == "true"
    if not (verify or context.check_hostname):
        context.verify_mode = ssl.CERT_NONE
    if "ssl_cert" in options:
        context.load_cert_chain(
            options["ssl_cert"], options.get("ssl_key"), options.get("ssl_key_password", "")
        )
    return context
