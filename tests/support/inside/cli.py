"""The names of sync/cli/ that tests use."""

from sync.cli.accounts import ending as ending
from sync.cli.cells import csv_cell as csv_cell
from sync.cli.main import app as app
from sync.cli.output import table_cell as table_cell
from sync.cli.output_files import replacing as replacing
from sync.cli.plot import plotted as plotted
from sync.cli.settings import ExitCode as ExitCode
