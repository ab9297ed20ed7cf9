"""A beta-binomial rule that stops a trial for harm: where it stops, and how often, exactly.

After each treated participant, from a minimum on, the trial stops where P(rate > threshold | events so far) exceeds a
certainty, with rate ~ Beta(a, b) before and Beta(a + events, b + others) after. Participants have the event with one
rate, independently; then what the rule does is a finite sum, and nothing is simulated.
Thall & Simon, Biometrics 1994;50:337-349. Ivanova, Qaqish & Schell, Biometrics 2005;61:540-545.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.stats.arrays import Counts, Floats
from equipoise.stats.binomial import as_counts


@dataclass(frozen=True, slots=True)
class ToxicityRule:
    """A prior Beta(a, b) of the event's rate, and what stops the trial.

    prior: (a, b), both positive. threshold: the rate that is too high, in (0, 1). certainty: in (0, 1).
    minimum: treated participants before the rule may act, at least 1.
    ValueError: anything else.
    """

    prior: tuple[float, float]
    threshold: float
    certainty: float
    minimum: int = 1

    def __post_init__(self) -> None:
        if not all(np.isfinite(number) and number > 0 for number in self.prior):
            raise ValueError(f"a beta prior has two positive numbers, not {self.prior}")
        for name, share in (("threshold", self.threshold), ("certainty", self.certainty)):
            if not 0 < share < 1:
                raise ValueError(f"the {name} must lie between 0 and 1, not {share}")
        if self.minimum < 1:
            raise ValueError(f"a rule needs at least one treated participant, not {self.minimum}")


@dataclass(frozen=True, slots=True)
class ToxicityCharacteristics:
    """What a rule does at S true rates when up to N participants are treated; exact.

    rates:            (S,).
    stopped:          (S, N) probability that the trial has stopped after 1, 2 .. N treated participants.
    expected_treated: (S,) participants treated, on average.
    expected_events:  (S,) of them with the event, on average: rate times expected_treated (Wald's identity).
    """

    rates: Floats
    stopped: Floats
    expected_treated: Floats
    expected_events: Floats


def probability_too_high(rule: ToxicityRule, events: ArrayLike, treated: ArrayLike) -> Floats:
    """P(rate > threshold) given ``events`` among ``treated`` participants, of any shapes that fit each other.

    The upper tail of Beta(a + events, b + treated - events). The minimum plays no part.
    ValueError: counts that are no counts, or more events than participants.
    """
    from scipy.special import betaincc

    x, n = as_counts(events, treated)
    if (x > n).any():
        raise ValueError("more participants with the event than treated")
    a, b = rule.prior
    return np.asarray(betaincc(a + x, b + n - x, rule.threshold), np.float64)


def toxicity_boundary(rule: ToxicityRule, treated: int) -> Counts:
    """The fewest events that stop the trial after 1, 2 .. ``treated`` participants, (treated,).

    After n participants it is n + 1 where no number of events stops: below the minimum, or where even n events do not
    make it certain enough. It never falls: a later participant without the event only lowers the probability.
    ValueError: nobody treated.
    """
    if treated < 1:
        raise ValueError(f"a boundary needs at least one treated participant, not {treated}")
    n, x = np.arange(1, treated + 1)[:, None], np.arange(treated + 1)
    stops = probability_too_high(rule, np.minimum(x, n), n) > rule.certainty
    stops &= (x <= n) & (n >= rule.minimum)
    return np.where(stops.any(axis=1), stops.argmax(axis=1), n[:, 0] + 1).astype(np.int64)


def toxicity_characteristics(rule: ToxicityRule, rates: ArrayLike, treated: int) -> ToxicityCharacteristics:
    """How often the rule stops a trial of up to ``treated`` participants, at each of the true rates (S,).

    Participant by participant, the probability of each number of events among trials that go on is carried forward, and
    what reaches the boundary is taken out. The rule is looked at after every participant: with several treated at once
    it stops later and less often. ValueError: a rate outside [0, 1], or nobody treated.
    """
    true = np.atleast_1d(np.asarray(rates, np.float64))
    if true.ndim != 1 or not ((true >= 0) & (true <= 1)).all():
        raise ValueError(f"a true rate lies between 0 and 1, not {rates}")
    going = np.zeros((len(true), treated + 1))
    going[:, 0] = 1.0
    stopped = np.zeros((len(true), treated))
    for person, limit in enumerate(toxicity_boundary(rule, treated)):
        with_event = going[:, :-1] * true[:, None]
        going *= (1 - true)[:, None]
        going[:, 1:] += with_event
        stopped[:, person] = going[:, limit:].sum(axis=1)
        going[:, limit:] = 0.0
    stopped = np.minimum(np.cumsum(stopped, axis=1), 1.0)
    # The n-th participant is treated if the trial had not stopped after n - 1.
    expected = treated - stopped[:, :-1].sum(axis=1)
    return ToxicityCharacteristics(true, stopped, expected, true * expected)
