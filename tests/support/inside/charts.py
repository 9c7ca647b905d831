"""The names of sync/charts/ that tests use."""

from sync.charts.picture import Line as Line
from sync.charts.picture import Panel as Panel
from sync.charts.picture import Picture as Picture
from sync.charts.picture import Theme as Theme
from sync.charts.picture import headline as headline
from sync.charts.scale import axis_of as axis_of
from sync.charts.scale import day_ticks as day_ticks
from sync.charts.scale import limits as limits
from sync.charts.scale import short as short
from sync.charts.spark import sparkline as sparkline
from sync.charts.steps import Step as Step
from sync.charts.steps import steps_in as steps_in
from sync.charts.svg import drawn as drawn
