"""Digests, for tests of what they say."""

from sync.digest.digest import Counted as Counted
from sync.digest.digest import CounterGrowth as CounterGrowth
from sync.digest.digest import Digest as Digest
from sync.digest.digest import Growth as Growth
from sync.digest.digest import Section as Section
from sync.digest.gather import times_of as times_of
from sync.digest.html import as_html as as_html
from sync.digest.text import as_markdown as as_markdown
from sync.digest.text import as_text as as_text
