"""Loads pages and resources into the ledger: planned without I/O, a transaction each.

A page of the listing: `page` stores it by the plan of `page_plan`, `scan` collects it, `page_cache`
remembers it. Resources of repositories: `agenda` says which are due, `children` fetches them,
`child_page` stores each by the plan of `child_plan`. Both write through `writer`, with counts.
"""
