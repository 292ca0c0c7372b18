"""What later calls and reports need: what a card rested on and whether it was shown, what rules could not tell, versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Columns with a default, so that the version before goes on writing beside this one; and one table."""
    op.add_column("calls", sa.Column("unsure", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("calls", sa.Column("role", sa.Text(), nullable=False, server_default=""))
    op.add_column("calls", sa.Column("sex", sa.Text(), nullable=False, server_default=""))
    op.add_column("calls", sa.Column("age_band", sa.Text(), nullable=False, server_default=""))
    op.add_column("calls", sa.Column("missing", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("issued", sa.Column("display", sa.Text(), nullable=False, server_default="shown"))
    op.add_column("issued", sa.Column("evidence", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "deployments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule_set", sa.Text(), nullable=False),
    )
