"""What happened to repositories, as events that people understand.

`read.events_in` reads a period of the ledger; `from_log.events_of` and `from_counters` turn its
rows into events; `words.sentence` says one in words. Commands, digests and feeds use these.
"""
