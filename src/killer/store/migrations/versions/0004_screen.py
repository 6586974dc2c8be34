"""The big screen: one number for each game, from which its link is made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("games", sa.Column("screen", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("games", "screen")
