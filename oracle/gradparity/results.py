"""CheckResult and RunRecord: what a run found, before it is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradparity.blame.finding import Blame
from gradparity.judge.verdict import Verdict
from gradparity.language.check import Check
from gradparity.outcome import Outcome

if TYPE_CHECKING:
    from gradparity.arbiter.opinion import Arbitration


@dataclass(frozen=True)
class CheckResult:
    """One check, what each side answered (None: it could not be asked), and the verdict.

    `blame` is what was found to make it differ, when that was looked for.
    `arbitration` is the arbiter's word, None when it was not asked.
    """

    check: Check
    oracle: Outcome | None
    implementation: Outcome | None
    verdict: Verdict
    blame: Blame | None = None
    arbitration: Arbitration | None = None


@dataclass
class RunRecord:
    """A run: its results in the order of the checks, and who answered.

    Attributes:
      results: one for each check.
      oracle: profile -> the description that the oracle's worker gave of itself
        (namespace, version, python, numpy, machine, environment, session).
      implementation: the same for the implementation under test.
      started_at: UTC, ISO 8601, seconds.
      seconds: wall time of the whole run.
      interrupted: whether it was stopped before all checks were judged.
      ledger_problems: what is wrong with entries of the ledger as such, one line each.
      unblamed: how many checks that differ were not looked into, to save time.
      truth_problems: what cases declare of the truth and the arbiter denies, one line each.
    """

    results: Sequence[CheckResult] = ()
    oracle: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    implementation: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    started_at: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    ledger_problems: Sequence[str] = ()
    unblamed: int = 0
    truth_problems: Sequence[str] = ()

    @property
    def passes(self) -> bool:
        """Whether the run ended, anything was judged and nothing that was found fails it."""
        return (
            not self.interrupted
            and bool(self.results)
            and not self.ledger_problems
            and not self.truth_problems
            and all(r.verdict.word.passes for r in self.results)
        )
