"""Tables to rosters: who plays, whom they hunt, and every problem with its row and a sentence."""

import random
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import killer
from game.players import a_game
from killer.game.model import Game
from killer.game.names import key
from killer.sheets.claims import sort_out
from killer.sheets.roster import Entry, Reading, read_roster
from killer.sheets.tables import UnreadableTable, read_table

FORM = (
    'Horodateur,"Surnom (le VRAI, pour pouvoir vous identifier)",Année,Sexe,'
    "Votre mot de passe (vous devrez vous en SOUVENIR pour jouer),Une photo de vous (pour le jeu),"
    "Un petit mot pour les organisateurs,Idées de défis,Adresse e-mail,Cible actuelle,État,"
    "Tué par,Ordre d'élimination,Nombre de kills,Admin,Téléphone\n"
)
FORM_ROWS = (
    "17/10/2026 08:00:00,Vif Loup,3A,H,0123,https://drive.google.com/open?id=x,Bravo,danser,"
    "loup@example.org,,,,,,FALSE,+33639980000\n"
    "17/10/2026 09:00:00,Zélé Lynx,1A,F,mdp,,,,lynx@example.org,,,,,,FALSE,\n"
    "17/10/2026 07:00:00,Orga 1,,,orga,,,,orga@example.org,,admin,,-1,0,TRUE,\n"
)
OLD = (
    "Nom;Prénom;Année;Surnom du tueur;Mot de passe;"
    "Surnom de sa cible;Action à réaliser;État;Kills\r\n"
    "Petit;Ana;1A;Vif Loup;a;Noir Élan;danser, sans musique;;\r\n"
    "Grand;Bob;2A;Noir Élan;b;Bleu Lynx;chanter;;\r\n"
    "Moyen;Cléo;3A;Bleu Lynx;c;Vif Loup;compter;;\r\n"
)


def read(players, challenges=None):
    second = read_table("defis.csv", challenges.encode()) if challenges else None
    return read_roster(read_table("joueurs.csv", players.encode()), second)


def by_name(reading):
    return {entry.nickname: entry for entry in reading.entries}


def found(reading, code):
    return [problem for problem in reading.problems if problem.code == code]


def only(reading, code):
    (problem,) = found(reading, code)
    return problem


def ring(*names, extra=""):
    """A sheet in which each hunts the next one."""
    pairs = zip(names, [*names[1:], names[0]], strict=True)
    return "Surnom,Cible\n" + "".join(f"{hunter},{prey}\n" for hunter, prey in pairs) + extra


def test_a_form_is_read_with_its_challenges():
    reading = read(
        FORM + FORM_ROWS, "Surnom,Défi ciblé\nvif loup,Le faire danser\nZÉLÉ LYNX,Rire\n"
    )
    assert reading.sound
    assert reading.problems == ()
    assert reading.entries[0] == Entry(
        nickname="Vif Loup",
        stamp="17/10/2026 08:00:00",
        year="3A",
        password="0123",
        email="loup@example.org",
        phone="+33639980000",
        photo="https://drive.google.com/open?id=x",
        gender="H",
        challenge="Le faire danser",
        answers=(("Un petit mot pour les organisateurs", "Bravo"), ("Idées de défis", "danser")),
        file="joueurs.csv",
        row=2,
    )
    assert by_name(reading)["Zélé Lynx"].challenge == "Rire"


def test_an_organiser_does_not_play():
    orga = by_name(read(FORM + FORM_ROWS))["Orga 1"]
    assert (orga.status, orga.organiser, orga.order) == ("out", True, None)


@pytest.mark.parametrize(
    ("admin", "status", "target", "read_as"),
    [
        ("oui", "", "", "out"),
        ("oui", "vivant", "", "alive"),
        ("oui", "", "Lynx", "alive"),
        ("oui", "orga", "Lynx", "alive"),
        ("oui", "mort", "", "dead"),
        ("non", "", "", "alive"),
        ("non", "orga", "", "out"),
    ],
)
def test_whether_an_organiser_plays(admin, status, target, read_as):
    text = f"Surnom,Admin,État,Cible\nLoup,{admin},{status},{target}\nLynx,,,\n"
    assert by_name(read(text))["Loup"].status == read_as


def test_the_old_format_gives_each_action_to_the_target_of_its_row():
    reading = read_roster(read_table("ancien.csv", OLD.encode("cp1252")))
    assert reading.problems == ()
    players = by_name(reading)
    assert players["Noir Élan"].challenge == "danser, sans musique"
    assert players["Vif Loup"].challenge == "compter"
    assert players["Vif Loup"].target == "Noir Élan"
    assert players["Vif Loup"].answers == (("Nom", "Petit"), ("Prénom", "Ana"))


@pytest.mark.parametrize("header", ["Action à réaliser", "Défi", "Challenge"])
def test_what_a_hunter_does_belongs_to_the_target_beside_it(header):
    players = by_name(read(f"Surnom,Cible,{header}\nLoup,Lynx,chanter\nLynx,Loup,danser\n"))
    assert (players["Lynx"].challenge, players["Loup"].challenge) == ("chanter", "danser")


@pytest.mark.parametrize("header", ["Action à réaliser", "Défi", "Challenge", "Défi ciblé"])
def test_without_targets_a_challenge_belongs_to_the_player_of_the_row(header):
    players = by_name(read(f"Surnom,Cible,{header}\nLoup,,chanter\nLynx,,danser\n"))
    assert (players["Loup"].challenge, players["Lynx"].challenge) == ("chanter", "danser")


def test_a_targeted_challenge_belongs_to_the_player_of_the_row_even_beside_a_target():
    players = by_name(read("Surnom,Cible,Défi ciblé\nLoup,Lynx,chanter\nLynx,Loup,danser\n"))
    assert (players["Loup"].challenge, players["Lynx"].challenge) == ("chanter", "danser")


def test_a_second_file_may_name_targets():
    reading = read("Surnom\nLoup\nLynx\n", "Cible,Défi\nLynx,chanter\nLoup,danser\n")
    assert by_name(reading)["Lynx"].challenge == "chanter"


def test_an_action_without_a_target_among_others_with_one_is_left_out_and_told():
    reading = read("Surnom,Cible,Action\nLoup,Lynx,chanter\nLynx,Loup,rire\nOurs,,danser\n")
    assert dict(only(reading, "challenge_without_target").params) == {"n": "1", "names": "Ours"}
    assert by_name(reading)["Ours"].challenge == ""


def test_a_ring_that_was_given_is_kept():
    reading = read(ring("Loup", "Lynx", "Ours"))
    assert [entry.target for entry in reading.entries] == ["Lynx", "Ours", "Loup"]


def test_others_are_named_as_their_own_rows_name_them():
    reading = read(
        "Surnom,Cible,Tué par,État\nZélé  Lynx,LOUP,,\nLoup,zélé\u200b lynx,,\nOurs,,loup,mort\n"
    )
    players = by_name(reading)
    assert reading.sound
    assert players["Loup"].target == "Zélé Lynx"
    assert players["Ours"].killed_by == "Loup"


def test_an_export_from_the_middle_of_a_game_is_read_completely():
    reading = read(
        "Surnom,Cible,État,Tué par,Ordre,Défi ciblé\n"
        "Loup,Lynx,vivant,,0,a\nLynx,Loup,,,,b\nOurs,Lynx,mort,Loup,2,c\n"
        "Daim,,éliminé,Ours,1,d\nGeai,,abandon,,3,e\nChat,,hors jeu,,-1,\n"
    )
    assert reading.sound
    assert [(e.nickname, e.status, e.target, e.killed_by, e.order) for e in reading.entries] == [
        ("Loup", "alive", "Lynx", "", None),
        ("Lynx", "alive", "Loup", "", None),
        ("Ours", "dead", "", "Loup", 2),
        ("Daim", "dead", "", "Ours", 1),
        ("Geai", "gaveup", "", "", 3),
        ("Chat", "out", "", "", None),
    ]
    assert dict(only(reading, "idle_target").params)["names"] == "Ours"


def test_the_last_one_alive_may_be_his_own_target():
    reading = read("Surnom,Cible,État\nLoup,Loup,\nLynx,,mort\n")
    assert reading.sound
    assert by_name(reading)["Loup"].target == "Loup"


def test_a_nickname_taken_twice_names_both_rows():
    problem = only(read("Surnom\nZélé Lynx\nLoup\n zélé   LYNX\n"), "nickname_twice")
    assert (problem.file, problem.row, problem.column) == ("joueurs.csv", 4, "Surnom")
    assert dict(problem.params) == {"nickname": "zélé LYNX", "other": "2"}


def test_an_accent_makes_another_person():
    assert read("Surnom\nÉlan\nElan\n").sound


def test_texts_stay_as_given_but_for_the_spaces_around_them():
    reading = read('Surnom,Défi,Mot de passe,Allergies\n Vif  Loup ," a  b ", 01 2 ," x\n y "\n')
    (loup,) = reading.entries
    assert (loup.nickname, loup.challenge, loup.password) == ("Vif Loup", "a  b", "01 2")
    assert loup.answers == (("Allergies", "x\n y"),)


def test_notes_for_many_rows_are_given_once_with_the_first_names():
    reading = read("Surnom\n" + "".join(f"Loup {n}\n" for n in range(500)))
    assert [problem.code for problem in reading.problems] == ["no_password", "no_challenge"]
    shown = {"n": "500", "names": "Loup 0, Loup 1, Loup 2…"}
    assert [dict(problem.params) for problem in reading.problems] == [shown, shown]
    assert reading.sound


def test_a_note_for_one_row_keeps_its_row():
    assert only(read("Surnom,Mot de passe\nLoup,a\nLynx,\n"), "no_password").row == 3


def test_separate_rings_are_named_by_a_member_and_their_sizes():
    text = "Surnom,Cible\nA,B\nB,A\nC,D\nD,E\nE,C\n"
    problem = only(read(text), "several_rings")
    assert (problem.row, problem.column) == (None, "Cible")
    assert dict(problem.params) == {"rings": "2", "members": "A (2), C (3)"}


def test_when_only_some_have_a_target_the_ring_will_be_drawn():
    reading = read("Surnom,Cible\nA,B\nB,\nC,A\n")
    assert reading.sound
    assert dict(only(reading, "some_targets").params) == {"given": "2", "living": "3"}
    assert {entry.target for entry in reading.entries} == {""}


def test_a_row_with_a_problem_can_be_left_out():
    reading = read("Surnom,Mail\nLoup,a@b.fr\nLynx,non\n,x@y.fr\n").without_bad()
    assert reading.sound
    assert [entry.nickname for entry in reading.entries] == ["Loup"]
    assert dict(only(reading, "skipped").params) == {"n": "2", "rows": "3, 4"}
    assert not found(reading, "targets_dropped")


def test_when_a_target_is_lost_with_its_row_the_ring_will_be_drawn():
    text = "Surnom,Cible,Mail\nA,B,\nB,C,non\nC,A,\n"
    reading = read(text).without_bad()
    assert reading.sound
    assert [(entry.nickname, entry.target) for entry in reading.entries] == [("A", ""), ("C", "")]
    assert only(reading, "targets_dropped").severity == "note"


def test_a_ring_that_loses_nobody_is_kept_when_bad_rows_are_left_out():
    reading = read(ring("A", "B", "C"), "Surnom,Défi\nA,x\nZ,y\n").without_bad()
    assert [entry.target for entry in reading.entries] == ["B", "C", "A"]
    assert by_name(reading)["A"].challenge == "x"
    assert dict(only(reading, "skipped").params)["rows"] == "3"


def test_separate_rings_are_drawn_anew_when_bad_rows_are_left_out():
    reading = read("Surnom,Cible\nA,B\nB,A\nC,D\nD,C\n").without_bad()
    assert reading.sound
    assert {entry.target for entry in reading.entries} == {""}
    assert found(reading, "targets_dropped")


def test_a_killer_lost_with_his_row_is_told():
    reading = read("Surnom,État,Tué par,Mail\nA,,,non\nB,mort,A,\nC,,,\n").without_bad()
    assert by_name(reading)["B"].killed_by == ""
    assert dict(only(reading, "killers_lost").params) == {"n": "1", "names": "B"}


def test_a_problem_of_the_whole_file_is_not_left_out():
    assert not read("Surnom,Mail,E-mail\nLoup,a@b.fr,c@d.fr\n").without_bad().sound
    assert not read("Classe\n3A\n").without_bad().sound


@pytest.mark.parametrize("text", ["Surnom,Mail\nLoup,non\n", "Surnom,Mail\n,a@b.fr\n"])
def test_when_no_row_is_left_there_is_nothing_to_import(text):
    reading = read(text).without_bad()
    assert reading.entries == ()
    assert only(reading, "no_players").severity == "problem"


def test_a_sound_reading_has_nothing_to_leave_out():
    reading = read(ring("A", "B"))
    assert reading.without_bad() is reading


def test_no_password_is_ever_told():
    long, lines = "s3cret" * 40, '"s3c\nret"'
    reading = read(
        "Surnom,Mot de passe,Mot de passe,Cible\n"
        f"A,{long},s3cret,B\nB,{lines},=s3cret,A\nA,s3cret,,C\nC, x,y,s3cret,D\n"
    )
    assert not reading.sound
    assert "s3c" not in repr(reading)
    headless = read("Vif Loup,s3cret\nLynx,autre\n")
    assert "s3cret" not in repr(headless)


# Every code with a sheet that brings it about: (players, challenges, row, column).
CASES = {
    "no_nickname_column": ("Classe\n3A\n", None, None, ""),
    "no_players": ("Surnom,Admin\n,FALSE\n", None, None, ""),
    "no_challenge_column": ("Surnom\nA\n", "Surnom,Idées\nA,x\n", None, ""),
    "two_columns": ("Surnom,Pseudo\nA,B\n", None, None, "Surnom"),
    "too_many_cells": ("Surnom,Mail\nA,,x\n", None, 2, ""),
    "too_long": (f"Surnom,Défi\nA,{'x' * 501}\n", None, 2, "Défi"),
    "control_characters": ('Surnom\n"A\nB"\n', None, 2, "Surnom"),
    "formula": ("Surnom,Classe\nA,=B1\n", None, 2, "Classe"),
    "bad_mail": ("Surnom,Mail\nA,b\n", None, 2, "Mail"),
    "unknown_status": ("Surnom,État\nA,bof\n", None, 2, "État"),
    "unknown_organiser": ("Surnom,Admin\nA,bof\n", None, 2, "Admin"),
    "bad_order": ("Surnom,Ordre\nA,3e\n", None, 2, "Ordre"),
    "empty_nickname": ("Surnom,Classe\nA,\n,3A\n", None, 3, "Surnom"),
    "invisible_nickname": ("Surnom,Classe\n\u3164,3A\n", None, 2, "Surnom"),
    "nickname_too_long": (f"Surnom\n{'x' * 61}\n", None, 2, "Surnom"),
    "nickname_twice": ("Surnom\nA\na\n", None, 3, "Surnom"),
    "mail_twice": ("Surnom,Mail\nA,a@b.fr\nB,A@b.fr\n", None, 3, "Mail"),
    "order_twice": ("Surnom,État,Ordre\nA,mort,1\nB,mort,1\n", None, 3, "Ordre"),
    "no_password": ("Surnom,Mot de passe\nA,\nB,x\n", None, 2, "Mot de passe"),
    "no_challenge": ("Surnom\nA\n", None, 2, ""),
    "challenge_twice": ("Surnom,Défi\nA,x\n", "Surnom,Défi\nA,x\n", 2, "Défi"),
    "two_challenges": ("Surnom,Défi\nA,x\n", "Surnom,Défi\nA,y\n", 2, "Défi"),
    "challenge_for_nobody": ("Surnom\nA\n", "Surnom,Défi\nB,x\n", 2, "Défi"),
    "challenge_without_target": ("Surnom,Cible,Défi\nA,B,x\nB,,y\n", None, 3, "Défi"),
    "unknown_target": ("Surnom,Cible\nA,Z\n", None, 2, "Cible"),
    "own_target": ("Surnom,Cible\nA,A\nB,\n", None, 2, "Cible"),
    "target_not_playing": ("Surnom,Cible,État\nA,B,\nB,,mort\n", None, 2, "Cible"),
    "target_taken": ("Surnom,Cible\nA,B\nB,A\nC,B\n", None, 4, "Cible"),
    "several_rings": ("Surnom,Cible\nA,B\nB,A\nC,D\nD,C\n", None, None, "Cible"),
    "some_targets": ("Surnom,Cible\nA,B\nB,\n", None, None, "Cible"),
    "idle_target": ("Surnom,Cible,État\nA,B,mort\nB,,\n", None, 2, "Cible"),
    "unknown_killer": ("Surnom,État,Tué par\nA,mort,Z\n", None, 2, "Tué par"),
    "killed_by_self": ("Surnom,État,Tué par\nA,mort,a\n", None, 2, "Tué par"),
    "alive_but_killed": ("Surnom,État,Tué par\nA,,B\nB,,\n", None, 2, "Tué par"),
}
NOTES = {
    "formula", "mail_twice", "no_password", "no_challenge", "challenge_twice",
    "challenge_without_target", "some_targets", "idle_target",
}  # fmt: skip
SKIPPED = {
    "skipped": "Surnom\nA\n\u3164\n",
    "targets_dropped": "Surnom,Cible,Mail\nA,B,non\nB,A,\n",
    "killers_lost": "Surnom,État,Tué par,Mail\nA,,,non\nB,mort,A,\n",
}
UNREADABLE = [
    *(b"", b"PK\x03\x04xl/", b"PK\x03\x04opendocument.spreadsheet", b"PK\x03\x04", b"%PDF"),
    *(b"GIF89a", b"<html", b"a\0", b"\x81", b'a\n"', b"1", b"a\n" * 20_002, b"a" * 5_000_001),
]


@pytest.mark.parametrize("code", CASES)
def test_every_problem_says_where_it_is(code):
    players, challenges, row, column = CASES[code]
    reading = read(players, challenges)
    problem = only(reading, code)
    assert (problem.row, problem.column) == (row, column)
    assert problem.file == ("defis.csv" if challenges else "joueurs.csv")
    assert problem.severity == ("note" if code in NOTES else "problem")
    assert reading.sound == all(other.code in NOTES for other in reading.problems)


def examples():
    for code, (players, challenges, _, _) in CASES.items():
        yield only(read(players, challenges), code)
    for code, players in SKIPPED.items():
        yield only(read(players).without_bad(), code)
    yield from sort_out(read_table("f.csv", b"Surnom\nA\nA\n"), Game(), {}, "").problems
    yield from sort_out(read_table("f.csv", b"Surnom\nBob\nBob\n"), a_game(2), {}, "").problems
    for data in UNREADABLE:
        with pytest.raises(UnreadableTable) as caught:
            read_table("f.csv", data)
        yield caught.value.problem


def sentences(language):
    path = Path(killer.__file__).parent / "locales" / language / "roster.po"
    with path.open("rb") as file:
        messages = [message for message in read_po(file, locale=language) if message.id]
    return {
        (m.id if isinstance(m.id, str) else m.id[0]).removeprefix("roster."): (
            [m.string] if isinstance(m.string, str) else list(m.string)
        )
        for m in messages
    }


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_problem_has_a_sentence_that_its_params_fill(language):
    known = sentences(language)
    told = {problem.code: problem for problem in examples()}
    assert set(known) == set(told)
    for code, forms in known.items():
        for form in forms:
            filled = form % dict(told[code].params)
            assert filled.endswith(".")
            assert "%(" not in filled


def test_both_languages_say_the_same_things():
    french, english = sentences("fr"), sentences("en")

    def said(forms, param):
        return ["%(" + param + ")" in form for form in forms]

    for problem in examples():
        for param, _ in problem.params:
            assert said(french[problem.code], param) == said(english[problem.code], param)


def living_ring(reading):
    prey = {entry.nickname: entry.target for entry in reading.entries if entry.status == "alive"}
    here = start = next(iter(prey), "")
    for _ in list(prey):
        here = prey.pop(here)
    return here == start and not prey


names = st.sampled_from(["A", "a ", "B", "C", "D", "É", "e\u0301", "", "\u200b", "Z" * 61])
statuses = st.sampled_from(["", "mort", "orga", "bof", "abandon"])
rows = st.lists(st.tuples(names, names, statuses, names, st.sampled_from(["", "1", "2", "x"])))


def table_of(drawn):
    header = "Surnom,Cible,État,Tué par,Ordre,Action\n"
    return header + "".join(",".join(row) + ",agir\n" for row in drawn)


def promises(reading: Reading):
    entries = reading.entries
    keys = {key(entry.nickname) for entry in entries}
    assert len(keys) == len(entries)
    assert {entry.killed_by for entry in entries} <= {"", *(entry.nickname for entry in entries)}
    assert all(entry.status == "alive" for entry in entries if entry.target)
    assert living_ring(reading) or not any(entry.target for entry in entries)


@given(rows)
def test_a_sound_reading_has_no_twins_no_strangers_and_one_ring_or_none(drawn):
    reading = read(table_of(drawn))
    if reading.sound:
        promises(reading)
    rest = reading.without_bad()
    if rest.sound:
        promises(rest)


heads = st.sampled_from(["Surnom", "Cible", "Défi", "Mail", "Nom", "Prénom", "Ordre", "Bof", ""])
texts = st.builds(
    lambda head, body: ",".join(head) + "x\n" + body,
    st.lists(heads, max_size=5),
    st.text(alphabet='abA,;"\n =-1@.\u200b', max_size=40),
)


@given(texts, texts)
def test_any_two_tables_give_a_reading(players, challenges):
    try:
        tables = read_table("a", players.encode()), read_table("b", challenges.encode())
    except UnreadableTable:
        return
    reading = read_roster(*tables)
    assert reading.entries or not reading.sound
    assert not reading.without_bad().sound or reading.without_bad().entries


@given(st.integers(2, 40), st.randoms(use_true_random=False))
def test_a_given_ring_comes_back_however_the_rows_are_sorted(size, chance: random.Random):
    players = [f"Joueur {n}" for n in range(size)]
    header, *lines = ring(*players).splitlines()
    chance.shuffle(lines)
    reading = read("\n".join([header, *lines]))
    assert reading.sound
    assert {e.nickname: e.target for e in reading.entries} == dict(
        zip(players, [*players[1:], players[0]], strict=True)
    )
