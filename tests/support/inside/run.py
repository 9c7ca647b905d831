"""The names of sync/run/ that tests use."""

from sync.run.forecast import Forecast as Forecast
from sync.run.forecast import forecast_listing as forecast_listing
from sync.run.outcome import RunOutcome as RunOutcome
