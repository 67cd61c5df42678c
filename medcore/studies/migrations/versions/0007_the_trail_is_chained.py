"""Each entry of the trail is chained to the one before; what undid what is said by the entry that undid it."""

import secrets
from collections import defaultdict
from datetime import UTC
from types import SimpleNamespace

import sqlalchemy as sa
from alembic import op

from medcore.studies.audit.chain import FIRST, details_digest, link_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NEW = (("salt", 32), ("details_digest", 64), ("link", 64))


def upgrade() -> None:
    with op.batch_alter_table("audit") as batch_op:
        batch_op.add_column(sa.Column("undoes", sa.Integer(), nullable=True))
        for name, length in NEW:
            batch_op.add_column(sa.Column(name, sa.String(length), nullable=True))
    _chain(op.get_bind())
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_column("undone")
        batch_op.alter_column("details_digest", existing_type=sa.String(64), nullable=False)
        batch_op.alter_column("link", existing_type=sa.String(64), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("audit") as batch_op:
        batch_op.add_column(sa.Column("undone", sa.Boolean(), nullable=False, server_default=sa.false()))
    audit = _table()
    undone = sa.select(audit.c.undoes).where(audit.c.undoes.is_not(None))
    op.get_bind().execute(audit.update().where(audit.c.id.in_(undone)).values(undone=True))
    with op.batch_alter_table("audit") as batch_op:
        for name in ("undoes", *(name for name, _length in NEW)):
            batch_op.drop_column(name)


def _chain(connection: sa.Connection) -> None:
    audit, previous = _table(), FIRST
    undoable: dict[str | None, list[int]] = defaultdict(list)
    for row in connection.execute(sa.select(audit).order_by(audit.c.id)).all():
        entry = SimpleNamespace(**row._mapping)
        if entry.created_at.tzinfo is None:
            entry.created_at = entry.created_at.replace(tzinfo=UTC)
        done = undoable[entry.study_id]
        entry.undoes = done.pop() if entry.action == "change.undone" and done else None
        if entry.before is not None:
            done.append(entry.id)
        entry.salt = secrets.token_hex(16)
        entry.details_digest = details_digest(entry.salt, entry.details, entry.before)
        entry.link = previous = link_of(entry, previous)
        new = {name: getattr(entry, name) for name in ("undoes", "salt", "details_digest", "link")}
        connection.execute(audit.update().where(audit.c.id == entry.id).values(**new))


def _table() -> sa.TableClause:
    return sa.table(
        "audit",
        sa.column("id", sa.Integer),
        sa.column("owner", sa.String),
        sa.column("study_id", sa.String),
        sa.column("run_id", sa.String),
        sa.column("action", sa.String),
        sa.column("undoes", sa.Integer),
        sa.column("undone", sa.Boolean),
        sa.column("details", sa.JSON(none_as_null=True)),
        sa.column("before", sa.JSON(none_as_null=True)),
        sa.column("salt", sa.String),
        sa.column("details_digest", sa.String),
        sa.column("link", sa.String),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
