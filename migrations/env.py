"""The entry point of Alembic. The connection, with its transaction begun, comes from
sync/database/migrate.py.
"""

from alembic import context

from sync.database.dialects import VERSION_TABLE
from sync.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
