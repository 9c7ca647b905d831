"""The versions that are locked: where they may come from, and what is known of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.audit import LOCKED
from tests.support.process import PROJECT

_HASH = "--hash=sha256:" + "0" * 64
_KNOWN = {
    "id": "PYSEC-2026-1",
    "affected": [
        {
            "package": {"name": "weak", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database of weaknesses, which knows one of the package weak."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = [_KNOWN] if asked["package"]["name"] == "weak" else []
            body = json.dumps({"vulns": known} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def audited(folder: Path, database: str, *packages: str) -> subprocess.CompletedProcess[str]:
    """Audit a file that locks these packages, each at 1.0."""
    file = folder / "constraints.txt"
    file.write_text("".join(f"{name}==1.0 \\\n    {_HASH}\n" for name in packages))
    return subprocess.run(
        [
            *(sys.executable, "-m", "tests.audit", str(file), "--vulnerability-service=osv"),
            *(f"--osv-url={database}", f"--cache-dir={folder / 'cache'}"),
        ],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_weakness_that_is_known_fails_the_audit_and_is_named(
    database: str, tmp_path: Path
) -> None:
    done = audited(tmp_path, database, "strong", "weak")
    assert (done.returncode, done.stdout) == (1, "weak 1.0: PYSEC-2026-1, mended in 1.1\n")


def test_versions_of_which_nothing_is_known_pass(database: str, tmp_path: Path) -> None:
    done = audited(tmp_path, database, "strong", "stronger")
    assert (done.returncode, done.stdout) == (0, "Known weaknesses: none in 2 packages\n")


def test_what_cannot_be_asked_for_is_told_of_and_is_no_failure(tmp_path: Path) -> None:
    done = audited(tmp_path, "http://127.0.0.1:9/v1/query", "strong")
    assert done.returncode == 0
    assert done.stdout.startswith("Known weaknesses: not checked: ")
    assert "none in" not in done.stdout


@pytest.mark.parametrize("name", LOCKED)
def test_every_version_is_locked_to_its_hashes_and_none_to_a_place(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    entries = [part for part in re.split(r"\n(?=\S)", text) if not part.startswith("#")]
    assert len(entries) > 30
    for entry in entries:
        version, *hashes = re.sub(r" *#.*", "", entry).replace("\\\n", "\n").split("\n")
        assert re.fullmatch(r"[\w.-]+(\[[\w, -]+\])?==[\w.]+( ; [^@/]+)? *", version), version
        assert any(hashes)
        assert all(re.fullmatch(r" *--hash=sha256:[0-9a-f]{64} *| *", line) for line in hashes)


def test_what_runs_every_check_also_audits() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^audit: .*\n\t@\$\(BIN\)/python -m tests\.audit$", makefile, re.MULTILINE)
