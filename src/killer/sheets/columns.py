"""What a sheet's words mean, in French and English: its headers, its statuses, its yes and no."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from string import ascii_uppercase
from typing import Final

from killer.game.names import clean
from killer.sheets.tables import Problem, Row, Table


class Meaning(StrEnum):
    """What a recognised column holds; the others hold free answers.

    CHALLENGE is what will be done to the row's own player (`Défi ciblé`). ACTION is what a hunter
    does (`Action à réaliser`, `Défi`): beside a target it is done to that target.
    SECRET is a second password column (`Confirmez votre mot de passe`), which is never kept.
    MARK is the column that we add, by which a row is known whatever else is changed in it.
    """

    TIMESTAMP = "timestamp"
    SECRET = "secret"  # noqa: S105 -- a column's name
    PASSWORD = "password"  # noqa: S105 -- a column's name
    TARGET = "target"
    KILLED_BY = "killed_by"
    NICKNAME = "nickname"
    FULL_NAME = "full_name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    YEAR = "year"
    GENDER = "gender"
    PHOTO = "photo"
    EMAIL = "email"
    PHONE = "phone"
    CHALLENGE = "challenge"
    ACTION = "action"
    STATUS = "status"
    ORDER = "order"
    KILLS = "kills"
    ORGANISER = "organiser"
    MARK = "mark"


LONGEST: Final[dict[Meaning | None, int]] = {
    Meaning.CHALLENGE: 500,
    Meaning.ACTION: 500,
    Meaning.YEAR: 60,
    Meaning.PASSWORD: 200,
    Meaning.SECRET: 200,
    None: 5000,
}
"""Characters of the longest cell for a meaning (None: a free answer); OTHERS_LONGEST elsewhere."""
OTHERS_LONGEST: Final = 300

_NICK = (
    r"(?:surnom|pseudo(?:nyme)?|nick ?name|code ?name|nom de code|nom de guerre|alias|user ?name)"
)
_GAME = r"(?:tueur|tueuse|joueur|joueuse|participant|jeu|killer|player|game)"
_PREY = r"(?:cible|proie|victime|target|prey|victim)"
_DEED = r"(?:defis?|challenges?|missions?|actions?|gages?)"

# Tried in this order on the whole header, folded, without what stands in brackets.
_HEADERS = {
    Meaning.TIMESTAMP: r"horodat(?:eur|age)|time ?stamp|date et heure|submitted at",
    Meaning.PASSWORD: r"(?:mot de passe|mdp|password|pass ?code|code secret)(?: (?!oubl).*)?",
    Meaning.SECRET: r".*\b(?:mot de passe|mdp|password)\b.*",
    Meaning.TARGET: (
        rf"(?:(?:{_NICK}|nom|prenom|name) (?:de |d |of )?)?"
        rf"(?:(?:la|sa|ta|votre|his|her|their|your|the|current) )*{_PREY}"
        r"(?: actuelle?| assignee?| a eliminer| s)?(?: name| nick ?name)?"
    ),
    Meaning.KILLED_BY: (
        r"(?:(?:tue|elimine|assassine)e?s?(?: e)? par|(?:killed|eliminated|murdered) by)(?: .*)?"
    ),
    Meaning.NICKNAME: (
        rf"{_NICK}(?: (?:ou |or )?{_NICK})*"
        rf"(?: (?:(?:du|de|de la|dans le|pour le|of the|in the|for the) )?{_GAME})?"
        r"|(?:nom (?:du |de |de la ))?(?:joueur|joueuse)s?|players?(?: s)?(?: name)?"
    ),
    Meaning.FULL_NAME: r"nom complet|noms? (?:et )?prenoms?|prenoms? (?:et )?noms?|(?:full )?name",
    Meaning.FIRST_NAME: r"prenoms?|first ?names?|given name|forename",
    Meaning.LAST_NAME: r"noms?(?: de famille)?|last ?name|surname|family name",
    Meaning.YEAR: (
        r"annee(?: d etudes?| scolaire)?|promo(?:tion)?|classe?|year(?: of study)?|groupe?|grade"
    ),
    Meaning.GENDER: r"sexe?|genre|gender",
    Meaning.PHOTO: (
        r"(?:lien (?:de la |vers la )?|profile )?(?:photo(?:graphie)?|picture|portrait|selfie)"
        r"(?: (?:de |d |du |of )?(?:vous|toi|profil|identite|joueur|joueuse|you|yourself))?"
    ),
    Meaning.EMAIL: (
        r"(?:adresse )?(?:e ?mail|mail|courriel)"
        r"(?: (?:add?ress|etudiant|perso|de contact|universitaire)\w*)?|adresse electronique"
    ),
    Meaning.PHONE: (
        r"(?:(?:numero|num|n|no)(?: de)? )?(?:telephone|tel|portable|mobile|(?:cell ?)?phone)"
        r"(?: (?:portable|mobile|number))?"
    ),
    Meaning.CHALLENGE: r"defis? cibles?|targeted challenges?",
    Meaning.ACTION: (
        rf"{_DEED}(?: (?:a (?:realiser|faire|accomplir)|to (?:do|perform|complete)))?"
        rf"(?: (?:sur|pour|de|for|on) (?:(?:la|sa|the|your) )?{_PREY})?(?: actuell?e?)?"
    ),
    Meaning.STATUS: rf"(?:etats?|statuts?|status)(?: (?:(?:du|de la) )?{_GAME})?",
    Meaning.ORDER: (
        r"ordre(?: d elimination| de mort| des morts)?|(?:elimination|death|kill) order"
        r"|order(?: of (?:elimination|death))?"
    ),
    Meaning.KILLS: r"(?:(?:nombre|nb|number)(?: de| of)? )?(?:kills?|victimes|meurtres)|kill count",
    Meaning.ORGANISER: (
        r"(?:(?:est|is) )?(?:admin(?:istrat(?:eur|rice|or))?s?"
        r"|organisat(?:eur|rice)s?|organi[sz]ers?|orga)"
    ),
    Meaning.MARK: r"id killer|killer id",
}

# "Quel est votre surnom ?", "1. Your nickname": what stands before the word that counts.
_OPENING = re.compile(
    r"^(?:(?:\d+|quel(?:le)?s? (?:est|sont)|what (?:is|are|s)|choisi\w*|indique\w*|entre[rz]?|enter"
    r"|le|la|l|les|un|une|ton|ta|tes|votre|vos|mon|ma|your|my|the|a|an) )+(?=.)"
)
# "Tué(e) par", "Organisateur·rice": endings that stand for everybody.
_ENDING = re.compile(
    r"(?<=\w)(?:\([^\W\d_]{1,5}\)|[·•⋅‧.](?:e|ne|se|euse|rice|trice)s?(?!\w))", re.IGNORECASE
)
_ASIDE = re.compile(r"[(\[{:?]|\s[-\u2013\u2014]\s")

_STATUSES = {
    **dict.fromkeys(("", "vivant", "vivante", "alive", "en vie", "en jeu", "playing"), "alive"),
    **dict.fromkeys(("mort", "morte", "dead", "elimine", "eliminee", "eliminated"), "dead"),
    **dict.fromkeys(("tue", "tuee", "killed"), "dead"),
    **dict.fromkeys(("abandon", "abandonne", "a abandonne", "gaveup", "gave up"), "gaveup"),
    **dict.fromkeys(("admin", "orga", "organisateur", "organisatrice", "organiser"), "out"),
    **dict.fromkeys(("organizer", "test", "hors jeu", "out", "ne joue pas"), "out"),
    **dict.fromkeys(("spectateur", "spectatrice", "spectator"), "out"),
}
_TRUTHS = {
    **dict.fromkeys(("true", "vrai", "oui", "yes", "1", "x", "admin"), True),
    **dict.fromkeys(("false", "faux", "non", "no", "0", ""), False),
}

# What checkboxes and formulas leave in rows where nobody stands yet.
_PREFILLED = frozenset({"", "false", "faux", "0", "-1"})

# Of two such columns the first one serves and the other is a free answer: nothing depends on them.
_HARMLESS = frozenset({Meaning.YEAR, Meaning.GENDER, Meaning.PHOTO, Meaning.PHONE, Meaning.KILLS})

# A text may have lines and tabs; a nickname or a password must be typed in one go.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_UNTYPED = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_FORMULA = re.compile(r"=\S|[+@-][^\W_]")
_NUMBER = re.compile(r"[+-]?\d[\d .,]*")
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+")
_ORDER = re.compile(r"(-1|\d{1,5})?(?:[.,]0+)?")
_WORD_SHOWN = 60
_NEVER_FORMULAS = frozenset({Meaning.PHONE, Meaning.ORDER, Meaning.PASSWORD, Meaning.SECRET})

_NAMINGS = (
    (Meaning.NICKNAME,),
    (Meaning.FULL_NAME,),
    (Meaning.FIRST_NAME, Meaning.LAST_NAME),
    (Meaning.FIRST_NAME,),
    (Meaning.LAST_NAME,),
)
_KEPT_AS_ANSWERS = frozenset(
    {None, Meaning.FULL_NAME, Meaning.FIRST_NAME, Meaning.LAST_NAME, Meaning.KILLS}
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose columns are understood: one meaning a column, none for free answers.

    Of a row with too many cells only the name is kept: its other cells may stand under the wrong
    header, a password among them.
    """

    file: str
    headers: tuple[str, ...]
    meanings: tuple[Meaning | None, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]

    @property
    def naming(self) -> tuple[Meaning, ...]:
        """The columns that name a player: the nickname, or else the names; empty when none does."""
        return next((names for names in _NAMINGS if set(names) <= set(self.meanings)), ())

    def header(self, meaning: Meaning | None) -> str:
        """The header as written, empty when there is no such column."""
        return self.headers[self.meanings.index(meaning)] if meaning in self.meanings else ""

    def cell(self, row: Row, meaning: Meaning) -> str:
        """The text as given, without the spaces around it; empty when there is no such column."""
        if meaning not in self.meanings:
            return ""
        return row.cells[self.meanings.index(meaning)].strip()

    def name(self, row: Row) -> str:
        """Whatever names the row's player, as given."""
        return " ".join(self.cell(row, meaning) for meaning in self.naming).strip()

    def answers(self, row: Row) -> tuple[tuple[str, str], ...]:
        """The filled cells that have no field of their own, each with its header."""
        kept = _KEPT_AS_ANSWERS - set(self.naming)
        columns = zip(self.headers, self.meanings, row.cells, strict=True)
        answers = ((header, meaning, cell.strip()) for header, meaning, cell in columns)
        return tuple(
            (header, answer)
            for header, meaning, answer in answers
            if meaning in kept and answer and (meaning, answer) != (Meaning.KILLS, "0")
        )

    def fills(self, meaning: Meaning) -> bool:
        """Whether any row has something in that column."""
        return any(self.cell(row, meaning) for row in self.rows)

    def problem(
        self, row: int | None, meaning: Meaning | None, code: str, **params: str
    ) -> Problem:
        """Something of this sheet that must be corrected before the import."""
        header = self.header(meaning) if meaning else ""
        return Problem(self.file, row, header, code, tuple(params.items()))

    def note(self, row: int | None, meaning: Meaning | None, code: str, **params: str) -> Problem:
        """Something of this sheet that is worth knowing and stops nothing."""
        header = self.header(meaning) if meaning else ""
        return Problem(self.file, row, header, code, tuple(params.items()), "note")


def meaning_of(header: str) -> Meaning | None:
    """What a column with this header holds, or None for a free answer."""
    plain = _ENDING.sub("", unicodedata.normalize("NFKC", header)).strip()
    asked = _ASIDE.split(plain)[0]
    words = _OPENING.sub("", _folded(asked if asked.strip() else plain), count=1)
    return next((known for known, text in _HEADERS.items() if re.fullmatch(text, words)), None)


def status_of(word: str) -> str | None:
    """The status that a word of the sheet says: alive, dead, gaveup, out; None for other words."""
    return _STATUSES.get(_said(word))


def truth_of(word: str) -> bool | None:
    """Yes or no, as checkboxes and people write them; None when it is neither."""
    return _TRUTHS.get(_said(word))


def order_of(word: str) -> int | None:
    """The place in the order of eliminations, 0 for none yet; None when it is no such number."""
    said = _ORDER.fullmatch(clean(word))
    return max(int(said[1] or 0), 0) if said else None


def _said(word: str) -> str:
    """The folded word, or the word itself when it is only signs: ✅ must not pass for nothing."""
    return _folded(_ENDING.sub("", unicodedata.normalize("NFC", word))) or clean(word)


def recognise(table: Table) -> Sheet:
    """The table with its columns understood, and the problems of its header and of its shape."""
    meanings = [meaning_of(header) for header in table.header]
    problems = [rivalry for meaning in Meaning if (rivalry := _settle(table, meanings, meaning))]
    named = Sheet(table.file, table.header, tuple(meanings), table.rows, ())
    problems += [_overfull(named, row) for row in table.rows if len(row.cells) > len(table.header)]
    rows = tuple(_trusted(named, row) for row in table.rows if not _idle(named, row))
    return Sheet(named.file, named.headers, named.meanings, rows, tuple(problems))


def _settle(table: Table, meanings: list[Meaning | None], meaning: Meaning) -> Problem | None:
    """Leave one column with this meaning, and say so when another one could be meant as well."""
    places = [place for place, given in enumerate(meanings) if given is meaning]
    filled = [place for place in places if any(row.cells[place].strip() for row in table.rows)]
    kept, *rivals = filled or places or [0]
    for place in set(places) - {kept}:
        meanings[place] = None if meaning in _HARMLESS else Meaning.SECRET
    other = next((place for place in rivals if _differ(table, meaning, kept, place)), None)
    if other is None:
        return None
    first, second = table.header[kept], table.header[other]
    params = (
        ("first", first),
        ("second", second),
        ("columns", f"{_letters(kept)}, {_letters(other)}"),
    )
    return Problem(table.file, None, first, "two_columns", params)


def _differ(table: Table, meaning: Meaning, one: int, other: int) -> bool:
    if meaning in {Meaning.TIMESTAMP, Meaning.SECRET}:
        return False
    if meaning in _HARMLESS and _folded(table.header[one]) != _folded(table.header[other]):
        return False
    return any(row.cells[one].strip() != row.cells[other].strip() for row in table.rows)


def _letters(place: int) -> str:
    """A column as a spreadsheet calls it: A, B, … Z, AA."""
    high, low = divmod(place, len(ascii_uppercase))
    return (_letters(high - 1) if high else "") + ascii_uppercase[low]


def _overfull(sheet: Sheet, row: Row) -> Problem:
    cells, columns = str(len(row.cells)), str(len(sheet.headers))
    return sheet.problem(row.number, None, "too_many_cells", cells=cells, columns=columns)


def _trusted(sheet: Sheet, row: Row) -> Row:
    if len(row.cells) == len(sheet.headers):
        return row
    columns = zip(sheet.meanings, row.cells, strict=False)
    return Row(row.number, tuple(cell if m in sheet.naming else "" for m, cell in columns))


def _idle(sheet: Sheet, row: Row) -> bool:
    filled = (clean(cell).casefold() for cell in row.cells)
    return not sheet.name(row) and all(cell in _PREFILLED for cell in filled)


def _folded(text: str) -> str:
    """Letters and digits in words, without case or accents."""
    split = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(c for c in split if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", letters))


# The columns in which not everything can be understood, and what is said of the rest.
_WORDS: dict[Meaning | None, tuple[str, Callable[[str], object]]] = {
    Meaning.EMAIL: ("bad_mail", lambda word: _MAIL.fullmatch(clean(word))),
    Meaning.STATUS: ("unknown_status", status_of),
    Meaning.ORGANISER: ("unknown_organiser", truth_of),
    Meaning.ORDER: ("bad_order", order_of),
}


def cell_problems(sheet: Sheet, row: Row) -> Iterator[Problem]:
    """What is to be said of single cells: their length, their characters, words unknown here."""
    for header, meaning, cell in zip(sheet.headers, sheet.meanings, row.cells, strict=True):
        here = partial(Problem, sheet.file, row.number, header)
        text = cell.strip()
        limit = LONGEST.get(meaning, OTHERS_LONGEST)
        if (
            len(text) > limit and meaning not in sheet.naming
        ):  # a nickname's length is its own matter
            yield here("too_long", (("length", str(len(text))), ("limit", str(limit))))
        one_line = meaning is Meaning.PASSWORD or meaning in sheet.naming
        if (_UNTYPED if one_line else _CONTROL).search(text):
            yield here("control_characters")
        if meaning not in _NEVER_FORMULAS and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
            yield here("formula", (("nickname", clean(sheet.name(row))),), "note")
        code, understands = _WORDS.get(meaning, ("", bool))
        if text and code and understands(text) is None:
            yield here(code, (("word", clean(text)[:_WORD_SHOWN]),))
