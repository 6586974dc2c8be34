"""What the keeper knows: leases, places, the sheet, offers, photos, mails and errands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(40)),
        sa.Column("holder", sa.String(80), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _places() -> None:
    op.create_table(
        "places",
        sa.Column("reader", sa.String(40)),
        sa.Column("game", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("reader", "game", name="pk_places"),
        sa.ForeignKeyConstraint(["game"], ["games.id"], name="fk_places_game"),
    )


def _sheets() -> None:
    op.create_table(
        "sheets",
        sa.Column("game", sa.Integer),
        sa.Column("read_at", sa.BigInteger),
        sa.Column("wrote_at", sa.BigInteger),
        sa.Column("trouble", sa.String(40), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("mended", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("game", name="pk_sheets"),
        sa.ForeignKeyConstraint(["game"], ["games.id"], name="fk_sheets_game"),
    )


def _offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.Integer, autoincrement=True),
        sa.Column("game", sa.Integer, nullable=False),
        sa.Column("player", sa.Integer),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("nickname", sa.String(60), nullable=False),
        sa.Column("before", sa.String(300), nullable=False),
        sa.Column("wanted", sa.String(500), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_offers"),
        sa.ForeignKeyConstraint(["game"], ["games.id"], name="fk_offers_game"),
    )
    op.create_index("ix_offers_game", "offers", ["game"])


def _photos() -> None:
    op.create_table(
        "photos",
        sa.Column("game", sa.Integer),
        sa.Column("player", sa.Integer),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("game", "player", name="pk_photos"),
        sa.ForeignKeyConstraint(
            ["game", "player"], ["players.game", "players.id"], name="fk_photos_game_player"
        ),
    )


def _mails() -> None:
    op.create_table(
        "mails",
        sa.Column("game", sa.Integer),
        sa.Column("player", sa.Integer),
        sa.Column("kind", sa.String(20)),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("detail", sa.String(300), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("game", "player", "kind", name="pk_mails"),
        sa.ForeignKeyConstraint(
            ["game", "player"], ["players.game", "players.id"], name="fk_mails_game_player"
        ),
    )


def _errands() -> None:
    op.create_table(
        "errands",
        sa.Column("id", sa.Integer, autoincrement=True),
        sa.Column("game", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor", sa.Integer),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_errands"),
        sa.ForeignKeyConstraint(["game"], ["games.id"], name="fk_errands_game"),
    )
    op.create_index("ix_errands_game", "errands", ["game"])


def upgrade() -> None:
    _leases()
    _places()
    _sheets()
    _offers()
    _photos()
    _mails()
    _errands()


def downgrade() -> None:
    for table in (
        "errands",
        "mails",
        "photos",
        "offers",
        "sheets",
        "places",
        "leases",
    ):
        op.drop_table(table)
