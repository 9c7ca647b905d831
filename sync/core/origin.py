"""Base URLs and origins (RFC 6454): where credentials may be sent. No I/O here."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from sync.core.errors import ConfigError, ForeignOrigin
from sync.core.redaction import printable, scrub

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 8_192  # characters of a URL; servers refuse a longer one anyway
# A name, or an IPv6 address with or without a zone. Other hosts are parsed in different ways.
_HOST = re.compile(r"[a-z0-9._\-\u0080-\U0010ffff]+|[0-9a-f:.]+(%[a-z0-9._-]+)?")
_ABSOLUTE = re.compile(r"[^/?#]*://|//")


def validate_base_url(url: object, name: str = "the base URL") -> str:
    """Return `url` without a trailing slash, or raise ConfigError.

    It must be https (http only to a loopback address, which nobody can intercept), name a host,
    and contain no credentials, query or fragment. The message never repeats a URL that contains
    credentials.
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
        parts = None  # raised below, without a chain: the original may quote a password
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
    """Return whether `host` is localhost or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # Before Python 3.13, an IPv4-mapped IPv6 address was not a loopback address.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def resolve(base_url: str, path: str) -> str:
    """Return the absolute URL of `path` below `base_url`.

    `path` may be an absolute URL of the same origin, such as a link in an answer. Raises
    ForeignOrigin for any other origin.
    """
    if not _ABSOLUTE.match(path):
        return f"{base_url}/{path.lstrip('/')}" if path else base_url
    require_same_origin(base_url, path, "the address")
    return path


def follow(base_url: str, current_url: str, location: str) -> str:
    """Return the target of a redirect from `current_url`. Raises ForeignOrigin."""
    try:
        target = urljoin(current_url, location)
    except ValueError:
        raise ForeignOrigin("the redirect's Location is not a URL", url=current_url) from None
    require_same_origin(base_url, target, "the redirect")
    return target


def brought_home(base_url: str, url: str) -> str:
    """Return `url`; if it has another origin, `base_url` with its query.

    For links of a server that does not know its own name, such as behind a proxy.
    """
    if _origin(url) == _origin(base_url):
        return url
    try:
        return urlsplit(base_url)._replace(query=urlsplit(url).query).geturl()
    except ValueError:
        return url


def require_same_origin(base_url: str, url: str, what: str, advice: str = "") -> None:
    """Raise ForeignOrigin unless `url` has the scheme, host and port of `base_url`."""
    if len(url) > _LONGEST:
        raise ForeignOrigin(f"{what} is longer than {_LONGEST:,} characters; not followed")
    target = _origin(url)
    if target is None or target != _origin(base_url):
        where = printable(scrub(url)[:200])
        raise ForeignOrigin(
            f"{what} leads away from {_root(base_url)}, to {where}; not followed{advice}"
        )


def authority(url: str) -> str:
    """Return the host of a valid URL, with the port unless it is the default.

    The text is normalized: case, final dots, zeros of an IPv6 address and the two spellings of
    an international name make no difference.
    """
    parts = urlsplit(url)
    host, port = _host(parts.hostname or ""), parts.port
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{shown}:{port}"


def host_of(api_url: str) -> str:
    """Return the host within which ids of the API at `api_url` are unique."""
    host = authority(api_url)
    return "github.com" if host == "api.github.com" else host


def is_same_host(known: str, host: str) -> bool:
    """Return whether `known`, in any spelling, is this result of `host_of`."""
    if known == host:
        return True
    with suppress(ValueError):  # not a valid host, so it is another one
        return host_of(f"https://{known}") == host
    return False


def _host(name: str) -> str:
    name = name.lower().rstrip(".")
    if not name.isascii():
        import idna

        with suppress(UnicodeError):  # an invalid name, which stays as it is
            return idna.encode(name, uts46=True).decode()  # as requests does
    with suppress(ValueError):
        return str(ip_address(name))
    return name


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _origin(url: str) -> tuple[str, str] | None:
    try:
        parts: SplitResult = urlsplit(url)
        if "@" in parts.netloc or "\\" in url or not url.isprintable():
            return None
        return parts.scheme, authority(url)
    except ValueError:
        return None
