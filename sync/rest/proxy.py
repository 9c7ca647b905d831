"""The proxies that the environment names."""

from __future__ import annotations

import os
from importlib.util import find_spec
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from sync.core.errors import ConfigError
from sync.core.origin import is_loopback

_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")


def proxies_for(url: str) -> dict[str, str]:
    """Return the proxies that requests for `url` may go through, by scheme.

    Empty for a loopback address: a proxy would connect to itself, and see local traffic.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if is_loopback(host) or host.endswith(".localhost"):
        return {}
    return get_environ_proxies(url, no_proxy=None)


def proxy_for(url: str) -> str | None:
    """Return host and port of the proxy that requests for `url` go through; None without one.

    Raises ConfigError if the proxy's address cannot be used.
    """
    chosen = select_proxy(url, proxies_for(url))
    if not chosen:
        return None
    scheme, separator, rest = chosen.partition("://")
    if not separator:
        scheme, rest = "http", chosen
    problem = _problem(scheme.lower(), rest)
    if problem:
        # Without the address: it may hold a password.
        raise ConfigError(f"the proxy for {urlsplit(url).hostname} ({_source(url)}) {problem}")
    return urlsplit(f"//{rest}").netloc.rpartition("@")[2]


def _problem(scheme: str, rest: str) -> str | None:
    """Return what is wrong with a proxy's address."""
    right = "http://HOST:PORT or socks5h://HOST:PORT"
    if scheme not in ("http", "https", *_SOCKS):
        return f"has an address of an unknown kind; use {right}"
    try:
        parts = parse_url(f"http://{rest}")
        readable = bool(parts.host) and parts.port != 0 and (parts.request_uri in ("/", None))
    except (LocationParseError, ValueError):
        readable = False
    if not readable:
        return f"has an address that cannot be read; use {right}"
    if scheme in _SOCKS and find_spec("socks") is None:
        return "speaks SOCKS, which needs the library PySocks: pip install pysocks"
    return None


def _source(url: str) -> str:
    """Return the name of the variable or setting that the proxy for `url` comes from."""
    names = [f"{kind}_proxy" for kind in (urlsplit(url).scheme, "all")]
    found = (name for each in names for name in (each, each.upper()) if os.environ.get(name))
    return next(found, "of the system's settings")
