"""The names of sync/sandbox/ that tests use."""

from sync.sandbox.account_json import SITE as SITE
from sync.sandbox.account_json import node_id as node_id
from sync.sandbox.account_json import simple_user as simple_user
from sync.sandbox.account_json import timestamp as timestamp
from sync.sandbox.call import Call as Call
from sync.sandbox.call import Handler as Handler
from sync.sandbox.host import Host as Host
from sync.sandbox.messages import ENTERPRISE_PATH as ENTERPRISE_PATH
from sync.sandbox.messages import Answer as Answer
from sync.sandbox.messages import RefusedError as RefusedError
from sync.sandbox.messages import Reply as Reply
from sync.sandbox.messages import Request as Request
from sync.sandbox.messages import digest as digest
from sync.sandbox.messages import encode as encode
from sync.sandbox.messages import not_found as not_found
from sync.sandbox.registry import Repository as Repository
from sync.sandbox.single import child as child
from sync.sandbox.story import ORGANIZATION as ORGANIZATION
from sync.sandbox.story import Calendar as Calendar
from sync.sandbox.story import Past as Past
from sync.sandbox.story import Story as Story
from sync.sandbox.users import Token as Token
from sync.sandbox.users import User as User
from sync.sandbox.world import World as World
