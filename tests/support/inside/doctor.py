"""The names of sync/doctor/ that tests use."""

from sync.doctor import database as database
from sync.doctor.account import CHECKS as CHECKS
from sync.doctor.account import Visit as Visit
from sync.doctor.check_list import Finding as Finding
from sync.doctor.check_list import Stop as Stop
from sync.doctor.check_list import run as run
