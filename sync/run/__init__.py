"""One sync run of one account, from its start to its recorded outcome."""
