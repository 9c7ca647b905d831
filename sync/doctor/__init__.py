"""The checks of `repoledger check`, as lists: `diagnosis` joins them, `check_list` runs one."""
