"""The names of sync/daemon/ that tests use."""

from sync.daemon.accounts import Accounts as Accounts
from sync.daemon.health import liveness as liveness
from sync.daemon.http import Answer as Answer
from sync.daemon.http import Listener as Listener
from sync.daemon.jobs import Jobs as Jobs
from sync.daemon.ledger import OpenLedger as OpenLedger
from sync.daemon.ledger import Standing as Standing
from sync.daemon.readings import BUNDLE as BUNDLE
from sync.daemon.readings import SLICE as SLICE
from sync.daemon.readings import WITH_LISTING as WITH_LISTING
from sync.daemon.readings import Reading as Reading
from sync.daemon.readings import Wanted as Wanted
from sync.daemon.readings import has_read_enough as has_read_enough
from sync.daemon.readings import next_reading as next_reading
from sync.daemon.runs import Stop as Stop
from sync.daemon.schedule import LONGEST_PAUSE as LONGEST_PAUSE
from sync.daemon.schedule import AccountSchedule as AccountSchedule
from sync.daemon.schedule import History as History
from sync.daemon.schedule import first_due as first_due
from sync.daemon.schedule import next_due as next_due
from sync.daemon.service import HEARTBEAT as HEARTBEAT
from sync.daemon.service import Daemon as Daemon
