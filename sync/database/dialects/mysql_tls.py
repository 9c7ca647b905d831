"""What a URL's options say of TLS, as PyMySQL takes it.

PyMySQL's own reading of them takes "false" for true, and its default with a CA
leaves the server's name out.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from sync.errors import DatabaseUnusable


def tls_arguments(options: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the arguments of a connection. Raises DatabaseUnusable.

    With none of the options, TLS is used where the server offers it, and
    nothing is verified. With any of them, a server without TLS is refused.
    """
    if options.get("ssl_disabled") == "true":
        return {"ssl_disabled": True}
    if not any(name.startswith("ssl_") and name != "ssl_disabled" for name in options):
        return {}
    reason = None
    try:
        return {"ssl": _context(options)}
    except ssl.SSLError as error:
        reason = f"what ssl_ca, ssl_cert or ssl_key name cannot be used: {error.reason or error}"
    except OSError as error:
        reason = f"what ssl_ca, ssl_cert or ssl_key name cannot be read: {error.strerror}"
    raise DatabaseUnusable(f"{where}: {reason}")


def _context(options: Mapping[str, str]) -> ssl.SSLContext:
    file, folder = options.get("ssl_ca"), options.get("ssl_capath")
    context = ssl.create_default_context(cafile=file, capath=folder)
    # The certificates that MySQL makes for itself do not pass it.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    verify = options.get("ssl_verify_cert", "true" if file or folder else "false") == "true"
    context.check_hostname = options.get("ssl_verify_identity", str(verify).lower()) == "true"
    if not (verify or context.check_hostname):
        context.verify_mode = ssl.CERT_NONE
    if "ssl_cert" in options:
        context.load_cert_chain(
            options["ssl_cert"], options.get("ssl_key"), options.get("ssl_key_password", "")
        )
    return context
