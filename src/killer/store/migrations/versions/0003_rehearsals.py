"""Rehearsals: games that are removed again, and whose numbers nobody gets after them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD = "id, name, state, visibility, first_visibility, version, created"
OWNED = (
    "errands",
    "mails",
    "photos",
    "offers",
    "sheets",
    "places",
    "contacts",
    "links",
    "credentials",
    "answers",
    "events",
    "players",
)


def _make_anew() -> None:
    """Give SQLite's table the word that keeps a number from being used twice.

    The rows of other tables speak of games by their numbers all the while; whether they all find
    theirs again is looked at when the transaction ends.
    """
    op.execute("PRAGMA defer_foreign_keys=ON")
    op.execute("CREATE TABLE games_before AS SELECT * FROM games")
    op.drop_table("games")
    op.create_table(
        "games",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("visibility", sa.String(20), nullable=False),
        sa.Column("first_visibility", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("rehearses", sa.Integer),
        sa.UniqueConstraint("name", name="uq_games_name"),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO games ({OLD}) SELECT {OLD} FROM games_before")  # noqa: S608  # constants
    op.drop_table("games_before")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        op.add_column("games", sa.Column("rehearses", sa.Integer))


def downgrade() -> None:
    rehearsals = "SELECT id FROM games WHERE rehearses IS NOT NULL"
    for table in OWNED:
        op.execute(f"DELETE FROM {table} WHERE game IN ({rehearsals})")  # noqa: S608  # constants
    op.execute("DELETE FROM games WHERE rehearses IS NOT NULL")
    op.drop_column("games", "rehearses")
