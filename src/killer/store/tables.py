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
    Column("rehearses", Integer),  # the real game for which it is a rehearsal; none: it is real
    Column("screen", BigInteger),  # drawn anew for each link of the big screen; none: it is closed
    sqlite_autoincrement=True,  # a session of a removed game must not open another one
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

leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),  # what only one process of all may do
    Column("holder", String(80), nullable=False),
    Column("expires", BigInteger, nullable=False),
)

places = Table(
    "places",
    metadata,
    Column("reader", String(40), primary_key=True),
    Column("game", Integer, primary_key=True),
    Column("version", Integer, nullable=False),  # the last one that the reader has dealt with
    ForeignKeyConstraint(["game"], ["games.id"]),
)

sheets = Table(
    "sheets",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("read_at", BigInteger),  # none: never
    Column("wrote_at", BigInteger),
    Column("trouble", String(40), nullable=False),  # a code; empty when all is well
    Column("details", Text, nullable=False),  # JSON: what the sentence of the trouble needs
    Column("since", BigInteger),  # when the trouble began
    Column("problems", Text, nullable=False),  # JSON: rows to correct
    Column("mended", Integer, nullable=False),  # cells that the last look put right
    ForeignKeyConstraint(["game"], ["games.id"]),
)

offers = Table(
    "offers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("game", Integer, nullable=False),
    Column("player", Integer),  # none: somebody whom the game doesn't know
    Column("kind", String(20), nullable=False),
    Column("nickname", String(60), nullable=False),
    Column("before", String(300), nullable=False),  # what the game says
    Column("wanted", String(500), nullable=False),  # what somebody wrote into the sheet
    Column("at", BigInteger, nullable=False),
    Column("refused", Boolean, nullable=False),  # kept, so as not to be asked again
    ForeignKeyConstraint(["game"], ["games.id"]),
    Index(None, "game"),
)

photos = Table(
    "photos",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("player", Integer, primary_key=True),
    Column("source", Text, nullable=False),  # the cell whose links were tried
    Column("outcome", String(40), nullable=False),  # "done", or why not
    Column("at", BigInteger, nullable=False),
    ForeignKeyConstraint(["game", "player"], ["players.game", "players.id"]),
)

mails = Table(
    "mails",
    metadata,
    Column("game", Integer, primary_key=True),
    Column("player", Integer, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("address", String(300), nullable=False),
    Column("state", String(20), nullable=False),  # asked, handing, sent or failed
    Column("detail", String(300), nullable=False),  # what the mail server said
    Column("at", BigInteger, nullable=False),
    ForeignKeyConstraint(["game", "player"], ["players.game", "players.id"]),
)

errands = Table(
    "errands",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("game", Integer, nullable=False),
    Column("kind", String(20), nullable=False),  # photos or mails
    Column("actor", Integer),
    Column("address", String(300), nullable=False),  # by which the players reach this server
    Column("state", String(20), nullable=False),  # waiting, doing, done or failed
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("detail", Text, nullable=False),  # JSON: why it failed
    Column("at", BigInteger, nullable=False),  # when the state was last noted
    ForeignKeyConstraint(["game"], ["games.id"]),
    Index(None, "game"),
)
