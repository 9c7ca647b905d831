"""The resources that are synced, as data: one file each. No I/O, no SQL, no HTTP."""

from collections.abc import Mapping

from sync.resources.downloads import DOWNLOAD_READINGS, DOWNLOADS, RELEASE_ASSETS
from sync.resources.figures import Figures, RowTable
from sync.resources.forks import FORKS
from sync.resources.languages import LANGUAGES
from sync.resources.repositories import REPOSITORIES
from sync.resources.resource import Resource
from sync.resources.stars import STARS
from sync.resources.traffic import TRAFFIC
from sync.resources.traffic_popular import TRAFFIC_POPULAR
from sync.resources.watchers import WATCHERS

# The resources with items, parents before children.
RESOURCES: tuple[Resource, ...] = (REPOSITORIES, DOWNLOADS, RELEASE_ASSETS, FORKS)

# What is requested for each repository, if it is switched on; what is lost soonest comes first.
OF_REPOSITORIES: tuple[Resource | Figures, ...] = (
    *(TRAFFIC, TRAFFIC_POPULAR, DOWNLOADS, STARS, LANGUAGES, WATCHERS, FORKS),
)
BY_NAME: Mapping[str, Resource | Figures] = {each.name: each for each in OF_REPOSITORIES}

# Where the days on which a resource was read are kept, of those whose rows do not tell.
READINGS: Mapping[str, RowTable] = {DOWNLOADS.name: DOWNLOAD_READINGS}

# The tables of rows, each once.
ROW_TABLES: tuple[RowTable, ...] = (
    *dict.fromkeys(
        table for each in OF_REPOSITORIES if isinstance(each, Figures) for table in each.tables
    ),
    *READINGS.values(),
)


def within(resource: Resource) -> tuple[Resource, ...]:
    """Return the resources whose items are contained in the records of `resource`."""
    return tuple(each for each in RESOURCES if each.parent is resource and each.within)
