"""A digest: what happened to the repositories in a time, as one message for people.

`gather.digest_of` reads it from the ledger; `text`, `markdown` and `html` write it.
"""
