"""The proxies of the environment."""

from __future__ import annotations

from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy


def proxy_for(url: str) -> str | None:
    """Return host and port of the proxy that requests for `url` go through; None without one."""
    chosen = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not chosen:
        return None
    # Without a scheme, it would all be taken for a path.
    return urlsplit(chosen if "://" in chosen else f"//{chosen}").netloc.rpartition("@")[2]
