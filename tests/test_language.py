"""Sentences in two languages: the right form, the right words, for whoever is spoken to."""

from __future__ import annotations

import re
import threading

import pytest

from killer.language import LANGUAGES, catalogue, choose, current, say, say_kept, speaking

PLURAL = next(
    key for key, sentence in sorted(catalogue("fr").items()) if isinstance(sentence, tuple)
)


def form(language: str, n: int) -> int:
    """Tell which form is said for a number."""
    with speaking(language):
        said = say(PLURAL, **dict.fromkeys(words(PLURAL), "x") | {"n": n})
    forms = [
        text % (dict.fromkeys(words(PLURAL), "x") | {"n": n})
        for text in catalogue(language)[PLURAL]
    ]
    assert forms[0] != forms[1]
    return forms.index(said)


class Words(dict[str, str]):
    """Remembers which words a sentence asks for."""

    def __missing__(self, key: str) -> str:
        self[key] = "x"
        return "x"


def words(key: str) -> list[str]:
    asked = Words(n=1)  # type: ignore[dict-item]  # a number, to be counted
    for language in LANGUAGES:
        for text in catalogue(language)[key]:
            _said = text % asked
    return list(asked)


def test_french_counts_zero_as_one_and_english_does_not() -> None:
    assert [form("fr", n) for n in (0, 1, 2, 21, 1000)] == [0, 0, 1, 1, 1]
    assert [form("en", n) for n in (0, 1, 2, 21, 1000)] == [1, 0, 1, 1, 1]


def test_words_are_put_in_their_places() -> None:
    with speaking("en"):
        said = say("refusal.nickname_taken", nickname="100 % Bob %s %(n)s")
    assert "100 % Bob %s %(n)s" in said


def test_a_missing_word_is_a_mistake_and_not_a_silence() -> None:
    with pytest.raises(KeyError):
        say("refusal.nickname_taken", wrong="Bob")


def test_a_sentence_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        say("refusal.of_the_heart")


def test_what_another_release_has_kept_is_said_if_we_know_it() -> None:
    assert say_kept("shelf.full", folder="/photos") == say("shelf.full", folder="/photos")
    assert say_kept("refusal.of_the_heart", code="x") == ""
    assert say_kept("shelf.full", place="another word") == ""


def test_french_is_set_as_a_printer_would() -> None:
    assert say("site.copied") == "C’est copié"
    assert say("sheet.minutes", n=5) == "5\xa0minutes"
    assert say("site.log.undo_this", version=7) == "Annuler le n°\xa07"
    assert say("refusal.no_such_nickname", nickname="L'Ours").startswith(
        "Personne ne s’appelle «\xa0L'Ours\xa0»"  # what people write stays as they wrote it
    )
    typed = [key for key in catalogue("fr") if re.search(r"[^\W\d_]'[^\W\d_]", str(forms(key)))]
    assert typed == []


def test_english_is_said_as_it_is_typed() -> None:
    with speaking("en"):
        assert "'" in say("site.log.sessions-ended", who="x") + say("refusal.game_preparing")


def forms(key: str) -> str:
    found = catalogue("fr")[key]
    return found if isinstance(found, str) else "\n".join(found)


def test_french_comes_first_and_stands_in_for_an_unknown_language() -> None:
    assert current() == "fr"
    with speaking("de"):
        assert current() == "fr"


def test_one_speaks_another_language_for_a_while_only() -> None:
    with speaking("en"):
        assert current() == "en"
        with pytest.raises(RuntimeError), speaking("fr"):
            raise RuntimeError
        assert current() == "en"
    assert current() == "fr"


def test_what_one_thread_chooses_another_does_not_hear() -> None:
    heard: list[str] = []

    def listen() -> None:
        heard.append(current())
        choose("en")
        heard.append(current())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert [*heard, current()] == ["fr", "en", "fr"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_without_words_has_no_doubled_percent_signs(language: str) -> None:
    with speaking(language):
        for key, sentence in catalogue(language).items():
            if isinstance(sentence, str) and "%(" not in sentence:
                assert "%%" not in say(key)
