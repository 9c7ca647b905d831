"""The names of sync/resources/ that tests use."""

from sync.resources import BY_NAME as BY_NAME
from sync.resources import OF_REPOSITORIES as OF_REPOSITORIES
from sync.resources import RESOURCES as RESOURCES
from sync.resources import ROW_TABLES as ROW_TABLES
from sync.resources.downloads import DOWNLOADS as DOWNLOADS
from sync.resources.fields import License as License
from sync.resources.fields import Owner as Owner
from sync.resources.figures import Answer as Answer
from sync.resources.figures import Asked as Asked
from sync.resources.figures import Figures as Figures
from sync.resources.figures import Told as Told
from sync.resources.forks import FORKS as FORKS
from sync.resources.languages import LANGUAGES as LANGUAGES
from sync.resources.languages import REPOSITORY_LANGUAGES as REPOSITORY_LANGUAGES
from sync.resources.repositories import REPOSITORIES as REPOSITORIES
from sync.resources.repositories import Repository as Repository
from sync.resources.resource import Due as Due
from sync.resources.resource import Resource as Resource
from sync.resources.stars import STARS as STARS
from sync.resources.traffic import TRAFFIC as TRAFFIC
from sync.resources.traffic import lost_when as lost_when
from sync.resources.traffic_popular import TRAFFIC_POPULAR as TRAFFIC_POPULAR
from sync.resources.watchers import WATCHERS as WATCHERS
