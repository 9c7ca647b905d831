"""Languages of a repository: the bytes of code in each, as GitHub counts them after a push.

https://docs.github.com/rest/repos/repos#list-repository-languages
"""

from __future__ import annotations

from msgspec import Struct

from sync.resources.fields import Count, Name
from sync.resources.repositories import REPOSITORIES
from sync.resources.resource import Due, Endpoint, Resource, Shape, Vanishing


class Language(Struct, frozen=True, kw_only=True):
    """One language of a repository."""

    language: Name
    bytes: Count


LANGUAGES = Resource(
    name="languages",
    item="language",
    table="repository_languages",
    parent=REPOSITORIES,
    record=Language,
    key=("language",),
    private=("language", "bytes"),
    shape=Shape.OBJECT,
    vanishing=Vanishing.REPLACE,
    due=Due(when_changed=("pushed_at",)),
    endpoint=Endpoint(path="/repositories/{repository_id}/languages", needs="metadata: read"),
)
