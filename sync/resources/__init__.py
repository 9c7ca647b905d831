"""The resources that are synced, as data: one file each. No I/O, no SQL, no HTTP."""

from collections.abc import Mapping

from sync.config.resources import ResourceSetting
from sync.resources.languages import LANGUAGES
from sync.resources.releases import RELEASE_ASSETS, RELEASES
from sync.resources.repositories import REPOSITORIES
from sync.resources.resource import Resource

# Parents before children.
RESOURCES: tuple[Resource, ...] = (REPOSITORIES, LANGUAGES, RELEASES, RELEASE_ASSETS)

# The resources that are requested for each repository, if they are switched on.
OF_REPOSITORIES = tuple(each for each in RESOURCES if each.parent is REPOSITORIES)

_CONFIGURED = {"releases": "downloads"}  # names in the configuration, where they differ


def within(resource: Resource) -> tuple[Resource, ...]:
    """Return the resources whose items are contained in the records of `resource`."""
    return tuple(each for each in RESOURCES if each.parent is resource and each.within)


def switched_on(settings: Mapping[str, ResourceSetting]) -> tuple[Resource, ...]:
    """Return the resources to load, of those that `settings` switches on by their names."""
    return tuple(each for each in OF_REPOSITORIES if settings[configured_name(each)].on)


def configured_name(resource: Resource) -> str:
    """Return the name of a resource in the configuration."""
    return _CONFIGURED.get(resource.name, resource.name)
