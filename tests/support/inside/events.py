"""Events, for tests of what they say."""

from sync.events.event import Event as Event
from sync.events.event import EventKind as EventKind
from sync.events.event import wanted as wanted
from sync.events.from_figures import event_of as event_of
from sync.events.from_figures import largest as largest
from sync.events.from_figures import sums_of as sums_of
from sync.events.from_log import events_of as events_of
from sync.events.read import Wish as Wish
from sync.events.read import events_in as events_in
from sync.events.words import rest_of as rest_of
from sync.events.words import sentence as sentence
