"""One phone's HTTP: kept connections, the cookie, and each way to go wrong by its name."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from engines.smtp import certificate
from killer.crowd.client import Address, Answer, Client

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def server(*connections: list[bytes]) -> Iterator[tuple[Client, list[bytes]]]:
    """Give each connection its answers, one for each request, then close it."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            for answers in connections:
                line, _ = door.accept()
                with line:
                    for answer in answers:
                        asked.append(line.recv(65_536))
                        line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield Client(Address("http", "127.0.0.1", door.getsockname()[1])), asked


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        + gzip.compress(b"ok"),
    ],
    ids=["length", "chunks", "to the end", "gzip"],
)
def test_a_body_is_read_however_it_comes(answer: bytes) -> None:
    with server([answer]) as (client, _):
        found = client.ask("GET", "/")
    assert (found.status, found.text, found.kind) == (200, "ok", "")


def test_a_connection_is_kept_and_the_cookie_with_it() -> None:
    first = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: killer=abc; HttpOnly\r\n\r\n")
    with server([first, OK]) as (client, asked):
        client.ask("GET", "/")
        client.ask("POST", "/death", form={"sure": "yes é"}, headers={"HX-Request": "true"})
    assert b"Cookie" not in asked[0]
    assert asked[1].startswith(b"POST /death HTTP/1.1\r\n")
    assert b"\r\nCookie: killer=abc\r\n" in asked[1]
    assert asked[1].endswith(b"\r\nContent-Length: 15\r\n\r\nsure=yes+%C3%A9")


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_without_a_word() -> None:
    with server([OK], [OK]) as (client, asked):
        assert [client.ask("GET", "/").kind for _ in range(2)] == ["", ""]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "503"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "http"),
        (b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "connection"),
        (b"", "connection"),
        (b"220 mail.example ESMTP\r\n", "connection"),
    ],
    ids=["503", "500", "401", "short", "closed", "mail"],
)
def test_each_way_to_go_wrong_has_its_name(answer: bytes, kind: str) -> None:
    with server([answer]) as (client, _):
        assert client.ask("GET", "/").kind == kind


def test_nobody_there_is_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    assert Client(Address("http", "127.0.0.1", port)).ask("GET", "/") == Answer(
        kind="connection", took=pytest.approx(0, abs=15_000)
    )


def test_an_expected_status_is_no_error() -> None:
    with server([b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", OK]) as (client, _):
        found = client.ask("GET", "/api/me", expect=(200, 304))
        assert (found.status, found.kind, found.header("etag")) == (304, "", "x")
        assert client.ask("GET", "/").text == "ok"  # a 304 has no body to wait for


def test_a_form_whose_answer_is_lost_is_not_taken_back_by_hanging_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        client = Client(Address("http", "127.0.0.1", door.getsockname()[1]))
        words = ("/death", {"sure": "yes"}, {"Idempotency-Key": "k"}, 120.0)
        threading.Thread(target=client.send_and_lose, args=words, daemon=True).start()
        line, _ = door.accept()
        with line:
            assert b"\r\nIdempotency-Key: k\r\n" in line.recv(65_536)
            line.settimeout(0.5)
            with pytest.raises(TimeoutError):
                line.recv(1)  # it would be empty if the phone had hung up


@contextmanager
def speaking_tls(folder: Path, connections: int) -> Iterator[Address]:
    """Take so many connections with a certificate that nobody knows, and answer each once."""
    context = certificate(folder, ("localhost",))
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            for _ in range(connections):
                line, _ = door.accept()
                with suppress(OSError), context.wrap_socket(line, server_side=True) as safe:
                    safe.recv(65_536)
                    safe.sendall(OK)

        threading.Thread(target=serve, daemon=True).start()
        yield Address("https", "localhost", door.getsockname()[1])


def test_an_unknown_certificate_has_a_name_of_its_own(tmp_path: Path) -> None:
    with speaking_tls(tmp_path, 1) as address:
        assert Client(address).ask("GET", "/").kind == "untrusted"


def test_the_system_s_certificates_are_read_once_for_all_connections(tmp_path: Path) -> None:
    with speaking_tls(tmp_path, 2) as strict:
        address = replace(strict, insecure=True)
        trusts = []
        for _ in range(2):
            with address.connect(30) as line:
                assert isinstance(line, ssl.SSLSocket)
                trusts.append(line.context)
        assert trusts[0] is trusts[1]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://killer.example", "killer.example"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://killer.example:443", "killer.example"),
    ],
)
def test_an_address_is_read_from_a_url(url: str, name: str) -> None:
    assert Address.of(url).name == name


@pytest.mark.parametrize("url", ["", "killer.example", "ftp://killer.example", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        Address.of(url)


SWITCHED_OFF = """
from gevent import monkey
monkey.patch_all()
import socket
import gevent
from killer.crowd.client import Address
with socket.create_server(("127.0.0.1", 0)) as door:
    door.settimeout(5)
    address = Address("http", *door.getsockname())
    address._places
    phone = gevent.spawn(address.connect, 5.0)
    gevent.sleep(0)
    phone.kill()
    line, _ = door.accept()
    line.settimeout(5)
    print(line.recv(1))
"""


def test_a_phone_that_is_switched_off_while_it_connects_keeps_no_line_open() -> None:
    command = [sys.executable, "-c", SWITCHED_OFF]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "b''", done.stderr
