"""The day of an outcome, what watching a version found last, and predictions found by version and time."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("outcome_on", sa.Date(), nullable=True))
    op.create_index("ix_predictions_release_at", "predictions", ["release_id", "at", "id"])
    op.drop_index("ix_predictions_release_id", "predictions")
    op.create_table(
        "watches",
        sa.Column("release_id", sa.String(32), nullable=False),
        sa.Column("watched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("n_stop", sa.Integer(), nullable=False),
        sa.Column("n_recalibrate", sa.Integer(), nullable=False),
        sa.Column("n_look", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"]),
        sa.PrimaryKeyConstraint("release_id"),
    )


def downgrade() -> None:
    op.drop_table("watches")
    op.create_index("ix_predictions_release_id", "predictions", ["release_id"])
    op.drop_index("ix_predictions_release_at", "predictions")
    op.drop_column("predictions", "outcome_on")
