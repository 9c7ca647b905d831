"""`python -m tests.support.impatient_daemon daemon`: a second of silence is too long for a run."""

from sync.__main__ import main
from sync.daemon import runs

if __name__ == "__main__":
    runs.PATIENCE = 1.0
    main()
