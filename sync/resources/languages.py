"""Languages of a repository: the bytes of code in each, as GitHub counts them after a push.

https://docs.github.com/rest/repos/repos#list-repository-languages
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import Struct

from sync.resources.fields import Addend, Name
from sync.resources.figures import Answer, Asked, Figures, Merge, RowTable, Told
from sync.resources.resource import Due, Endpoint


class Language(Struct, frozen=True, kw_only=True):
    """One language of a repository, on a day on which the set of them changed."""

    day: date
    language: Name
    bytes: Addend


REPOSITORY_LANGUAGES = RowTable(
    name="repository_languages",
    record=Language,
    key=("day", "language"),
    merge=Merge.SET,
    gone_as_zero=True,
    private=("language", "bytes"),
)

_decoder = msgspec.json.Decoder(dict[Name, Addend])


def _read(answers: Sequence[Answer], asked: Asked) -> Told:
    (answer,) = answers
    if answer.body is None:
        return Told({}, asked.memory)
    day, told = asked.now.date(), _decoder.decode(answer.body)
    rows = [Language(day=day, language=name, bytes=size) for name, size in told.items()]
    return Told({REPOSITORY_LANGUAGES: rows}, {})


LANGUAGES = Figures(
    name="languages",
    tables=(REPOSITORY_LANGUAGES,),
    due=Due(when_changed=("pushed_at",)),
    endpoints=(Endpoint(path="/repositories/{id}/languages"),),
    needs="metadata: read",
    read=_read,
)
