"""The command line: puts all parts together; the only folder that exits the process.

Modules here import at their top only modules that every command needs; the command that uses
a slow import (SQLAlchemy, requests, structlog, Rich) does it itself.
"""
