"""What a phone reads in a page: the form that it sends, with the fields that belong to it."""

from __future__ import annotations

from killer.crowd.phone import form_of

PAGE = """
<form method="post" action="/language"><input type="hidden" name="csrf_token" value="a"></form>
<form class="stack leave" method="post" action="/death" data-leave>
  <input type="hidden" name="csrf_token" value="b">
  <input type="hidden" name="idempotency_key" value="k">
  <input type="checkbox" name="sure" value="yes" required></form>
<form method="post" action="/sign-out"><input type="hidden" name="csrf_token" value="c"></form>
"""


def test_a_form_is_found_by_its_action() -> None:
    assert form_of(PAGE, "/death") == {"csrf_token": "b", "idempotency_key": "k"}
    assert form_of(PAGE, "/sign-out") == {"csrf_token": "c"}


def test_a_page_without_the_form_gives_nothing() -> None:
    assert form_of(PAGE, "/giveup") == {}
    assert form_of("", "/death") == {}
