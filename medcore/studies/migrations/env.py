"""How Alembic reaches the database: by the connection that medcore hands over."""

from alembic import context

import medcore.studies.use_tables  # noqa: F401 - its tables are among those of Base
from medcore.studies.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
