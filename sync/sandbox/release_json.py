"""Builds the JSON of releases and their assets, as GitHub's REST API does. No I/O here.

https://docs.github.com/rest/releases/releases
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.sandbox.account_json import JSON, SITE, node_id


def release(
    place: str,
    number: int,
    tag: str,
    moment: str,
    author: JSON,
    assets: Sequence[JSON],
    *,
    api: str,
) -> JSON:
    """The release `number` of the repository `place` (`owner/name`), published at `moment`."""
    url, site = f"{api}/repos/{place}/releases/{number}", f"https://{SITE}/{place}"
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"https://uploads.{SITE}/repos/{place}/releases/{number}/assets{{?name,label}}",
        "html_url": f"{site}/releases/tag/{tag}",
        "id": number,
        "author": author,
        "node_id": node_id("RE", number),
        "tag_name": tag,
        "target_commitish": "main",
        "name": tag,
        "draft": False,
        "immutable": False,
        "prerelease": False,
        "created_at": moment,
        "updated_at": moment,
        "published_at": moment,
        "assets": list(assets),
        "tarball_url": f"{api}/repos/{place}/tarball/{tag}",
        "zipball_url": f"{api}/repos/{place}/zipball/{tag}",
        "body": f"What is new in {tag}.",
    }


def asset(
    place: str, number: int, name: str, tag: str, moment: str, uploader: JSON, *, api: str,
    size: int, downloads: int,
) -> JSON:  # fmt: skip
    """The asset `number` of the release with this tag; `size` is in bytes."""
    return {
        "url": f"{api}/repos/{place}/releases/assets/{number}",
        "id": number,
        "node_id": node_id("RA", number),
        "name": name,
        "label": "",
        "uploader": uploader,
        "content_type": "application/gzip",
        "state": "uploaded",
        "size": size,
        "digest": f"sha256:{number:064x}",
        "download_count": downloads,
        "created_at": moment,
        "updated_at": moment,
        "browser_download_url": f"https://{SITE}/{place}/releases/download/{tag}/{name}",
    }
