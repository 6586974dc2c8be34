"""The tables; times are whole milliseconds since 1970, UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

games = Table(
    "games",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("visibility", String(20), nullable=False),
    Column("first_visibility", String(20), nullable=False),  # before any event
    Column("version", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
)

players = Table(
    "players",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("id", Integer, primary_key=True),
    Column("nickname", String(60), nullable=False),
    Column("nickname_key", String(1200), nullable=False),  # one letter can become 18
    Column("year", String(60), nullable=False),
    Column("challenge", Text, nullable=False),
    Column("photo", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("target", Integer),
    Column("killed_by", Integer),
    Column("fell", Integer),
    Column("organiser", Boolean, nullable=False),
    Column("sessions", Integer, nullable=False),
    ForeignKeyConstraint(["game"], ["games.id"]),
    Index(None, "nickname_key"),
)

events = Table(
    "events",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Integer),  # a player of the game; none: the command line
    Column("reason", String(500), nullable=False),
    ForeignKeyConstraint(["game"], ["games.id"]),
)

answers = Table(
    "answers",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("actor", Integer, primary_key=True),
    Column("key", String(200), primary_key=True),  # the Idempotency-Key
    Column("request", String(64), nullable=False),  # what was asked with it
    Column("version", Integer, nullable=False),  # what was answered
    Column("at", BigInteger, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("player", Integer, primary_key=True),
    Column("password_hash", String(200), nullable=False),
    ForeignKeyConstraint(["game", "player"], ["players.game", "players.id"]),
)

links = Table(
    "links",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the token
    Column("game", Integer, nullable=False),
    Column("player", Integer, nullable=False),
    Column("once", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
    ForeignKeyConstraint(["game", "player"], ["players.game", "players.id"]),
    Index(None, "game", "player"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("player", Integer, primary_key=True),
    Column("email", String(300), nullable=False),
    Column("phone", String(300), nullable=False),
    Column("gender", String(300), nullable=False),
    Column("photo_source", Text, nullable=False),
    Column("answers", Text, nullable=False),  # JSON pairs of header and cell
    Column("said", Text, nullable=False),  # JSON: what the last import said
    ForeignKeyConstraint(["game", "player"], ["players.game", "players.id"]),
)

hits = Table(
    "hits",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index(None, "expires"),
)
