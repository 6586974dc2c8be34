"""Every form in which a Drive link was seen, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.media.links import file_ids

ID = "1AbC-dEf_GhIjKlMnOpQrStUvWxYz0123"
OTHER = "0B9zYxWvUtSrQpOnMlKjIhGfEdCbA"

FORMS = (
    "https://drive.google.com/open?id={}",
    "https://drive.google.com/open?id={}&usp=drive_copy",
    "https://drive.google.com/u/0/open?usp=forms_web&id={}",
    "https://drive.google.com/u/1/open?usp=forms_web&amp;id={}",
    "https://drive.google.com/file/d/{}/view?usp=sharing",
    "https://drive.google.com/file/u/2/d/{}/edit",
    "https://drive.google.com/a/ecole.fr/file/d/{}/preview",
    "https://drive.google.com/uc?id={}",
    "https://drive.google.com/uc?export=view&id={}",
    "https://docs.google.com/uc?export=download&id={}",
    "https://drive.google.com/thumbnail?id={}&sz=w1000",
    "https://drive.usercontent.google.com/download?id={}&export=view",
    "https://lh3.googleusercontent.com/d/{}=w1000",
    "https://lh3.google.com/u/0/d/{}=w200-h190",
    "http://drive.google.com/open?id={}",
    "drive.google.com/file/d/{}",
    "HTTPS://Drive.Google.com/open?id={}",
    "<https://drive.google.com/open?id={}>",
    "« https://drive.google.com/open?id={} »",
    "{}",
)
NONE = (
    "",
    "   ",
    "non",
    "Je n'ai pas de photo, désolé",
    "06 12 34 56 78",
    "https://www.instagram.com/p/1AbC-dEf_GhIjKlMnOpQrStUvWxYz0123/",
    "https://drive.google.com/drive/folders/1AbC-dEf_GhIjKlMnOpQrStUvWxYz0123",
    "https://drive.google.com/open",
    "https://drive.google.com/open?id=",
    "https://drive.google.com/open?id=../../etc/passwd",
    "https://drive.google.com/file/d/%2e%2e%2fetc/view",
    "https://drive.google.com.evil.example/open?id=1AbC-dEf_GhIjKlMnOpQrStUvWxYz0123",
    "https://evil.example/?u=https://drive.google.com/open?id=1AbC-dEf_GhIjKlMnOpQr",
    "https://drive.google.com@evil.example/open?id=1AbC-dEf_GhIjKlMnOpQrStUvWxYz0123",
    "https://lh3.googleusercontent.com.evil.example/d/1AbC-dEf_GhIjKlMnOpQrStUvWxYz0123",
    "http://[",
    "anticonstitutionnellement-et-encore",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_link_names_its_file(form: str) -> None:
    assert file_ids(form.format(ID)) == (ID,)


@pytest.mark.parametrize("between", [", ", ",", "\n", "\r\n", " ", "; ", " ; \n", "\t"])
def test_several_links_in_a_cell_come_in_their_order(between: str) -> None:
    cell = between.join(form.format(i) for form, i in zip(FORMS[4:6], (OTHER, ID), strict=True))
    assert file_ids(cell) == (OTHER, ID)


def test_a_file_that_is_named_twice_comes_once() -> None:
    cell = ", ".join(form.format(ID) for form in FORMS)
    assert file_ids(f"{FORMS[0].format(OTHER)}, {cell}") == (OTHER, ID)


def test_links_among_words_are_found() -> None:
    assert file_ids(f"voilà : {FORMS[0].format(ID)} (la 2e, pas l'autre)") == (ID,)


@pytest.mark.parametrize("cell", NONE)
def test_whatever_else_stands_in_a_cell_names_nothing(cell: str) -> None:
    assert file_ids(cell) == ()


@given(st.text(max_size=300))
def test_no_cell_is_an_error_and_an_identifier_is_harmless(cell: str) -> None:
    for found in file_ids(cell):
        assert found.replace("-", "").replace("_", "").isalnum()
        assert found.isascii()
