"""Every sentence exists in French and English, is used, and gets the words that it needs."""

from __future__ import annotations

import ast
import re

import pytest

from house.sentences import asked, built, called, forms, literals, messages, placeholders
from house.source import listed, place, sources, tree
from killer.language import LANGUAGES

#: What the two languages write alike.
ALIKE = frozenset(
    {
        "site.organiser.nav.photos",
        "site.organiser.place",
        "sheet.minutes",
        "site.field.photo",
        "weather.colour.orange",
    }
)
FILE = re.compile(r".*\.(html|csv|json|js|css|svg|txt|po|py|xml|png|webmanifest|sqlite3)")
#: A refusal or a problem carries a code; this is the sentence that the code names.
CODES = {
    "Refusal": "refusal",
    "Unknown": "refusal",
    "NotNow": "refusal",
    "Invalid": "refusal",
    "BadSettingError": "settings",
    "BadPhotoError": "photo",
    "ShelfError": "shelf",
    "BackupError": "backup",
    "MoveError": "move",
    "DeployError": "deploy",
}


def every_key() -> set[str]:
    return {key for language in LANGUAGES for key in messages(language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_misses_a_sentence(language: str) -> None:
    missing = every_key() - messages(language).keys()
    assert not missing, listed(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty(language: str) -> None:
    empty = [k for k, each in messages(language).items() if not all(map(str.strip, forms(each)))]
    assert not empty, listed(empty)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_marked_as_doubtful(language: str) -> None:
    doubtful = [key for key, each in messages(language).items() if each.fuzzy]
    assert not doubtful, listed(doubtful)


def in_both() -> set[str]:
    return set.intersection(*(set(messages(language)) for language in LANGUAGES))


def test_both_languages_speak_of_the_same_things() -> None:
    fr, en = (messages(language) for language in ("fr", "en"))
    apart = [
        f"{key}: {sorted(placeholders(fr[key]))} and {sorted(placeholders(en[key]))}"
        for key in in_both()
        if placeholders(fr[key]) != placeholders(en[key])
    ]
    assert not apart, listed(apart)


def test_both_languages_agree_on_what_is_counted() -> None:
    fr, en = (messages(language) for language in ("fr", "en"))
    apart = [key for key in in_both() if len(forms(fr[key])) != len(forms(en[key]))]
    assert not apart, listed(apart)


def test_english_is_not_a_copy_of_french() -> None:
    fr, en = (messages(language) for language in ("fr", "en"))
    copies = {key for key in in_both() if forms(fr[key]) == forms(en[key]) and wordy(fr[key])}
    assert copies <= ALIKE, listed(copies - ALIKE)


def wordy(message) -> bool:
    """Tell whether there is anything to translate beside the names of things and of commands."""
    bare = re.sub(r"%\(\w+\)[a-z]|`[^`]*`|https?://\S+", "", " ".join(forms(message)))
    return bool(re.search(r"[^\W\d_]{2}", bare))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_that_is_asked_for_exists(language: str) -> None:
    keys = messages(language)
    missing = [
        str(each) for each in asked() if not any(re.fullmatch(each.pattern, key) for key in keys)
    ]
    assert not missing, listed(missing)


def test_every_word_that_looks_like_a_key_is_one() -> None:
    """A key also travels as a value, to be said elsewhere."""
    rooms = {key.partition(".")[0] for key in every_key()}
    wrong = [
        f"{where}: {text}"
        for text, where in literals().items()
        if re.fullmatch(r"[a-z]+(\.[\w-]+)+", text)
        and text.partition(".")[0] in rooms
        and not FILE.fullmatch(text)
        and text not in every_key()
    ]
    assert not wrong, listed(wrong)


def test_every_code_has_its_sentence() -> None:
    missing = [
        f"{place(file, node.lineno)}: {CODES[called(node)]}.{node.args[0].value}"
        for file in sources()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and called(node) in CODES and node.args
        if isinstance(node.args[0], ast.Constant)
        if f"{CODES[called(node)]}.{node.args[0].value}" not in every_key()
    ]
    assert not missing, listed(missing)


def test_no_sentence_is_never_said() -> None:
    unused = [
        key
        for key in every_key() - literals().keys()
        if not any(re.fullmatch(pattern, key) for pattern in built())
    ]
    assert not unused, listed(unused)


def test_every_sentence_of_a_code_has_its_code() -> None:
    rooms, written = set(CODES.values()), whole_words()
    unused = [
        key
        for key in every_key() - literals().keys()
        if key.partition(".")[0] in rooms and key.partition(".")[2] not in written
    ]
    assert not unused, listed(unused)


def whole_words() -> set[str]:
    """Give the codes that are written out, and those that an f-string puts together."""
    made = [
        node
        for file in sources()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant)
    ]
    starts = tuple(str(node.values[0].value) for node in made if "_" in node.values[0].value)
    codes = {key.partition(".")[2] for key in every_key()}
    return literals().keys() | {code for code in codes if code.startswith(starts)}


def test_every_sentence_gets_the_words_that_it_needs() -> None:
    lacking = [
        f"{each} needs {sorted(lack)}"
        for each in asked()
        if each.exact and each.all_known and each.key in messages("fr")
        if (lack := placeholders(messages("fr")[each.key]) - each.given)
    ]
    assert not lacking, listed(lacking)
