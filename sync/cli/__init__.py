"""The command line: where everything is put together, and the only place that exits.

Modules here import at their top only what every command needs; what is slow
to import (SQLAlchemy, requests, structlog, Rich) is imported by the command
that uses it.
"""
