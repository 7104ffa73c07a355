"""Residual risk: what an attack does to train people beyond what it does to people not used.

The three attacks that ask for singling out, linking and inferring (Giomi et al., arXiv:2211.10459,
after the criteria of the Article 29 Working Party, Opinion 05/2014) share this bookkeeping.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from reinforge.evaluation.scoring import scored, unscored
from reinforge.measure.intervals import LOOKED_AT, Estimate, wilson
from reinforge.records import Score


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Success of each attack really made, as 0/1 or as a probability."""

    main: np.ndarray  # against train people, with the synthetic rows
    control: np.ndarray  # the same against holdout people
    naive: float  # success rate against train people without the synthetic rows
    what: str = ""  # which variant this is, e.g. "secret 'income'"
    control_scale: float = 1.0  # what makes the control's rate comparable if it has fewer people
    independent: float = 1.0  # share of the attacks that count as independent of the others

    def rates(self, confidence: float = 0.95) -> tuple[Estimate, Estimate]:
        """Success rates of main and control with Wilson's intervals; n is the attacks made."""
        main = self._rate(self.main, 1.0, confidence)
        return main, self._rate(self.control, self.control_scale, confidence)

    def luck(self, confidence: float) -> float:
        """The main rate that luck reaches with the control's success and no leak.

        Given x of n control attacks, m attacks of the same chance succeed BetaBinomial(m, x + 1,
        n - x) times; where the control is scaled by s, each success is a control's with chance
        1/(1 + s), so that the main's number follows NegativeBinomial(x + 1, 1/(1 + s)).
        """
        n_main, n_control = (len(part) * self.independent for part in (self.main, self.control))
        found = float(self.control.mean()) * n_control
        if self.control_scale == 1.0:
            law = stats.betabinom(round(n_main), found + 1, max(n_control - found, 1.0))
        else:
            law = stats.nbinom(found + 1, 1 / (1 + self.control_scale))
        return min(1.0, float(law.ppf(confidence)) / n_main)

    def _rate(self, success: np.ndarray, scale: float, confidence: float) -> Estimate:
        n = len(success) * self.independent
        rate = wilson(float(success.mean()) * n, n, confidence=confidence)
        assert rate.low is not None
        assert rate.high is not None
        low, value, high = (min(1.0, scale * x) for x in (rate.low, rate.value, rate.high))
        return Estimate(value, low, high, len(success))


def residual_risk(main: Estimate, control: Estimate) -> Estimate | None:
    """(main - control) / (1 - control), within [0, 1]; None where the control always succeeds.

    The interval carries both Wilson intervals' half-widths through the formula's derivatives.
    """
    if control.value >= 1 or None in (main.low, main.high, control.low, control.high):
        return None
    rest = 1 - control.value
    risk = (main.value - control.value) / rest
    reach = np.hypot(_half_width(main) / rest, _half_width(control) * (1 - main.value) / rest**2)
    low, high = (float(np.clip(risk + side * reach, 0.0, 1.0)) for side in (-1, 1))
    return Estimate(float(np.clip(risk, 0.0, 1.0)), low, high, main.n)


def _half_width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return (estimate.high - estimate.low) / 2


def worst_outcome(outcomes: list[Outcome]) -> Outcome:
    """The variant whose main rate leads the control's by most, in widths of their intervals."""

    def lead(outcome: Outcome) -> float:
        main, control = outcome.rates()
        return (main.value - control.value) / np.hypot(_half_width(main), _half_width(control))

    return max(outcomes, key=lead)


def risk_score(
    name: str, outcomes: list[Outcome], *, group: str, copy: list[Outcome] | None = None
) -> Score:
    """The worst variant's residual risk, its interval widened for having been picked among them.

    Args:
        name: Name of the score.
        outcomes: One a variant of the attack; each with at least one attack on either side.
        group: Name of the group of people.
        copy: The same variants had the train rows been released.
    """
    worst = worst_outcome(outcomes)
    confidence = 1 - 0.05 / len(outcomes)
    main, control = worst.rates(confidence)
    risk = residual_risk(main, control)
    if risk is None:
        return unscored(name, "the attack succeeds on everybody, used or not", group=group)
    baseline = {"train": main.value, "control": control.value, "naive": worst.naive}
    luck = worst.luck(1 - (1 - LOOKED_AT) / len(outcomes))
    baseline["limit"] = max(0.0, (luck - control.value) / (1 - control.value))
    if copy is not None:
        baseline["copy"] = _copy_risk(copy)
    return scored(name, risk, group=group, baseline=baseline, note=_told(worst, main, control))


def _copy_risk(outcomes: list[Outcome]) -> float:
    risk = residual_risk(*worst_outcome(outcomes).rates())
    return float("nan") if risk is None else risk.value


def _told(worst: Outcome, main: Estimate, control: Estimate) -> str:
    rates = (
        f"Success rates{f' ({worst.what})' if worst.what else ''}: {main.value:.3f} of {main.n} "
        f"attacks on train people, {control.value:.3f} of {control.n} on people not used, "
        f"{worst.naive:.3f} by guessing."
    )
    if main.low is not None and main.low <= worst.naive:
        rates += (
            " The attack was not stronger than naive guessing, so it measured nothing here; "
            "a stronger one may still succeed."
        )
    return rates
