"""Events, for tests of what they say."""

from sync.events.event import EventKind as EventKind
from sync.events.event import wanted as wanted
from sync.events.from_log import events_of as events_of
from sync.events.words import sentence as sentence
