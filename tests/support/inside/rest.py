"""The names of sync/rest/ that tests use."""

from sync.rest.auth.keys import rsa_private_key as rsa_private_key
from sync.rest.entity_tag import entity_tag as entity_tag
from sync.rest.oauth_endpoint import Granted as Granted
from sync.rest.oauth_endpoint import read_answer as read_answer
from sync.rest.paging import Leaf as Leaf
from sync.rest.paging import linked as linked
from sync.rest.proxy import proxy_for as proxy_for
from sync.rest.response import LONGEST_RETRY_AFTER as LONGEST_RETRY_AFTER
from sync.rest.response import Response as Response
from sync.rest.response import classify as classify
from sync.rest.response import parse_http_date as parse_http_date
from sync.rest.response import parse_links as parse_links
from sync.rest.response import parse_retry_after as parse_retry_after
from sync.rest.stats import RequestStats as RequestStats
from sync.rest.trust import VARIABLES as VARIABLES
