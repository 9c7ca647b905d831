"""Log events about removals: removed repositories, and withheld ones with the reason."""

from __future__ import annotations

from structlog import get_logger

from sync.load.page_log import log_rejections, log_writes
from sync.removals.apply import Applied
from sync.removals.missing import Absence

log = get_logger("sync.runner")


def log_applied(applied: Applied) -> None:
    """Log the removals, and the changes that GitHub's answers brought."""
    log_rejections(applied.stored.rejections)
    log_writes(applied.stored.writes)
    for gone in applied.departures:
        # No name in the log if the repository has become private and is redacted or purged.
        name = None if gone.secret else applied.names[gone.id]
        if not gone.leaving:
            log.info("repository.cleared", id=gone.id, purged=gone.purges)
        elif gone.reason is None:
            log.info("repository.left", id=gone.id, repository=name)
        else:
            log.info("repository.removed", id=gone.id, repository=name, reason=gone.reason)
    for id_, reason in applied.refused.items():
        log.warning("repository.removal_refused", id=id_, reason=reason)
    for id_, reason in applied.unpurged.items():
        log.warning("repository.purge_refused", id=id_, reason=reason)


def log_former_host(before: str, now: str, repositories: int) -> None:
    """Log that an account still has repositories stored from its former host."""
    log.warning("account.host_changed", before=before, now=now, repositories=repositories)


def log_withheld(absence: Absence, undecided: int | None = None) -> None:
    """Log that missing repositories were not removed: `undecided` of them, None for all."""
    log.warning(
        "sync.removals_withheld",
        missing=len(absence.missing),
        members=absence.members,
        withheld=len(absence.missing) if undecided is None else undecided,
        reason=absence.objection or "not decided yet",
    )
