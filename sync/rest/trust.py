"""The trusted certificate authorities, the same on every version of Python."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any, NamedTuple

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util import create_urllib3_context

from sync.core.errors import ConfigError
from sync.core.tls import verify_alike

# The variables of requests, then those of OpenSSL, which requests does not read.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Authorities(NamedTuple):
    """A file or folder of certificates, and the variable that names it, if any."""

    path: str
    variable: str | None = None

    def require(self) -> None:
        """Raise ConfigError if the variable names no usable certificates."""
        reason = ""
        try:
            if self.variable is not None and not Path(self.path).is_dir():
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.path)
        except ssl.SSLError:
            reason = "it contains no certificates in PEM"
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or error)
        if reason:
            raise ConfigError(f"{self.variable} names {self.path}, which cannot be used: {reason}")

    def advice(self) -> str:
        """Return the advice for a certificate that none of these authorities has signed."""
        if self.variable is None:
            return "for a certificate authority of your own, set REQUESTS_CA_BUNDLE to its file"
        return f"the trusted certificate authorities are those in {self.path} ({self.variable})"


def authorities() -> Authorities:
    """Return the authorities that the environment names; by default those of requests."""
    named = ((os.environ.get(variable, ""), variable) for variable in VARIABLES)
    # Path.expanduser raises where there is no home folder.
    found = (Authorities(os.path.expanduser(path), name) for path, name in named if path)  # noqa: PTH111
    return next(found, Authorities(DEFAULT_CA_BUNDLE_PATH))


def new_context() -> ssl.SSLContext:
    """Return the TLS context of a connection, as yet without authorities."""
    context = create_urllib3_context()
    verify_alike(context)
    return context


class TrustingAdapter(HTTPAdapter):
    """An adapter that verifies the certificate of a TLS proxy as that of a server."""

    def __init__(self, authorities: str, *args: Any, **kwargs: Any) -> None:
        self._authorities = authorities
        super().__init__(*args, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("https:") and proxy not in self.proxy_manager:
            context = new_context()
            if Path(self._authorities).is_dir():
                context.load_verify_locations(capath=self._authorities)
            else:
                context.load_verify_locations(self._authorities)
            kwargs["proxy_ssl_context"] = context
        return super().proxy_manager_for(proxy, **kwargs)
