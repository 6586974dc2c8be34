"""Headers and words of sheets, as forms and people write them in French and in English."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.sheets.columns import (
    Meaning,
    cell_problems,
    meaning_of,
    order_of,
    recognise,
    status_of,
    truth_of,
)
from killer.sheets.tables import Row, Table, read_table

HEADERS = {
    Meaning.TIMESTAMP: ["Horodateur", "Timestamp"],
    Meaning.NICKNAME: [
        "Surnom",
        "Surnom (le VRAI, pour pouvoir vous identifier)",
        "Surnom du tueur",
        "SURNOM :",
        "1. Quel est votre surnom ?",
        "Ton pseudo",
        "Pseudo de jeu",
        "Nickname",
        "Your nickname",
        "Player",
        "Player's name",
        "Codename",
        "Joueur(se)",
        "Joueur·se",
        "Nom de code",
    ],
    Meaning.FULL_NAME: ["Nom complet", "Nom et prénom", "Prénom / Nom", "Full name", "Name"],
    Meaning.FIRST_NAME: ["Prénom", "Votre prénom", "First name"],
    Meaning.LAST_NAME: ["Nom", "Nom de famille", "Last name", "Surname"],
    Meaning.YEAR: ["Année", "Promo", "Promo(tion)", "Classe", "Année d'études", "Year", "Group"],
    Meaning.GENDER: ["Sexe", "Genre", "Gender"],
    Meaning.PASSWORD: [
        "Mot de passe",
        "Votre mot de passe (vous devrez vous en SOUVENIR pour jouer)",
        "Mot de passe pour le jeu",
        "MDP",
        "Password",
    ],
    Meaning.SECRET: ["Confirmez votre mot de passe", "Repeat password", "Mot de passe oublié ?"],
    Meaning.PHOTO: ["Photo", "Une photo de vous (pour le jeu)", "Photo d'identité", "📸 Photo"],
    Meaning.EMAIL: ["Adresse e-mail", "Mail", "Adresse mail étudiante", "Email address", "E-mail"],
    Meaning.PHONE: ["Téléphone", "N° de téléphone", "Numéro de portable", "Phone number"],
    Meaning.TARGET: [
        "Cible actuelle",
        "Surnom de sa cible",
        "Nom de la cible",
        "Cible",
        "Target",
        "Target's nickname",
        "Current target",
    ],
    Meaning.CHALLENGE: ["Défi ciblé", "Défis ciblés", "DEFI CIBLE"],
    Meaning.ACTION: [
        "Défi",
        "défis",
        "Action à réaliser",
        "Action",
        "Challenge",
        "Mission (à faire en secret)",
        "Défi sur la cible",
    ],
    Meaning.STATUS: ["État", "Etat", "Statut", "Status", "Statut du joueur"],
    Meaning.KILLED_BY: ["Tué par", "Tué(e) par", "Tué·e par", "Tuée par", "Killed by"],
    Meaning.ORDER: ["Ordre d'élimination", "Ordre d\u2019élimination", "Ordre", "Death order"],
    Meaning.KILLS: ["Kills", "Nombre de kills", "Kill count"],
    Meaning.ORGANISER: ["Admin", "Organisateur", "Organisateur(trice)", "Organiser", "Is admin?"],
}

FREE_ANSWERS = [
    "Un petit mot pour les organisateurs",
    "Idées de défis",
    "Des idées de défis ?",
    "Défis que vous aimeriez voir",
    "Message for the organisers",
    "État de santé",
    "Photo de votre animal",
    "Pseudo Instagram",
    "Quel est votre plat préféré (pour le défi) ?",
    "Nombre de frères",
    "Surnom de votre meilleur ami",
    "Allergies",
    "",
    "(?)",
]


def sheet(text):
    return recognise(read_table("joueurs.csv", text.encode()))


def codes(text):
    return [problem.code for problem in sheet(text).problems]


@pytest.mark.parametrize(
    ("header", "meaning"), [(text, meaning) for meaning, texts in HEADERS.items() for text in texts]
)
def test_headers_are_recognised_by_meaning(header, meaning):
    assert meaning_of(header) is meaning
    assert meaning_of(unicodedata.normalize("NFD", f"  {header.upper()} ")) is meaning


@pytest.mark.parametrize("header", FREE_ANSWERS)
def test_other_questions_are_free_answers(header):
    assert meaning_of(header) is None


@given(st.text(max_size=80))
def test_any_header_has_a_meaning_or_none(header):
    assert meaning_of(header) in {None, *Meaning}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("alive", ["", "vivant", "Vivante", "ALIVE", "en vie", "Vivant(e)"]),
        ("dead", ["mort", "Morte", "dead", "Éliminé", "éliminé(e)", "ELIMINEE", "tué·e", "killed"]),
        ("gaveup", ["abandon", "a abandonné", "gaveup", "Gave up"]),
        ("out", ["admin", "Orga", "Organisateur", "test", "hors-jeu", "out", "Ne joue pas"]),
        ("out", ["spectateur"]),
        (None, ["bof", "💀", "-", "mort de rire"]),
    ],
)
def test_status_words(status, words):
    assert {status_of(word) for word in words} == {status}


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (True, ["TRUE", "vrai", "Oui", "yes", "1", "x", "X", "admin"]),
        (False, ["FALSE", "Faux", "non", "No", "0", "", "  "]),
        (None, ["peut-être", "✅", "2"]),
    ],
)
def test_yes_and_no(truth, words):
    assert {truth_of(word) for word in words} == {truth}


@pytest.mark.parametrize(
    ("word", "order"),
    [("", 0), ("0", 0), ("-1", 0), ("3", 3), ("3.0", 3), ("12,0", 12), ("-2", None), ("3e", None)],
)
def test_the_order_of_eliminations(word, order):
    assert order_of(word) == order


def test_a_column_is_found_wherever_it_stands():
    read = sheet("Photo,Mot de passe,Surnom\nlien, 0123 ,Loup\n")
    (row,) = read.rows
    assert read.name(row) == "Loup"
    assert read.cell(row, Meaning.PASSWORD) == "0123"
    assert read.cell(row, Meaning.EMAIL) == read.header(Meaning.EMAIL) == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Surnom,Nom,Prénom\nLoup,Petit,Ana\n", "Loup"),
        ("Nom,Prénom\nPetit,Ana\n", "Ana Petit"),
        ("Prénom,Classe\nAna,3A\n", "Ana"),
        ("Name,Year\nAna P.,3A\n", "Ana P."),
    ],
)
def test_players_are_named_by_their_nickname_or_else_by_their_names(text, name):
    read = sheet(text)
    assert read.name(read.rows[0]) == name


def test_a_sheet_that_names_nobody_has_no_naming():
    assert sheet("Classe,Mail\n3A,a@b.fr\n").naming == ()


def test_columns_without_a_field_are_kept_as_answers_under_their_own_headers():
    read = sheet("Surnom,Nom,Horodateur,Allergies,Allergies,Kills\nLoup,Petit,8h,noix,,2\n")
    assert read.answers(read.rows[0]) == (("Nom", "Petit"), ("Allergies", "noix"), ("Kills", "2"))


def test_names_that_name_the_player_are_not_answers_as_well():
    read = sheet("Nom,Prénom,Kills\nPetit,Ana,0\n")
    assert read.answers(read.rows[0]) == ()


def test_a_confirmed_password_is_kept_nowhere():
    read = sheet("Surnom,Mot de passe,Confirmez le mot de passe\nLoup,mdp,mdp\n")
    assert read.problems == read.answers(read.rows[0]) == ()


def test_two_columns_that_mean_the_same_are_named_both():
    (problem,) = sheet("Surnom,Mail,Adresse e-mail\nLoup,a@b.fr,c@d.fr\n").problems
    assert (problem.code, problem.row, problem.column) == ("two_columns", None, "Mail")
    assert dict(problem.params) == {
        "first": "Mail",
        "second": "Adresse e-mail",
        "columns": "B, C",
    }


def test_columns_beyond_z_are_called_as_a_spreadsheet_calls_them():
    header = ",".join(["Surnom", *(f"q{n}" for n in range(26)), "Pseudo"])
    (problem,) = sheet(f"{header}\nLoup{',' * 27}Lynx\n").problems
    assert dict(problem.params)["columns"] == "A, AB"


@pytest.mark.parametrize(
    "text",
    [
        "Surnom,Mail,Adresse e-mail\nLoup,,a@b.fr\n",
        "Surnom,Mail,Adresse e-mail\nLoup,a@b.fr,\n",
        "Surnom,Mail,Adresse e-mail\nLoup,a@b.fr,a@b.fr\n",
        "Surnom,Mail,Adresse e-mail\nLoup,,\n",
        "Surnom,Horodateur,Horodateur\nLoup,1,2\n",
    ],
)
def test_a_second_column_that_says_nothing_else_is_no_problem(text):
    assert codes(text) == []


def test_of_a_mail_column_twice_the_filled_one_is_read():
    read = sheet("Surnom,Mail,Adresse e-mail\nLoup,,a@b.fr\n")
    assert read.cell(read.rows[0], Meaning.EMAIL) == "a@b.fr"


def test_a_second_harmless_column_is_a_free_answer_unless_its_header_is_the_same():
    read = sheet("Surnom,Année,Groupe\nLoup,3A,B\n")
    assert read.problems == ()
    assert read.answers(read.rows[0]) == (("Groupe", "B"),)
    assert codes("Surnom,Photo,Photo\nLoup,un,deux\n") == ["two_columns"]


def test_rows_where_only_checkboxes_stand_are_not_rows():
    read = sheet("Surnom,Admin,Kills,Ordre\nLoup,FALSE,0,-1\n,FALSE,0,-1\n,FAUX,,\n,TRUE,,\n")
    assert [row.number for row in read.rows] == [2, 5]


def test_of_a_row_with_too_many_cells_only_the_name_is_trusted():
    read = sheet("Surnom,Mot de passe,Cible\nLoup,,mdp,Lynx\n")
    (problem,) = read.problems
    assert (problem.code, problem.row) == ("too_many_cells", 2)
    assert dict(problem.params) == {"cells": "4", "columns": "3"}
    assert read.rows[0].cells == ("Loup", "", "")


def said(header, cell):
    read = recognise(Table("j.csv", ("Surnom", header), (Row(2, ("Loup", cell)),)))
    return [(p.code, p.severity) for p in cell_problems(read, read.rows[0])]


@pytest.mark.parametrize(
    ("header", "limit"),
    [("Défi", 500), ("Mot de passe", 200), ("Allergies", 5000), ("Classe", 60), ("Cible", 300)],
)
def test_every_cell_has_a_longest_length(header, limit):
    assert said(header, "x" * limit) == []
    assert said(header, "x" * (limit + 1)) == [("too_long", "problem")]


@pytest.mark.parametrize(
    ("header", "cell", "noted"),
    [
        ("Allergies", "=A1", True),
        ("Allergies", '=HYPERLINK("x")', True),
        ("Allergies", "+moi", True),
        ("Allergies", "@loup", True),
        ("Allergies", "-rien", True),
        ("Allergies", "- rien", False),
        ("Allergies", "-12,5", False),
        ("Téléphone", "+33 6 39 98 00 00", False),
        ("Ordre", "-1", False),
        ("Mot de passe", "=abc", False),
    ],
)
def test_cells_that_look_like_formulas_are_noted(header, cell, noted):
    assert said(header, cell) == [("formula", "note")] * noted


@pytest.mark.parametrize(
    ("header", "cell", "wrong"),
    [
        ("Allergies", "noix\nlait\tmiel", False),
        ("Allergies", "noix\x07", True),
        ("Mot de passe", "ab\ncd", True),
        ("Mot de passe", "abcd\n", False),
        ("Classe", "3\x1bA", True),
    ],
)
def test_control_characters_are_refused_but_texts_may_have_lines(header, cell, wrong):
    assert said(header, cell) == [("control_characters", "problem")] * wrong


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("Mail", "loup@example.org", None),
        ("Mail", "loup.gris+killer@etu.example.org", None),
        ("Mail", "loup@example", "bad_mail"),
        ("Mail", "a@b.fr, c@d.fr", "bad_mail"),
        ("Mail", "non", "bad_mail"),
        ("État", "bof", "unknown_status"),
        ("Admin", "peut-être", "unknown_organiser"),
        ("Ordre", "3e", "bad_order"),
    ],
)
def test_words_that_a_column_does_not_know(header, cell, code):
    assert said(header, cell) == ([(code, "problem")] if code else [])
