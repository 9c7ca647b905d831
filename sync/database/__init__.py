"""The ledger on three databases: its tables, the writes of a run, the queries of people."""
