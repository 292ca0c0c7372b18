"""Run by alembic. The connection comes from `store.migrate`, with its transaction already open: all steps or none."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
