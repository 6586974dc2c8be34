"""Cards to cut out: every code is read and signs in as the nickname beside it."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.game import commands as c
from killer.mail import drawing, glyphs
from killer.mail.cards import Card, Words, pdf
from killer.store import people
from mail.worlds import SITE, codes_in, signs_in
from web.world import World

WORDS = Words("Week-end d'intégration", "Vise le code.", "Carte personnelle.")
NAMES = ("Camille", "🦊 Renard", "李明", "김철수", "W" * 60, "Jean-Christophe", "عمر", "👨‍👩‍👧")


def drawn(found: list[Card], words: Words = WORDS) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(drawing.pdf(found, words))


def codes(page: pypdfium2.PdfPage) -> list[str]:
    """Read every QR code of a page as a phone would, from a print of 110 dots an inch."""
    return [each.text for each in codes_in(page.render(scale=1.5).to_pil())]


def text(page: pypdfium2.PdfPage) -> str:
    """Give its text; PDFium writes a hyphen at a line's end as \\x02."""
    return page.get_textpage().get_text_bounded().replace("\x02", "-")


def test_five_hundred_cards_are_read_and_each_signs_in_as_its_player(gathered: World) -> None:
    names = [f"Joueur {n:03}" for n in range(500)]
    gathered.do(*(c.Enrol(name) for name in names))
    ids = {gathered.who(name).id: name for name in names}
    with gathered.site.database.write() as connection:
        tokens = people.new_links(connection, gathered.number, list(ids))
    paper = drawn([Card(ids[p], f"{SITE}/s/{token}") for p, token in tokens.items()])
    assert len(paper) == 50
    found = [code for page in paper for code in codes(page)]
    assert sorted(found) == sorted(f"{SITE}/s/{token}" for token in tokens.values())
    for player, token in tokens.items():
        assert signs_in(gathered, token) == ids[player]


def test_the_nickname_stands_beside_its_own_code() -> None:
    found = [Card(f"Joueur {n}", f"{SITE}/s/{n:022}") for n in range(10)]
    (page,) = drawn(found)
    picture = page.render(scale=2).to_pil()
    height = page.get_height()
    for code in codes_in(picture):
        number = int(code.text.rpartition("/")[2])
        corner = code.position.top_left
        left, top = corner.x / 2, corner.y / 2
        beside = page.get_textpage().get_text_bounded(
            left - 125, height - top - 110, left, height - top + 25
        )
        assert f"Joueur {number}\r" in beside.replace("\n", "\r") + "\r"


@pytest.mark.parametrize("nickname", NAMES)
def test_any_nickname_makes_a_card_that_is_read(nickname: str) -> None:
    (page,) = drawn([Card(nickname, f"{SITE}/s/AAAAAAAAAAAAAAAAAAAAAA")])
    assert codes(page) == [f"{SITE}/s/AAAAAAAAAAAAAAAAAAAAAA"]


def test_a_card_says_whose_it_is_of_which_game_and_what_to_do() -> None:
    (page,) = drawn([Card("Éloïse", f"{SITE}/s/x")])
    told = " ".join(text(page).split())
    for words in ("KILLER", "Week-end d'intégration", "Éloïse", "Vise le code.", "Carte"):
        assert words in told


def test_a_long_nickname_stays_on_its_card() -> None:
    name = "Maximilienne-Alexandrine de la Rochefoucauld-Montmorency"
    (page,) = drawn([Card(name, f"{SITE}/s/x")])
    assert "".join(text(page).split()).count("".join(name.split())) == 1
    for size in drawing.SIZES:
        lines = drawing._broken(glyphs.readable(name), size)
        if size <= drawing.BREAKING:
            assert all(drawing._fits(line, size) for line in lines)


@pytest.mark.parametrize(
    ("nickname", "written"),
    [
        ("🦊 Renard", "(fox face) Renard"),
        ("김철수", "gimceolsu"),
        ("李明", "U+674E U+660E"),
        ("👍🏽 ok", "(thumbs up sign) ok"),
        ("🇫🇷", "FR"),
        ("\U0001d4d0\U0001d4f7\U0001d4ea", "Ana"),
        ("Борис", "Борис"),
        ("e\u0301", "é"),
        ("a\u202eb", "ab"),
    ],
)
def test_what_the_font_lacks_is_written_readably(nickname: str, written: str) -> None:
    assert glyphs.readable(nickname) == written


@given(st.text(max_size=60))
def test_every_text_becomes_one_that_the_font_can_draw(name: str) -> None:
    written = glyphs.readable(name)
    assert glyphs.width(written) >= 0
    assert not any(unicodedata.category(letter) in {"Cc", "Cf"} for letter in written)


def test_cards_that_nobody_draws_in_time_are_given_up() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        pdf([Card("Ana", "https://x.example/s/a")], WORDS, 0.001)


ASIDE = """
from gevent import monkey
monkey.patch_all()
import gevent
from killer.mail import cards
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0)
gevent.spawn(tick)
gevent.sleep(0)
before = len(ticks)
drawn = cards.pdf([cards.Card("Ana", "https://x.example/s/a")], cards.Words("", "", ""))
print(drawn[:4].decode(), len(ticks) > before + 1)
"""


def test_a_server_s_other_greenlets_go_on_while_cards_are_drawn() -> None:
    command = [sys.executable, "-c", ASIDE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "%PDF True", done.stderr
