"""The names of answers of sync/forges/ that tests use."""

from sync.forges.answers import CachedPage as CachedPage
from sync.forges.answers import Page as Page
from sync.forges.answers import VisibilityFilter as VisibilityFilter
from sync.forges.github.decode import decode_page as decode_page
from sync.forges.github.decode import decode_repository as decode_repository
from sync.forges.github.decode import decode_user as decode_user
