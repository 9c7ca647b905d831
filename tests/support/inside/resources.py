"""The names of sync/resources/ that tests use."""

from sync.resources import OF_REPOSITORIES as OF_REPOSITORIES
from sync.resources import RESOURCES as RESOURCES
from sync.resources import configured_name as configured_name
from sync.resources.fields import License as License
from sync.resources.fields import Owner as Owner
from sync.resources.languages import LANGUAGES as LANGUAGES
from sync.resources.releases import RELEASES as RELEASES
from sync.resources.repositories import REPOSITORIES as REPOSITORIES
from sync.resources.repositories import Repository as Repository
from sync.resources.resource import Due as Due
from sync.resources.resource import Resource as Resource
