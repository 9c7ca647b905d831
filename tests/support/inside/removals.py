"""The names of sync/removals/ that tests use."""

from sync.removals.apply import apply_verdicts as apply_verdicts
from sync.removals.departure import Departure as Departure
from sync.removals.departure import OnPrivate as OnPrivate
from sync.removals.departure import make_departure as make_departure
from sync.removals.judge import Answer as Answer
from sync.removals.judge import ListingIdentity as ListingIdentity
from sync.removals.judge import Reason as Reason
from sync.removals.judge import Verdict as Verdict
from sync.removals.judge import confirmed as confirmed
from sync.removals.judge import digest as digest
from sync.removals.judge import judge as judge
from sync.removals.judge import objection as objection
from sync.removals.judge import parse_listing_identity as parse_listing_identity
