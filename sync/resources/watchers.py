"""Watchers of a repository: the number of users who are notified of what happens in it.

A listing does not tell it: there, `watchers_count` is the number of stars.
https://docs.github.com/rest/repos/repos#get-a-repository
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct

from sync.resources.fields import Count, Id
from sync.resources.figures import Answer, Asked, Figures, Told
from sync.resources.resource import Due, Endpoint


class _Watched(Struct):
    id: Id
    subscribers_count: Count


_decoder = msgspec.json.Decoder(_Watched)


def _read(answers: Sequence[Answer], asked: Asked) -> Told:
    (answer,) = answers
    if answer.body is None:
        return Told({}, asked.memory)
    told = _decoder.decode(answer.body)
    if told.id != asked.id:
        raise ValueError(f"the answer is about repository {told.id}, not {asked.id}")
    return Told({}, {}, counted=told.subscribers_count)


WATCHERS = Figures(
    name="watchers",
    tables=(),
    due=Due(every=timedelta(days=7)),
    endpoints=(Endpoint(path="/repositories/{id}"),),
    needs="metadata: read",
    read=_read,
    counter="subscribers_count",
)
