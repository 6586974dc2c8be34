"""The first schema: games, players, the log, and what people keep apart from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _games() -> None:
    op.create_table(
        "games",
        sa.Column("id", sa.Integer, autoincrement=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("visibility", sa.String(20), nullable=False),
        sa.Column("first_visibility", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_games"),
        sa.UniqueConstraint("name", name="uq_games_name"),
    )
    op.create_table(
        "events",
        sa.Column("game", sa.Integer, sa.ForeignKey("games.id", name="fk_events_game")),
        sa.Column("version", sa.Integer),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Integer),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("game", "version", name="pk_events"),
    )
    op.create_table(
        "answers",
        sa.Column("game", sa.Integer),
        sa.Column("actor", sa.Integer),
        sa.Column("key", sa.String(200)),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("game", "actor", "key", name="pk_answers"),
    )


def _players() -> None:
    op.create_table(
        "players",
        sa.Column("game", sa.Integer, sa.ForeignKey("games.id", name="fk_players_game")),
        sa.Column("id", sa.Integer),
        sa.Column("nickname", sa.String(60), nullable=False),
        sa.Column("nickname_key", sa.String(1200), nullable=False),
        sa.Column("year", sa.String(60), nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("photo", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("target", sa.Integer),
        sa.Column("killed_by", sa.Integer),
        sa.Column("fell", sa.Integer),
        sa.Column("organiser", sa.Boolean, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("game", "id", name="pk_players"),
    )
    op.create_index("ix_players_nickname_key", "players", ["nickname_key"])


def _owner(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["game", "player"], ["players.game", "players.id"], name=f"fk_{name}_game_player"
    )


def _people() -> None:
    op.create_table(
        "credentials",
        sa.Column("game", sa.Integer),
        sa.Column("player", sa.Integer),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("game", "player", name="pk_credentials"),
        _owner("credentials"),
    )
    op.create_table(
        "links",
        sa.Column("hash", sa.String(64)),
        sa.Column("game", sa.Integer, nullable=False),
        sa.Column("player", sa.Integer, nullable=False),
        sa.Column("once", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
        sa.PrimaryKeyConstraint("hash", name="pk_links"),
        _owner("links"),
    )
    op.create_index("ix_links_game_player", "links", ["game", "player"])
    op.create_table(
        "contacts",
        sa.Column("game", sa.Integer),
        sa.Column("player", sa.Integer),
        sa.Column("email", sa.String(300), nullable=False),
        sa.Column("phone", sa.String(300), nullable=False),
        sa.Column("gender", sa.String(300), nullable=False),
        sa.Column("photo_source", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("game", "player", name="pk_contacts"),
        _owner("contacts"),
    )
    op.create_table(
        "hits",
        sa.Column("key", sa.String(300)),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_hits"),
    )
    op.create_index("ix_hits_expires", "hits", ["expires"])


def upgrade() -> None:
    _games()
    _players()
    _people()


def downgrade() -> None:
    for table in (
        "hits",
        "contacts",
        "links",
        "credentials",
        "players",
        "answers",
        "events",
        "games",
    ):
        op.drop_table(table)
