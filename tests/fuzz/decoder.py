"""A fuzzer that looks for new ways through the code that reads what a server says.

    python -m tests.fuzz.decoder TARGET FOLDER [OPTION OF LIBFUZZER ...]

TARGET is one of the checks in checks.py, or `all`: then the first byte of the input chooses one.
What led somewhere new is kept in FOLDER and taken up again by the next call. `make fuzz` calls
this. It ends with a traceback, and writes the input to a file, where a check fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sync", "email", "requests.structures"]):
    from tests.fuzz.checks import CHECKS
    from tests.fuzz.strategies import TIMES
    from tests.support.database import repository
    from tests.support.inside.resources import Repository

_DATES = (
    "Sun, 01 Mar 2026 12:00:00 GMT",
    "Sunday, 01-Mar-26 12:00:00 GMT",
    "1 Mar 2026 12:00 -0100",
)
_WORDS = (
    "120",
    "-1",
    "1.5",
    "1e400",
    "nan",
    "2026-12-01 10:00:00 UTC",
    "2026-12-01 12:00:00 +0200",
)
_MORE_WORDS = (
    'W/"abc"',
    '"abc"',
    "repo, read:org",
    "required; url=https://example.com",
    "text/html",
)
_LINK = (
    '<https://api.example.com/user/repos?page=2>; rel="next", </x?page=9>; rel=last; title="a;b"'
)
_FAILED = {"message": "Validation Failed", "errors": [{"code": "missing"}], "block": {}}


def seeds() -> dict[str, list[bytes]]:
    """Return what each target begins with."""
    one = repository(temp_clone_token="", parent={"temp_clone_token": "x"}, size=2**53)
    odd = repository(2, "octo/two", owner=None, created_at="2020-01-01T00:00:00+14:00", topics=None)
    escaped = json.dumps([one, odd, {"id": 3, "description": "\ud83d\0é😀"}]).encode()
    user = {"id": 7, "login": "octo", "type": "User", "name": None, "public_repos": 3}
    words = [f"{word}\n{_DATES[0]}".encode() for word in (*_WORDS, *_DATES)]
    return {
        "page": [b"[]", b"null", escaped, json.dumps([odd], ensure_ascii=False).encode()],
        "user": [json.dumps(each).encode() for each in (user, one, _FAILED)],
        "token": [b'{"access_token":"x","expires_in":9,"scope":"a,b"}', b"error=invalid_grant"],
        "links": [_LINK.encode()],
        "retry-after": words,
        "headers": [*words, *(word.encode() for word in _MORE_WORDS)],
    }


def words() -> str:
    """Return libFuzzer's dictionary: what it would take long to come upon."""
    names = [*Repository.__struct_fields__, "login", "spdx_id", "temp_clone_token", "message"]
    tokens = [f'"{name}":' for name in names] + [*TIMES, *_WORDS, *_DATES, *_MORE_WORDS]
    tokens += ["null", "true", "false", "9223372036854775808", "\\ud83d", "\\u0000", "1e400", "[{"]
    escaped = (token.replace("\\", "\\\\").replace('"', '\\"') for token in tokens)
    return "".join(f'"{token}"\n' for token in escaped)


def chosen(target: str) -> tuple[Callable[[bytes], object], list[bytes]]:
    """Return what is called with each input, and what inputs to begin with."""
    if target != "all":
        return CHECKS[target], seeds()[target]
    checks = list(CHECKS.values())

    def check(data: bytes) -> None:
        if data:
            checks[data[0] % len(checks)](data[1:])

    return check, list(_numbered())


def _numbered() -> Iterator[bytes]:
    for number, name in enumerate(CHECKS):
        yield from (bytes([number]) + seed for seed in seeds()[name])


def main() -> None:
    _, target, folder, *options = sys.argv
    check, begin = chosen(target)
    corpus = Path(folder) / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(begin):
        (corpus / f"seed-{number}").write_bytes(seed)
    (Path(folder) / "words").write_text(words(), encoding="utf-8")
    found = f"-artifact_prefix={folder}/{target}-"
    atheris.Setup(
        [sys.argv[0], str(corpus), found, f"-dict={folder}/words", "-timeout=10", *options], check
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
