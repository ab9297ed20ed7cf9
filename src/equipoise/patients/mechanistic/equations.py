"""The model's equations: the right-hand side, and glucose at quasi-steady state.

Time is in days since diagnosis. States, all of them positive:

    E  effector T cells, 1 later, untreated          D  share of function lost to high glucose, 0 to 1
    R  regulatory T cells, 1 the person's own level  H  HbA1c, %
    P  pro-inflammatory activity, about 1            U  insulin dose, U/kg/day
    A  anti-inflammatory activity, about 1
    B  beta-cell mass, 1 in health

With X_s the cells in blood and lung, X_l those in the pancreas (both in % of a full treatment):

    dE/dt = d_E [ (w + (1 - w) (1 + K) q/(K + q)) (1 + v (P - 1)) / (1 + r X_l) - E ]     q = killing B / reference
    dR/dt = d_R (1 - R) + e X_s
    dP/dt = d_P [ c_i (1 - p + p E)/(1 + s (A - 1)) - P ]
    dA/dt = d_A [ 1 + a (R - 1) + m X_s - A ]
    dB/dt = B [ g X_l (1 - B) - killing ]        killing = k_i E^2/(1/sE^2 + E^2 + (sR/sE)^2 F_i^2 R^2), normalised
    dD/dt = d_D [ D_max x^2/(D_half^2 + x^2) - D ]     x = max(G - G_tox, 0)
    dH/dt = d_Hi [ (G + 46.7)/28.7 - H ]
    dU/dt = d_U [ least + gain_i z^2/(z + soft) - U ] / (1 + gain_i S_i c G^2/R)     z = max(G - target - habit_i h, 0)

Habits have settled by h = t^2/(t^2 + t_half^2). G is the root of R = (E0 + S_i I) G with R = R0 (1 + n h) and
I = c U + I_max B (1 - D) G^2/(alpha + G^2) (Topp 2000, J Theor Biol 206:605). Whoever changes a dose allows for what
the change will do to glucose: that is the divisor, with which doses settle at the rate d_U whatever the glucose is.
Killing has the form of Shtylla 2019 (Front Physiol 10:1107), eta (sE E)^2/(1 + (sE E)^2 + (sR R)^2), and so has the
activation by dying beta cells, B'/(K + B'); 1/(1 + r X) is the suppression slot of models of dosed regulatory cells.

The functions below use + - * / and abs alone, so that they serve arrays (NumPy) and numbers (the compiled kernel) with
the same bits; there is no exponential and no logarithm.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Value = Any
"""A NumPy array over people, or a float inside the compiled kernel."""

STATES = ("effector", "regulatory", "pro", "anti", "mass", "dysfunction", "hba1c", "insulin")
"""The order of the states."""
START_SHARE = 0.4
"""G^2/(alpha + G^2) from which the search for glucose starts."""
FROM_THE_START = 9
"""Steps of that search."""


class Constants(NamedTuple):
    """What is the same for everybody, rates per day: numbers, or arrays (n,) that hold one number.

    cool, unsoothed, unregulated: 1 less the share beside. toxic_square_4: 4 D_half^2. alpha_2, soft_2: twice those.
    """

    production: Value
    effectiveness: Value
    alpha: Value
    alpha_2: Value
    saturation: Value
    memory: Value
    antigen_half: Value
    antigen_top: Value
    cool: Value
    inflamed: Value
    effector_rate: Value
    regulatory_rate: Value
    pro_rate: Value
    anti_rate: Value
    quiet: Value
    stirred: Value
    unsoothed: Value
    soothing: Value
    unregulated: Value
    regulating: Value
    toxic_from: Value
    toxic_square_4: Value
    toxic_most: Value
    recovery_rate: Value
    target: Value
    intake: Value
    habit_square: Value
    titration_rate: Value
    least: Value
    soft_2: Value
    suppression: Value
    expansion: Value
    shift: Value
    regeneration: Value


class Person(NamedTuple):
    """What differs between people, (n,) each: see `people.py`."""

    injected: Value
    secretion: Value
    strength: Value
    regulation: Value
    calm: Value
    half_gain: Value
    caution: Value
    habit: Value
    red_cell_rate: Value


def demand(
    mass: Value, dysfunction: Value, insulin: Value, person: Person, constants: Constants
) -> tuple[Value, Value]:
    """What takes glucose up, per day: without the person's own insulin, and with it at its largest."""
    outer = constants.effectiveness + person.injected * insulin
    return outer, person.secretion * mass * (1.0 - dysfunction)


def nearer(y: Value, outer: Value, own: Value, production: Value, alpha: Value, twice: Value) -> Value:
    """One step of Newton's towards y = 1/G, in dL/mg, at quasi-steady state.

    outer: E0 + S c U, per day; own: S I_max B (1 - D), per day. The balance is R y = outer + own/(1 + alpha y^2),
    whose difference rises with y. twice: 2 alpha.
    """
    w = 1.0 / (1.0 + alpha * y * y)
    above = own * w
    return y - (production * y - outer - above) / (production + twice * above * w * y)


def inverse_glucose(outer: Value, own: Value, production: Value, alpha: Value) -> Value:
    """1/G from a start that serves everybody, to rounding."""
    y = (outer + START_SHARE * own) / production
    for _ in range(FROM_THE_START):
        y = nearer(y, outer, own, production, alpha, alpha + alpha)
    return y


def settled(time: Value, square: float) -> Value:
    """How far habits have settled after the honeymoon, 0 at diagnosis to 1: one half at the root of `square`, days."""
    return time * time / (time * time + square)


def derivatives(
    later: Value,
    inverse: Value,
    effector: Value,
    regulatory: Value,
    pro: Value,
    anti: Value,
    mass: Value,
    dysfunction: Value,
    hba1c: Value,
    insulin: Value,
    systemic: Value,
    local: Value,
    person: Person,
    constants: Constants,
) -> tuple[Value, Value, Value, Value, Value, Value, Value, Value, Value]:
    """The derivatives of the eight states per day, in the order of STATES, and 1/G.

    later: `settled` at that time. inverse: 1/G some days before or after, from which two steps lead to the root.
    """
    q, c = person, constants
    outer, own = demand(mass, dysfunction, insulin, q, c)
    production = c.production * (1.0 + c.intake * later)
    inverse = nearer(inverse, outer, own, production, c.alpha, c.alpha_2)
    inverse = nearer(inverse, outer, own, production, c.alpha, c.alpha_2)
    sugar = 1.0 / inverse
    square = effector * effector
    killing = q.strength * square / (c.saturation + square + q.regulation * regulatory * regulatory)
    antigen = killing * mass
    activation = c.memory + c.antigen_top * antigen / (c.antigen_half + antigen)
    activation = activation * (c.cool + c.inflamed * pro) / (1.0 + c.suppression * local)
    above = sugar - c.toxic_from
    above = above + abs(above)  # twice what is above 0, and so are its constants
    above = above * above
    wanted = sugar - c.target - q.habit * later
    wanted = wanted + abs(wanted)
    return (
        c.effector_rate * (activation - effector),
        c.regulatory_rate * (1.0 - regulatory) + c.expansion * systemic,
        c.pro_rate * (q.calm * (c.quiet + c.stirred * effector) / (c.unsoothed + c.soothing * anti) - pro),
        c.anti_rate * (c.unregulated + c.regulating * regulatory + c.shift * systemic - anti),
        mass * (c.regeneration * local * (1.0 - mass) - killing),
        c.recovery_rate * (c.toxic_most * above / (c.toxic_square_4 + above) - dysfunction),
        q.red_cell_rate * ((sugar + 46.7) / 28.7 - hba1c),
        c.titration_rate
        * (c.least + q.half_gain * wanted * wanted / (wanted + c.soft_2) - insulin)
        / (1.0 + q.caution * sugar * sugar / production),
        inverse,
    )
