"""What an address, a bucket or a secret among the settings looks like when it can be meant."""

from __future__ import annotations

import re

SHORTEST_SECRET = 16
FEWEST_SIGNS = 6  # different ones; 16 hexadecimal digits drawn at random have about 10
#: Words of examples, in whatever way they are joined.
_EXAMPLE = re.compile(
    r"(change|replace).?(me|this|it)|your.?\w*.?(secret|key)|example|exemple|placeholder|insecure|"
    r"(dev|development|test|default|my|super|top|flask|django).?secret|secret.?key|"
    r"pass.?word|mot.?de.?passe|0123456789|1234567890|abcdefgh|qwerty|azerty"
)
#: Those of Flask's own documentation (https://flask.palletsprojects.com, quickstart and tutorial).
_PUBLISHED = frozenset(
    {
        '_5#y2L"F4Q8z\\n\\xec]/',
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    }
)

# Stricter than what each library reads: what one of them can't read it repeats, password included,
# and what two of them read differently leads to two servers.
_CODE = r"%(?!00)[0-9A-Fa-f]{2}"
_WORD = rf"(?:[^\s%/?#\[\]@:&=]|{_CODE})"
_SECRET = rf"(?:[^\s%/?#\[\]@]|{_CODE})"
_ACCOUNT = rf"(?:{_WORD}*(?::{_SECRET}*)?@)?"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
_PORT = r"(?::[0-9]{1,5})?"
_PLACE = rf"(?:{_HOST}|(?:{_CODE}|[A-Za-z0-9._-])*){_PORT}"  # an encoded folder is a socket's
_MORE = rf"(?:\?{_WORD}+=(?:{_WORD}|[/:])*(?:&{_WORD}+=(?:{_WORD}|[/:])*)*)?"

POSTGRESQL = re.compile(rf"postgres(?:ql)?://{_ACCOUNT}{_PLACE}(?:,{_PLACE})*(?:/{_WORD}*)?{_MORE}")
SQLITE = re.compile(r"sqlite:///.+")
REDIS = re.compile(
    rf"rediss?://{_ACCOUNT}{_HOST}{_PORT}(?:/\d*)?{_MORE}|unix://{_ACCOUNT}/[^\s?#]+{_MORE}"
)
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.\.)[A-Za-z0-9._-]+)*/?")
ENDPOINT = re.compile(rf"https?://{_HOST}{_PORT}/?")
REGION = re.compile(r"[A-Za-z0-9-]+")
ORIGIN = re.compile(rf"https?://{_HOST}{_PORT}(/[A-Za-z0-9._~/-]*)?")
WEBHOOK = re.compile(r"https?://[^\s/]\S*")


def is_guessable(secret: str) -> bool:
    """Tell whether somebody else may have the same secret, from an example or by trying."""
    return (
        len(secret) < SHORTEST_SECRET
        or len(set(secret)) < FEWEST_SIGNS
        or secret in _PUBLISHED
        or _EXAMPLE.search(secret.casefold()) is not None
    )
