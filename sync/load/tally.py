"""What became of the repositories of a run, for one resource. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.load.agenda import Agenda
    from sync.load.resource_answer import Answered


@dataclass(slots=True)
class Tally:
    """Numbers of repositories.

    `read`: the answer is stored, to its last page. `refused`: GitHub does not let the token read
    it, by an answer of this run or by an earlier one that still holds. `paused`: not requested,
    because others of the same owner were refused. `missing`: the answer was 404. `found`: whether
    there is something for anyone. `failed`: no usable answer. `lost`: figures of some days are
    gone. `reason`: GitHub's words for the last refusal. `without`: the status of repositories of
    which GitHub has nothing to give, by id.
    """

    read: int = 0
    refused: int = 0
    paused: int = 0
    missing: int = 0
    found: bool = False
    failed: int = 0
    lost: int = 0
    reason: str | None = None
    without: dict[int, str] = field(default_factory=dict)

    @property
    def is_absent(self) -> bool:
        """Whether every answer was 404, as from a server that does not have the resource."""
        return bool(self.missing) and not (self.found or self.refused or self.failed)

    def take(self, repository_id: int, answered: Answered, detail: str | None) -> None:
        """Count an answer; `detail` is what it says of an error."""
        self.without.pop(repository_id, None)
        match answered.status:
            case "complete" | "empty":
                self.read += not answered.goes_on
                self.found = True
            case "refused" | "blocked":
                self.refused += 1
                self.reason = detail
            case "missing":
                self.missing += 1
            case "failed":
                self.failed += 1
            case "computing" | "unavailable" | "off" | "too_large":
                self.without[repository_id] = answered.status
        self.lost += bool(answered.counts.lost_days)

    def note_others(self, resource: int, made: Agenda) -> None:
        """Note the repositories that were not requested, by the last agenda of the run."""
        self.paused = made.paused[resource]
        if made.refused[resource] > self.refused:
            self.refused = made.refused[resource]
            self.reason = self.reason or made.reasons[resource]
