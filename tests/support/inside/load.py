"""The names of sync/load/ that tests use."""

from sync.load.agenda import Agenda as Agenda
from sync.load.agenda import agenda as agenda
from sync.load.agenda import requests_left as requests_left
from sync.load.due import Candidate as Candidate
from sync.load.due import ResourcePlan as ResourcePlan
from sync.load.due import State as State
from sync.load.due import Status as Status
from sync.load.due import basis_of as basis_of
from sync.load.due import next_check as next_check
from sync.load.loading import Choice as Choice
from sync.load.loading import Loaded as Loaded
from sync.load.page import Stored as Stored
from sync.load.page import store_page as store_page
from sync.load.page_plan import Plan as Plan
from sync.load.page_plan import content_hash as content_hash
from sync.load.page_plan import diff as diff
from sync.load.page_plan import differing as differing
from sync.load.page_plan import hash_items as hash_items
from sync.load.page_plan import make_plan as make_plan
from sync.load.page_plan import stored_values as stored_values
from sync.load.resources import load_resources as load_resources
from sync.load.scan import ListingScan as ListingScan
from sync.load.writer import RunWriter as RunWriter
