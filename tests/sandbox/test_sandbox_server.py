"""The socket edge: threads, clients that go away, and the end."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]
ASK = b"GET /user/repos?per_page=100 HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n"
NOT_FOUND = (
    b'{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}'
)
SIGNED = b"Authorization: Bearer octo-token\r\n\r\n"


def connect(github: Sandbox) -> socket.socket:
    host, _, port = github.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def sandbox_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sandbox")]


def test_the_sandbox_listens_on_loopback_alone_and_only_while_open() -> None:
    github = Sandbox()
    github.add_user("octo", token="octo-token")
    with pytest.raises(RuntimeError):
        assert github.url
    with github:
        url = github.url
        assert url.startswith("http://127.0.0.1:")
        assert requests.get(f"{url}/users/octo", timeout=30).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=30)
    github.close()


def test_data_stays_when_the_sandbox_is_started_again() -> None:
    github = Sandbox()
    github.add_user("octo", token="octo-token")
    rid = github.add_repository("octo", "hello")
    for _ in range(2):
        github.start()
        assert github.get(rid)["url"] == f"{github.url}/repos/octo/hello"
        with pytest.raises(RuntimeError):
            github.start()
        github.close()


def test_one_connection_serves_many_requests(github: Sandbox) -> None:
    with connect(github) as connection, connection.makefile("rb") as answers:
        for _ in range(3):
            connection.sendall(ASK + SIGNED)
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := answers.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            assert answers.read(length) == b"[]"
        assert len(sandbox_threads()) == 2


def test_a_request_with_a_body_does_not_disturb_the_next_one(github: Sandbox) -> None:
    with connect(github) as connection, connection.makefile("rb") as answers:
        for body in (b"{}", b'{"name":"x"}'):
            size = f"Content-Length: {len(body)}\r\n".encode()
            connection.sendall(b"POST" + ASK.removeprefix(b"GET") + size + SIGNED + body)
            assert answers.readline() == b"HTTP/1.1 404 Not Found\r\n"
            while answers.readline() != b"\r\n":
                pass
            assert answers.read(len(NOT_FOUND)) == NOT_FOUND


def test_closing_interrupts_a_slow_answer_at_once(github: Sandbox) -> None:
    github.delay = 600.0
    arrived = threading.Event()
    github.on_request = lambda _: arrived.set()
    with connect(github) as connection:
        connection.sendall(ASK + SIGNED)
        assert arrived.wait(30)
        began = time.monotonic()
        github.close()
        assert time.monotonic() - began < 2
        assert connection.recv(100) == b""
    assert sandbox_threads() == []


def test_closing_does_not_wait_for_idle_or_stuck_clients(github: Sandbox) -> None:
    for number in range(2000):
        github.add_repository("octo", f"r{number}")
    arrived = threading.Event()
    github.on_request = lambda _: arrived.set()
    with connect(github) as idle, connect(github) as half, connect(github) as stuck:
        half.sendall(ASK)
        for _ in range(40):
            stuck.sendall(ASK + SIGNED)
        assert arrived.wait(30)
        began = time.monotonic()
        github.close()
        assert time.monotonic() - began < 2
        assert idle.recv(1) == b""
    assert sandbox_threads() == []


def test_a_client_that_goes_away_makes_no_noise(
    github: Sandbox, get: Get, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(300):
        github.add_repository("octo", f"r{number}")
    for asked in (b"", b"GET", ASK, ASK + SIGNED, b"nonsense\r\n\r\n", b"GET //[ HTTP/1.1\r\n\r\n"):
        connection = connect(github)
        connection.sendall(asked)
        # Without lingering, closing resets the connection under the answer.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert get("/user").status_code == 200
    github.close()
    assert capfd.readouterr() == ("", "")


def test_the_sandbox_is_read_by_many_threads_while_it_is_changed(github: Sandbox) -> None:
    rids = [github.add_repository("octo", f"r{number}") for number in range(150)]
    headers = {"Authorization": "Bearer octo-token"}

    def read(_: int) -> set[int]:
        counts: set[int] = set()
        with requests.Session() as session:
            for page in (1, 2, 1, 2, 1, 2):
                url = f"{github.url}/user/repos?per_page=100&page={page}"
                answer = session.get(url, headers=headers, timeout=30)
                assert answer.status_code == 200
                counts.add(len(answer.json()))
        return counts

    def change(turn: int) -> None:
        for rid in rids[turn::8]:
            github.star(rid)
            github.rename(rid, f"renamed-{rid}")
            github.push(rid)

    with ThreadPoolExecutor(16) as pool:
        changed = list(pool.map(change, range(8)))
        seen = list(pool.map(read, range(8)))
    assert len(changed) == 8
    assert set().union(*seen) == {100, 50}
    assert all(github.get(rid)["stargazers_count"] == 1 for rid in rids)
    assert [item["id"] for item in map(github.get, rids)] == rids
