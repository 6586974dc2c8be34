"""Nicknames: what is shown of one, and when two of them are one person's."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.game.names import alphabetical, clean, key

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("typed", "registered"),
    [
        ("ALICE", "alice"),
        ("  Zélé   Tatou ", "Zélé Tatou"),
        ("Zélé\u00a0Tatou", "Zélé Tatou"),
        (unicodedata.normalize("NFD", "Zélé"), "Zélé"),
        ("Ali\u200bce\ufeff", "Alice"),
        ("Al\u00adice\u2060", "Alice"),
        ("Straße", "STRASSE"),
        ("ﬁn", "fin"),
        ("\uff21lice", "Alice"),
        ("❤\ufe0f", "❤"),
        ("İnci", "i̇nci"),
    ],
)
def test_a_nickname_is_found_however_it_was_typed(typed, registered):
    assert key(typed) == key(registered)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Élan", "Elan"), ("Alice", "Alice2"), ("Jean Paul", "JeanPaul"), ("😀", "😃")],
)
def test_different_nicknames_stay_different_people(one, other):
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "nothing", ["", "   ", "\u200b", "\u3164", "\u2800 \u2800", "\x07", "\ufe0f"]
)
def test_a_nickname_that_shows_nothing_has_an_empty_key(nothing):
    assert key(nothing) == ""


def test_the_shown_form_keeps_case_and_accents_and_loses_what_is_invisible():
    assert clean(" Zélé\u200b \t Tatou\x07 ") == "Zélé Tatou"
    assert clean(unicodedata.normalize("NFD", "Élan")) == "Élan"
    assert clean("ﬁn ½") == "ﬁn ½"


def test_accents_that_meet_when_an_invisible_character_goes_are_joined():
    assert clean("e\u200b\u0301") == "é"
    assert key("e\u200b\u0301") == key("É")


@given(ANY_TEXT)
def test_the_key_of_a_key_is_itself(text):
    assert key(key(text)) == key(text)


@given(ANY_TEXT)
def test_the_shown_form_of_a_shown_form_is_itself_and_has_the_same_key(text):
    assert clean(clean(text)) == clean(text)
    assert key(clean(text)) == key(text)


def test_every_single_character_has_a_stable_key():
    for code in range(0, sys.maxunicode, 7):
        once = key(chr(code))
        assert key(once) == once


def test_accents_don_t_send_a_name_to_the_end_of_the_alphabet():
    assert sorted(["Zoé", "Élise", "ana", "Émile"], key=alphabetical) == [
        "ana",
        "Élise",
        "Émile",
        "Zoé",
    ]
