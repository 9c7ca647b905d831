"""Base URLs and origins (RFC 6454): where credentials may be sent. No I/O here."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from sync.errors import ConfigError, ForeignOrigin
from sync.redaction import printable, scrub

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 8_192  # characters of a URL; servers refuse a longer one anyway
# A name, or an IPv6 address with or without a zone. Of anything else it depends on who reads it.
_HOST = re.compile(r"[a-z0-9._\-\u0080-\U0010ffff]+|[0-9a-f:.]+(%[a-z0-9._-]+)?")
_ABSOLUTE = re.compile(r"[^/?#]*://|//")


def validate_base_url(url: object, name: str = "the base URL") -> str:
    """Return `url` without a trailing slash, or raise ConfigError.

    It must be https (http only to a loopback address, where nobody listens
    in), name a host, and hold no credentials, query or fragment. The message
    never repeats a URL that holds credentials.
    """
    if not isinstance(url, str) or not url:
        raise ConfigError(f"{name} must be a URL such as https://api.example.com")
    if url != url.strip() or not url.isprintable() or " " in url:
        raise ConfigError(f"{name} contains a space or a control character")
    if "\\" in url:
        raise ConfigError(f"{name} contains a backslash")
    parts: SplitResult | None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts = None  # raised outside of the handler: the original may quote a password
    if parts is None:
        raise ConfigError(f"{name} is not a valid URL")
    if "@" in parts.netloc:
        raise ConfigError(f"{name} must not contain user:password; give credentials separately")
    if parts.scheme not in _DEFAULT_PORTS or not host or not _HOST.fullmatch(host):
        raise ConfigError(f"{name} must start with https:// and name a host")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConfigError(f"{name} must not contain a query or a fragment")
    if port == 0:
        raise ConfigError(f"{name} has port 0")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"{name} is http://, which would send credentials unencrypted; use https:// "
            "(http:// is accepted for a loopback address only)"
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine by name or address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def resolve(base_url: str, path: str) -> str:
    """Return the absolute URL of `path` below `base_url`.

    `path` may be an absolute URL of the same origin (a link that the server
    gave). Raises ForeignOrigin for any other origin.
    """
    if not _ABSOLUTE.match(path):
        return f"{base_url}/{path.lstrip('/')}" if path else base_url
    require_same_origin(base_url, path, "the address")
    return path


def follow(base_url: str, current_url: str, location: str) -> str:
    """Return where a redirect from `current_url` leads. Raises ForeignOrigin."""
    try:
        target = urljoin(current_url, location)
    except ValueError:
        raise ForeignOrigin("the redirect's Location is not a URL", url=current_url) from None
    require_same_origin(base_url, target, "the redirect")
    return target


def require_same_origin(base_url: str, url: str, what: str) -> None:
    """Raise ForeignOrigin unless `url` has the scheme, host and port of `base_url`."""
    if len(url) > _LONGEST:
        raise ForeignOrigin(f"{what} is longer than {_LONGEST:,} characters; not followed")
    target = _origin(url)
    if target is None or target != _origin(base_url):
        where = printable(scrub(url)[:200])
        raise ForeignOrigin(f"{what} leads away from {_root(base_url)}, to {where}; not followed")


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _origin(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts: SplitResult = urlsplit(url)
        if "@" in parts.netloc or "\\" in url or not url.isprintable():
            return None
        host = (parts.hostname or "").rstrip(".")
        return parts.scheme, host, parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
