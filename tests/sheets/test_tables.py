"""Bytes to tables: encodings, delimiters, row numbers, and files that are no table."""

import csv
import io
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from killer.sheets.tables import LARGEST, MOST_ROWS, UnreadableTable, read_table

TEXT = "Surnom,Défi\nZélé,« chanter »\n"


def cells(data):
    return [row.cells for row in read_table("f.csv", data).rows]


def refused(data):
    with pytest.raises(UnreadableTable) as caught:
        read_table("f.csv", data)
    return caught.value


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            kind = "application/vnd.oasis.opendocument.spreadsheet" if name == "mimetype" else "…"
            archive.writestr(name, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le-bom", "utf-16-be-bom"]
)
def test_accents_survive_every_encoding_that_exports_use(encoding):
    if encoding.endswith("-bom"):
        data = ("\ufeff" + TEXT).encode(encoding.removesuffix("-bom"))
    else:
        data = TEXT.encode(encoding)
    table = read_table("f.csv", data)
    assert table.header == ("Surnom", "Défi")
    assert table.rows[0].cells == ("Zélé", "« chanter »")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_delimiter_and_any_line_end(delimiter, end):
    lines = (delimiter.join(line) for line in (("A", "B", "C"), ("1", "2", "3"), ("4", "", "6")))
    assert cells(end.join(lines).encode()) == [("1", "2", "3"), ("4", "", "6")]


def test_commas_in_sentences_do_not_pass_for_the_delimiter():
    data = b"Surnom;Action\n" + b"Loup;imiter un pingouin, lentement\n" * 5
    assert cells(data)[0] == ("Loup", "imiter un pingouin, lentement")


def test_commas_in_every_sentence_and_in_the_header_do_not_either():
    data = "Surnom (le vrai, svp);Défi\nLoup;chanter, fort\nLynx;danser, vite\n".encode()
    assert cells(data) == [("Loup", "chanter, fort"), ("Lynx", "danser, vite")]


def test_a_delimiter_that_only_the_header_has_often_is_not_taken():
    data = b"Surnom (vrai, unique, court);Action\nLoup;chanter\nLynx;danser\n"
    assert cells(data) == [("Loup", "chanter"), ("Lynx", "danser")]


def test_semicolons_in_quoted_titles_do_not_pass_for_the_delimiter():
    data = b'"Surnom (vrai; unique)",Action\n"Loup; gris",chanter\n'
    assert cells(data) == [("Loup; gris", "chanter")]


def test_rows_cut_short_do_not_hide_the_delimiter():
    data = b"A,B,C;x,D\n1\n2\n3,,\n4,5,6,7\n"
    assert cells(data)[-1] == ("4", "5", "6", "7")


def test_one_column_is_a_table_too():
    assert cells(b"Surnom\nLoup\nLynx\n") == [("Loup",), ("Lynx",)]


def test_rows_keep_the_numbers_of_the_spreadsheet():
    data = b'Surnom,Mot\n\nLoup,"deux\nlignes"\n , \nLynx,x\n'
    assert [row.number for row in read_table("f.csv", data).rows] == [3, 5]


def test_a_header_below_empty_rows_is_found():
    table = read_table("f.csv", b",\n,\nSurnom,Action\nLoup,x\n")
    assert table.header == ("Surnom", "Action")
    assert table.rows[0].number == 4


def test_short_rows_are_filled_up_and_empty_cells_too_many_are_cut():
    assert cells(b"A,B,C\n1\n1,2,3,,\n") == [("1", "", ""), ("1", "2", "3")]


def test_filled_cells_too_many_are_kept_to_be_told():
    assert cells(b"A,B\n1,2,3\n") == [("1", "2", "3")]


def test_zeros_before_a_password_stay():
    assert cells(b"Surnom,Mot de passe\nLoup,0123\n") == [("Loup", "0123")]


def test_titles_over_two_lines_become_one():
    assert read_table("f.csv", b'"Surnom\n(le vrai)",B\n').header == ("Surnom (le vrai)", "B")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (zipped("mimetype", "content.xml"), "ods"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx"),
        (zipped("joueurs.csv"), "zip"),
        (b"\x1f\x8b\x08", "zip"),
        (b"%PDF-1.7", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"\0\0\0\x18ftypheic", "image"),
        (b"RIFF\0\0\0\0WEBP", "image"),
        (b"<!DOCTYPE html><html>", "html"),
        (b"\n <html lang=fr>", "html"),
        (b"Surnom\0,Age\n", "nul"),
        ("Surnom,Age\n".encode("utf-16-le"), "nul"),
        (b"Surnom,\x81\n", "encoding"),
        (b"\xef\xbb\xbfSurnom,\xe9\n", "encoding"),
        (b"\xff\xfeS", "encoding"),
        (b",,\n,,\n", "no_header"),
        (b"12,34\n", "no_header"),
        (b"Surnom\n" + b"x\n" * (MOST_ROWS + 1), "too_many_rows"),
        (b"Surnom\n" * (LARGEST // 7 + 1), "too_big"),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(data, code):
    refusal = refused(data)
    assert (refusal.code, refusal.file) == (f"unreadable_{code}", "f.csv")


def test_exactly_the_most_rows_are_read():
    assert len(cells(b"Surnom\n\n" + b"x\n\n" * MOST_ROWS)) == MOST_ROWS


def test_a_quote_never_closed_is_refused_instead_of_swallowing_players():
    problem = refused(b'Surnom,Mot\nLoup,"un\nLynx,deux\nOurs,trois\n').problem
    assert (problem.code, problem.params) == ("unreadable_quote", (("row", "2"),))


def test_a_cell_without_an_end_in_sight_is_refused():
    data = b'Surnom,Mot\nLoup,"' + b"x" * (csv.field_size_limit() + 1) + b'"\n'
    assert refused(data).code == "unreadable_quote"


def test_a_refusal_is_told_like_a_problem():
    refusal = refused(b"Surnom\n" * (LARGEST // 7 + 1))
    problem = refusal.problem
    assert (problem.file, problem.row, problem.column) == ("f.csv", None, "")
    assert problem.params == refusal.params == (("limit", "5"),)


def test_no_cell_is_shown_when_a_table_is_printed():
    assert "s3cret" not in repr(read_table("f.csv", b"Surnom,Mot de passe\nLoup,s3cret\n"))


csv_like = st.text(alphabet='ab,;\t"\n\r \u00e9\u200b', max_size=60).map(str.encode)


@given(st.one_of(st.binary(max_size=200), csv_like))
@example(b'a,b\n"')
@example(b"\r\r\n\n")
def test_any_bytes_are_read_or_refused(data):
    try:
        table = read_table("f.csv", data)
    except UnreadableTable as refusal:
        assert refusal.code.startswith("unreadable_")  # noqa: PT017 -- either way is right
    else:
        assert all(len(row.cells) >= len(table.header) for row in table.rows)


words = st.text(alphabet="abcé« »',;\t\n\"", max_size=8).map(lambda word: f"x{word}x")


@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.tuples(*[words] * n), min_size=1)))
def test_whatever_a_spreadsheet_exports_comes_back(rows):
    file = io.StringIO()
    csv.writer(file).writerows([[f"titre {n}" for n in range(len(rows[0]))], *rows])
    assert cells(file.getvalue().encode()) == rows
