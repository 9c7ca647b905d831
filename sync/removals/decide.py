"""Decides about the missing repositories and writes the decisions, in batches."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from operator import attrgetter

from sync.config.sections import Removals
from sync.core.errors import Interrupted, RemovalsWithheld, RestError
from sync.database.run_transaction import RunTransaction
from sync.database.writes import PageEntry, Run, RunCounts
from sync.load.writer import RunWriter
from sync.removals.apply import AT_ONCE, Applied, apply_verdicts, clear_due
from sync.removals.judge import Verdict, at_former_host
from sync.removals.missing import Absence, MissingFinder
from sync.removals.removal_log import log_applied, log_former_host, log_withheld


class Removing:
    """Removes repositories that an account's listing no longer contains, by `rules`.

    `on_withheld` is called with the host, the ids of undecided repositories, and the reason.
    """

    def __init__(
        self,
        writer: RunWriter,
        finder: MissingFinder,
        rules: Removals,
        on_withheld: Callable[[str, Collection[int], str], object],
    ) -> None:
        self._writer = writer
        self._finder = finder
        self._rules = rules
        self._on_withheld = on_withheld

    def withhold(self, absence: Absence) -> None:
        """Count and log all missing repositories as withheld."""
        self._writer.count(RunCounts(withheld=len(absence.missing)))
        log_withheld(absence)
        self._on_withheld(self._writer.run.host, absence.missing, str(absence.objection))

    def remove(self, absence: Absence, *, full: bool) -> RemovalsWithheld | None:
        """Ask GitHub for each missing repository, and apply the verdicts.

        Returns an error to report if some stay undecided. Before RestErrors and Interrupted
        are raised, the verdicts so far are applied: they have cost quota. `full` makes no
        conditional requests.
        """
        batch: list[Verdict] = []
        try:
            for verdict in self._finder.verdicts(absence, limit=self._rules.max_probes, full=full):
                batch.append(verdict)
                if len(batch) == AT_ONCE:
                    self._settle(batch, absence)
                    batch = []
        except (RestError, Interrupted):
            self._settle(batch, absence)
            raise
        self._settle(batch, absence)
        undecided = self._writer.counts.withheld
        if undecided:
            log_withheld(absence, undecided)
        self._note_basis(absence, undecided)
        return absence.undecided(undecided)

    def leave_former_hosts(self, absence: Absence) -> RemovalsWithheld | None:
        """Remove repositories of the account's former hosts, once the user has confirmed it.

        Returns the error that asks for the confirmation.
        """
        run = self._writer.run
        left = self._writer.read(lambda reader: reader.elsewhere())
        error = absence.at_former_hosts(run.host, left)
        for host, number in left.items():
            log_former_host(host, run.host, number)
            there = replace(run, host=host)
            ids = self._writer.read(lambda reader: list(reader.members((reader.account,))), there)
            if error is not None:
                self._writer.count(RunCounts(withheld=number))
                self._on_withheld(host, ids, str(error))
                continue
            verdicts = [at_former_host(id_, accepted=True) for id_ in ids]
            for start in range(0, len(verdicts), AT_ONCE):
                self._settle(verdicts[start : start + AT_ONCE], absence, there)
        return error

    def clear_due(self) -> RemovalsWithheld | None:
        """Redact or purge private repositories that no other account has turned out to list.

        Returns an error to report if the database refuses some.
        """
        before = self._writer.counts.withheld
        revision = self._writer.run.revision
        due = self._writer.read(lambda reader: reader.redactions_due(revision))
        for start in range(0, len(due), AT_ONCE):
            some = due[start : start + AT_ONCE]
            self._write(partial(clear_due, due=some, rules=self._rules))
        refused = self._writer.counts.withheld - before
        if not refused:
            return None
        return RemovalsWithheld(
            f"{refused} repositories have become private and still have their data in the ledger: "
            "the database refuses to change their rows. The log has its reasons; the next run "
            "tries again"
        )

    def _settle(self, verdicts: list[Verdict], absence: Absence, run: Run | None = None) -> None:
        if not verdicts:
            return
        verdicts = sorted(verdicts, key=attrgetter("id"))
        finder, position = self._finder, self._finder.scan.items
        # Remember the ETags of repositories that exist but are not listed, for the next run.
        entries = [
            PageEntry(finder.tag_key(absence.basis, v.id), v.etag, (v.id,), 1, None)
            for v in verdicts
            if v.outcome == "keep" and v.etag is not None
        ]
        self._writer.kept_pages += [entry.key for entry in entries]

        def work(transaction: RunTransaction) -> Applied:
            applied = apply_verdicts(
                transaction, verdicts, self._rules, former=absence.former, position=position
            )
            if not applied.stored.rejections:
                for entry in entries:
                    transaction.remember_page(entry)
            return applied

        self._write(work, run)

    def _write(self, work: Callable[[RunTransaction], Applied], run: Run | None = None) -> None:
        run = run or self._writer.run
        applied = self._writer.write(work, lambda applied: applied.counts, run)
        log_applied(applied)
        why = "not decided yet; the next run asks GitHub again"
        for id_, reason in (dict.fromkeys(applied.undecided, why) | applied.refused).items():
            self._on_withheld(run.host, (id_,), reason)

    def _note_basis(self, absence: Absence, undecided: int) -> None:
        run, store = self._writer.run, self._writer.store
        known = store.account(run.account).get("listing_basis")
        basis = absence.basis.as_text()
        # The first identity waits until everything is decided: once it is noted, repositories
        # of the account's former names are no longer looked for.
        if basis != known and (known is not None or not undecided):
            store.note_basis(run, basis)
