"""The names of sync/config/ that tests use."""

from sync.config import Account as Account
from sync.config import Config as Config
from sync.config import load as load
from sync.config import other_database as other_database
from sync.config import parse as parse
from sync.config import secrets as secrets
from sync.config.database_url import DatabaseUrl as DatabaseUrl
from sync.config.resources import RESOURCES as RESOURCES
from sync.config.resources import AccountResources as AccountResources
from sync.config.resources import Resources as Resources
from sync.config.resources import ResourceSetting as ResourceSetting
from sync.config.sections import Database as Database
from sync.config.sections import ForgeSettings as ForgeSettings
from sync.config.sections import Http as Http
from sync.config.sections import Ping as Ping
from sync.config.sections import Removals as Removals
from sync.config.sections import Retention as Retention
from sync.config.sections import Schedule as Schedule
from sync.config.values import ApiUrl as ApiUrl
from sync.config.values import Command as Command
from sync.config.values import Cron as Cron
from sync.config.values import Listen as Listen
from sync.config.values import PingUrl as PingUrl
from sync.config.values import Retained as Retained
from sync.config.values import Seconds as Seconds
from sync.config.values import TimeZone as TimeZone
