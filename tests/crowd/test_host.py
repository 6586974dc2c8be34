"""What whoever starts a load test is told when the organiser's hands find something else."""

from __future__ import annotations

import pytest

from crowd.test_client import server
from killer.crowd.host import Host, HostError
from killer.language import speaking

REFUSED = b'{"type":"urn:killer:problem:too_fast","title":"Not so fast."}'


def answer(status: bytes, body: bytes, kind: bytes = b"application/json") -> bytes:
    length = str(len(body)).encode()
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n" % (status, kind, length)
    return head + body


def told(status: bytes, body: bytes, kind: bytes = b"application/json") -> str:
    """Sign in where that is answered, and give the sentence."""
    with server([answer(status, body, kind)]) as (client, _), speaking("en"):
        with pytest.raises(HostError) as caught:
            Host(client.address).sign_in("token")
        return str(caught.value)


@pytest.mark.parametrize(
    "body", [b"<html>A shop</html>", b"[]", b'{"organiser": "Zoe"}', b"\xff"], ids=repr
)
def test_another_site_is_no_killer_server(body: bytes) -> None:
    assert "isn't a killer server" in told(b"200 OK", body)


def test_a_refusal_is_told_in_the_server_s_words() -> None:
    assert "(Not so fast.)" in told(b"429 Slow", REFUSED, b"application/problem+json")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"], ids=repr)
def test_a_refusal_without_words_is_told_by_its_number(body: bytes) -> None:
    assert "(answer 500)" in told(b"500 Oh", body)


def test_a_player_s_link_is_not_enough() -> None:
    assert "a player's" in told(b"200 OK", b'{"nickname": "Zoe", "organiser": false}')


def test_a_move_within_the_site_is_told_by_its_number() -> None:
    moved = b"302 Found\r\nLocation: /login"
    assert "(answer 302)" in told(moved, b"")
