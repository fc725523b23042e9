"""Numerical kernel for two independent Beta posteriors: no public names, no decisions.

Everything is integrated on the arcsine scale, x = sin(theta)^2: it stabilises the variance, treats p
and 1 - p alike (so that no mirrored copy of the code is needed for p > 0.5), and turns the end-point
singularities of Beta(a, b) with 2a and 2b whole into analytic functions. The density comes from
Loader's saddle-point form, which has no cancellation at 1e9 users. Outer integrals use 64
Gauss-Legendre nodes over the window of the narrower posterior. The distribution function of the wider
one at these nodes is ``betainc`` at one end of the window plus the exact antiderivative of the
degree-63 polynomial through its density at the same nodes: one 64 x 64 product in place of 64
evaluations of ``betainc``. Cells for which this would lose digits (far tails, windows that end where
a density is singular) are given direct evaluations of ``betainc``, on nodes clustered at the ends
where a power is fractional.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from scipy import special

from plumbline.statistics.outcomes import Bools, Floats, Ints

NODES = 64
# Quantiles of near-normal cells need 1e-9, not 5e-13: 40 nodes over a shorter window give 4e-13.
FEWER_NODES = 40
# Rows worked on at once: a few arrays of rows x nodes doubles stay in the second-level cache.
ROWS = 128
# A window ends where the density has fallen by exp(-DEPTH).
DEPTH = 34.0
SHORT_DEPTH = 26.0
# Beyond this many standard errors the antiderivative loses relative digits of the small tail.
FAR = 4.0
# With both parameters at least this large a posterior vanishes, to exp(-DEPTH), at 0 and at 1.
VANISHING = 24.0
# Fractional powers below this need nodes clustered at the ends.
SMOOTH = 3.0
# A window may reach this many times beyond the outer posterior's before its nodes get too sparse.
RESOLVED = 30.0
# Sine and cosine of a node of an empty window: its weight is 0, its density must not be 0 / 0.
EDGE = 1e-150


@dataclass(frozen=True)
class Rule:
    """Quadrature on [0, 1]: nodes, weights, and integrals from each node to either end."""

    times: Floats
    weights: Floats
    # growth @ up: integrals from 0 to each node; growth @ down: from each node to 1.
    up: Floats
    down: Floats


def _rule(count: int) -> Rule:
    """Gauss-Legendre rule of ``count`` nodes with its antiderivative matrices."""
    nodes, weights = leggauss(count)
    degrees = np.arange(count)
    coefficients = (2 * degrees + 1)[:, None] * legvander(nodes, count - 1).T * (weights / 2)
    basis = legvander(nodes, count)
    integrals = np.empty((count, count))
    integrals[:, 0] = (nodes + 1) / 2
    integrals[:, 1:] = (basis[:, 2:] - basis[:, :-2]) / (2 * (2 * degrees[1:] + 1))
    up = np.ascontiguousarray((integrals @ coefficients).T)
    return Rule((nodes + 1) / 2, weights / 2, up, np.ascontiguousarray(up[::-1, ::-1]))


FULL = _rule(NODES)
FEWER = _rule(FEWER_NODES)
# Nodes clustered at both ends by t^3 (10 - 15 t + 6 t^2), whose derivative is 30 t^2 (1 - t)^2: for
# integrands with fractional powers at an end. Its distribution functions come from betainc.
_MORE = _rule(96)
CLUSTERED = Rule(
    _MORE.times**3 * (10 - 15 * _MORE.times + 6 * _MORE.times**2),
    _MORE.weights * 30 * _MORE.times**2 * (1 - _MORE.times) ** 2,
    _MORE.up,
    _MORE.down,
)


@dataclass(frozen=True)
class Betas:
    """Beta(a, b) posteriors of shape (cells,), both parameters positive."""

    a: Floats
    b: Floats

    @property
    def mean(self) -> Floats:
        """a / (a + b)."""
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> Floats:
        """Posterior variance of p."""
        total = self.a + self.b
        return self.a * self.b / (total * total * (total + 1))

    def take(self, index: Ints | Bools | slice) -> Betas:
        """Some of the cells."""
        return Betas(self.a[index], self.b[index])


def choose(condition: Bools, first: Betas, second: Betas) -> Betas:
    """Cell by cell, ``first`` where the condition holds, else ``second``."""
    return Betas(np.where(condition, first.a, second.a), np.where(condition, first.b, second.b))


def chunks(cells: int) -> Iterator[slice]:
    """Slices of at most ``ROWS`` cells."""
    for start in range(0, cells, ROWS):
        yield slice(start, min(start + ROWS, cells))


def _stirling_error(z: Floats) -> Floats:
    """log Gamma(z) - ((z - 1/2) log z - z + log(2 pi) / 2), by series from 16 on."""
    inverse = 1 / np.maximum(z, 16.0)
    square = inverse * inverse
    series = inverse * (
        1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))
    )
    small = z < 16
    if small.any():
        low = z[small]
        exact = special.gammaln(low) - ((low - 0.5) * np.log(low) - low + np.log(2 * np.pi) / 2)
        series[small] = exact
    return np.asarray(series)


def log_scale(betas: Betas) -> Floats:
    """log of x^a (1 - x)^b / B(a, b) at the mean x = a / (a + b)."""
    total = betas.a + betas.b
    return np.asarray(
        0.5 * np.log(betas.a * betas.b / (2 * np.pi * total))
        + _stirling_error(total)
        - _stirling_error(betas.a)
        - _stirling_error(betas.b)
    )


def _log_ratio(value: Floats, mean: Floats, difference: Floats) -> Floats:
    """log(value / mean) for value = mean + difference, accurate near 1 and near 0."""
    relative = difference / mean
    far = relative < -0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log1p(relative, out=relative)
    if far.any():
        logs[far] = np.log((value / mean)[far])
    return np.asarray(logs)


def kernel(betas: Betas, scale: Floats, x: Floats, rest: Floats) -> Floats:
    """x^a (1 - x)^b / B(a, b) at nodes x of shape (cells, nodes), rest = 1 - x."""
    mean = betas.mean[:, None]
    other = (betas.b / (betas.a + betas.b))[:, None]
    difference = x - mean
    high = mean[:, 0] > 0.5
    if high.any():
        difference[high] = other[high] - rest[high]
    logs = _log_ratio(x, mean, difference)
    logs *= betas.a[:, None]
    np.negative(difference, out=difference)
    others = _log_ratio(rest, other, difference)
    others *= betas.b[:, None]
    logs += others
    logs += scale[:, None]
    return np.asarray(np.exp(logs, out=logs))


def window(betas: Betas, depth: float = DEPTH) -> tuple[Floats, Floats]:
    """Ends in theta of the interval outside which the density in theta is below exp(-depth) of its top.

    The log density is concave, so Newton steps from the normal guess end outside the true bounds.
    """
    a, b = np.maximum(betas.a - 0.5, 0.0), np.maximum(betas.b - 0.5, 0.0)
    total = np.maximum(a + b, 1e-300)
    top = np.arctan2(np.sqrt(a), np.sqrt(b))
    half = np.sqrt(depth / (2 * total))
    ends = []
    with np.errstate(all="ignore"):
        for sign, edge in ((-1.0, 0.0), (1.0, np.pi / 2)):
            end = np.clip(top + sign * half, 0.0, np.pi / 2)
            for _ in range(2):
                fall = -2 * special.xlogy(a, np.sin(end) / np.sin(top))
                fall -= 2 * special.xlogy(b, np.cos(end) / np.cos(top))
                slope = 2 * (b * np.tan(end) - a / np.tan(end))
                step = end - (fall - depth) / slope
                moved = np.isfinite(step) & (end > 0) & (end < np.pi / 2)
                end = np.where(moved, np.clip(step, 0.0, np.pi / 2), end)
            ends.append(np.where(a + b > 0, end, edge))
    return ends[0], ends[1]


def analytic(betas: Betas) -> Bools:
    """Whether the theta density is smooth enough at both ends for plain Gauss-Legendre nodes.

    It is theta^(2a - 1) there: analytic if 2a is whole, and from ``SMOOTH`` on the error, of order
    64^(-4a), is below rounding.
    """
    smooth = [
        (np.abs(2 * power - np.rint(2 * power)) < 1e-9) | (power >= SMOOTH)
        for power in (betas.a, betas.b)
    ]
    return np.asarray(smooth[0] & smooth[1])


def _nodes(low: Floats, high: Floats, rule: Rule) -> tuple[Floats, Floats, Floats, Floats]:
    """x, 1 - x, dx/dtheta and weights in theta at the nodes, each of shape (cells, nodes)."""
    length = (high - low)[:, None]
    theta = low[:, None] + length * rule.times
    sine, cosine = np.maximum(np.sin(theta), EDGE), np.maximum(np.cos(theta), EDGE)
    slope = 2 * sine * cosine
    return np.square(sine, out=sine), np.square(cosine, out=cosine), slope, length * rule.weights


def small_tail(narrow: Betas, wide: Betas) -> tuple[Floats, Floats, Bools]:
    """The smaller of the two order probabilities, its expected excess, and which one it is.

    Returns:
        probability: P(wide < narrow) where ``below``, else P(wide > narrow).
        excess: E[max(narrow - wide, 0)] where ``below``, else E[max(wide - narrow, 0)].
        below: whether the mean of ``wide`` is at least that of ``narrow``.
    """
    cells = len(narrow.a)
    # a2 b1 - a1 b2 keeps the sign of a difference of means that rounding would hide.
    below = np.asarray(wide.a * narrow.b >= narrow.a * wide.b)
    tail, excess = np.empty(cells), np.empty(cells)
    low, high = window(narrow)
    centre_narrow, centre_wide = (
        np.arctan2(np.sqrt(betas.a), np.sqrt(betas.b)) for betas in (narrow, wide)
    )
    spread_narrow, spread_wide = (0.25 / (betas.a + betas.b) for betas in (narrow, wide))
    distance = np.abs(centre_wide - centre_narrow) / np.sqrt(spread_narrow + spread_wide)
    far = distance > FAR
    touches = (low <= 0) | (high >= np.pi / 2)
    singular = touches & ~(analytic(narrow) & analytic(wide))
    # In the far tail the integrand peaks between the posteriors, not at the narrow one.
    share = spread_narrow / (spread_narrow + spread_wide)
    peak = centre_narrow + (centre_wide - centre_narrow) * share
    reach = 12 * np.sqrt(spread_wide * share)
    low = np.where(far, np.maximum(peak - reach, 0.0), low)
    high = np.where(far, np.minimum(peak + reach, np.pi / 2), high)
    for direct, rule, group in (
        (False, FULL, ~far & ~singular),
        (True, FULL, far & ~singular),
        (True, CLUSTERED, singular),
    ):
        chosen = np.flatnonzero(group)
        for part in chunks(len(chosen)):
            index = chosen[part]
            ends = low[index], high[index]
            tail[index], excess[index] = _small_tail(
                narrow.take(index), wide.take(index), ends, below[index], rule, direct
            )
    return tail, excess, below


def _small_tail(
    narrow: Betas, wide: Betas, ends: tuple[Floats, Floats], below: Bools, rule: Rule, direct: bool
) -> tuple[Floats, Floats]:
    low, high = ends
    x, rest, slope, weights = _nodes(low, high, rule)
    product = x * rest
    density = kernel(narrow, log_scale(narrow), x, rest) / product * slope * weights
    mass = kernel(wide, log_scale(wide), x, rest)
    side = below[:, None]
    if direct:
        a, b = wide.a[:, None], wide.b[:, None]
        cumulative = np.empty_like(x)
        cumulative[below] = special.betainc(a[below], b[below], x[below])
        cumulative[~below] = special.betainc(b[~below], a[~below], rest[~below])
    else:
        growth = mass / product * slope * (high - low)[:, None]
        cumulative = np.empty_like(x)
        cumulative[below] = growth[below] @ FULL.up
        cumulative[~below] = growth[~below] @ FULL.down
        cumulative += special.betainc(
            np.where(below, wide.a, wide.b),
            np.where(below, wide.b, wide.a),
            np.where(below, np.sin(low), np.cos(high)) ** 2,
        )[:, None]
    total = (wide.a + wide.b)[:, None]
    excess = x - wide.mean[:, None]
    excess *= cumulative
    np.negative(excess, out=excess, where=~side)
    mass /= total
    excess += mass
    tail = np.einsum("ij,ij->i", density, cumulative)
    return np.clip(tail, 0.0, 1.0), np.maximum(np.einsum("ij,ij->i", density, excess), 0.0)


@dataclass(frozen=True)
class Comparison:
    """One arm integrated over (``inner``), the other through its distribution function (``outer``)."""

    inner: Betas
    outer: Betas
    # Whether the inner arm is the control.
    control_inside: Bools
    relative: bool

    def take(self, index: Ints | slice) -> Comparison:
        """Some of the cells."""
        return Comparison(
            self.inner.take(index),
            self.outer.take(index),
            self.control_inside[index],
            self.relative,
        )


def comparison(control: Betas, treatment: Betas, relative: bool) -> Comparison:
    """Integrate over the arm that is narrower: in log p for relative effects, in p for absolute ones."""
    if relative:
        spread_control = control.b / (control.a * (control.a + control.b))
        spread_treatment = treatment.b / (treatment.a * (treatment.a + treatment.b))
    else:
        spread_control, spread_treatment = control.variance, treatment.variance
    inside = np.asarray(spread_control <= spread_treatment)
    return Comparison(
        choose(inside, control, treatment), choose(inside, treatment, control), inside, relative
    )


def effect_cdf(pair: Comparison, effect: Floats) -> tuple[Floats, Floats, Floats]:
    """P(effect <= e) and its first two derivatives in e, for cells of shape (cells,).

    The effect is log(p_treatment / p_control) for relative comparisons, else the difference.
    """
    cells = len(effect)
    value, first, second = np.empty(cells), np.empty(cells), np.empty(cells)
    sign = np.where(pair.control_inside, 1.0, -1.0)
    low, high = window(pair.inner)
    # Only where the outer variable is inside its own window does its distribution function vary.
    bottom, top = window(pair.outer)
    least, most = np.sin(bottom) ** 2, np.sin(top) ** 2
    if pair.relative:
        with np.errstate(over="ignore"):
            back = np.exp(-sign * effect)
        least, most = np.minimum(least * back, 1.0), np.minimum(most * back, 1.0)
    else:
        shift = sign * effect
        least, most = np.clip(least - shift, 0.0, 1.0), np.clip(most - shift, 0.0, 1.0)
    start, end = np.arcsin(np.sqrt(least)), np.arccos(np.sqrt(1 - most))
    # A cut where the outer density is not nil is a corner of the integrand.
    corner = ((start > low) & (bottom <= 0)) | ((end < high) & (top >= np.pi / 2))
    low, high = np.maximum(low, start), np.minimum(high, end)
    high = np.maximum(high, low)
    touches = (low <= 0) | (high >= np.pi / 2)
    hard = corner | (touches & ~(analytic(pair.inner) & analytic(pair.outer)))
    for slow in (False, True):
        chosen = np.flatnonzero(hard == slow)
        for part in chunks(len(chosen)):
            index = chosen[part]
            value[index], first[index], second[index] = _effect_cdf(
                pair.take(index), effect[index], low[index], high[index], slow
            )
    # Where the outer variable is outside its window its distribution function is 0 or 1.
    control_over = pair.control_inside & (most < 1)
    treatment_under = ~pair.control_inside & (least > 0)
    for case, edge, upper in ((control_over, most, True), (treatment_under, least, False)):
        if case.any():
            inner, at = pair.inner.take(case), edge[case]
            mass = (
                special.betainc(inner.b, inner.a, 1 - at)
                if upper
                else special.betainc(inner.a, inner.b, at)
            )
            value[case] += mass
    return np.clip(value, 0.0, 1.0), first, second


def _effect_cdf(
    pair: Comparison, effect: Floats, low: Floats, high: Floats, slow: bool
) -> tuple[Floats, Floats, Floats]:
    x, rest, slope, weights = _nodes(low, high, CLUSTERED if slow else FULL)
    inner, outer = pair.inner, pair.outer
    sign = np.where(pair.control_inside, 1.0, -1.0)
    density = kernel(inner, log_scale(inner), x, rest) / (x * rest) * slope * weights
    a, b = outer.a[:, None], outer.b[:, None]
    if pair.relative:
        factor = np.exp(sign * effect)
        y = np.minimum(x * factor[:, None], 1.0)
        change = factor[:, None]
        ends = (np.sin(low) ** 2 * factor, np.sin(high) ** 2 * factor)
        y_rest = np.where(y < 0.5, 1 - y, rest - x * np.expm1(sign * effect)[:, None])
    else:
        shift = (sign * effect)[:, None]
        y, y_rest, change = x + shift, rest - shift, np.ones_like(shift)
        ends = (np.sin(low) ** 2 + shift[:, 0], np.sin(high) ** 2 + shift[:, 0])
    # Where y or 1 - y is only rounding, densities of fractional powers would explode.
    y, y_rest = np.maximum(y, EDGE if pair.relative else 1e-25), np.maximum(y_rest, 1e-17)
    mass = kernel(outer, log_scale(outer), y, y_rest)
    bent = mass / (y * y_rest)
    inside = pair.control_inside[:, None]
    if slow:
        upper = special.betainc(b, a, np.minimum(y_rest, 1.0))
        cumulative = np.where(inside, special.betainc(a, b, np.minimum(y, 1.0)), upper)
    else:
        growth = bent * change * slope * (high - low)[:, None]
        start = special.betainc(outer.a, outer.b, np.clip(ends[0], 0.0, 1.0))[:, None]
        finish = special.betaincc(outer.a, outer.b, np.clip(ends[1], 0.0, 1.0))[:, None]
        cumulative = np.where(inside, start + growth @ FULL.up, finish + growth @ FULL.down)
    if pair.relative:
        per_unit = mass / y_rest
        curve = a - (b - 1) * y / y_rest
    else:
        per_unit = bent
        curve = (a - 1) / y - (b - 1) / y_rest
    weighted = density * per_unit
    return (
        np.einsum("ij,ij->i", density, cumulative),
        weighted.sum(axis=1),
        sign * np.einsum("ij,ij->i", weighted, curve),
    )


@dataclass(frozen=True)
class _Grid:
    """What the distribution function of a relative effect needs of the inner arm, once per cell.

    Only for cells whose two posteriors vanish at 1, so that nothing is cut off, and at 0 vanish or are
    analytic. With the outer
    density g at y = x exp(+-effect), P(effect <= e) = anchor * sum(density) + sum(g * rising), its
    derivative sum(g * density): the antiderivative matrix has been applied to the density instead.
    """

    pair: Comparison
    x: Floats
    density: Floats
    rising: Floats
    # x at the end of the window from which the outer distribution function is carried on.
    anchor: Floats
    scale: Floats
    # Largest factor of the effect at which the nodes still resolve the outer density.
    largest: Floats

    def take(self, index: Ints) -> _Grid:
        """Some of the cells."""
        return _Grid(
            self.pair.take(index),
            self.x[index],
            self.density[index],
            self.rising[index],
            self.anchor[index],
            self.scale[index],
            self.largest[index],
        )


def _grid(pair: Comparison, rule: Rule, depth: float) -> _Grid:
    low, high = window(pair.inner, depth)
    x, rest, slope, weights = _nodes(low, high, rule)
    density = kernel(pair.inner, log_scale(pair.inner), x, rest)
    density *= weights * slope / (x * rest)
    inside = pair.control_inside[:, None]
    rising = np.where(inside, density @ rule.up.T, density @ rule.down.T)
    rising *= slope * (high - low)[:, None] / x
    anchor = np.sin(np.where(pair.control_inside, low, high)) ** 2
    farthest = np.sin(high) ** 2
    largest = np.minimum(1.0, RESOLVED * np.sin(window(pair.outer)[1]) ** 2) / farthest
    return _Grid(pair, x, density, rising, anchor, log_scale(pair.outer), largest)


def _smooth_cdf(grid: _Grid, effect: Floats) -> tuple[Floats, Floats, Floats]:
    """P(log ratio <= e) and two derivatives, from a prepared grid."""
    outer, inside = grid.pair.outer, grid.pair.control_inside
    sign = np.where(inside, 1.0, -1.0)
    factor = np.exp(sign * effect)
    # Beyond 1 the outer density is nil, as at 1.
    y = np.minimum(grid.x * factor[:, None], 1 - 1e-15)
    rest = 1 - y
    per_unit = kernel(outer, grid.scale, y, rest)
    per_unit /= rest
    edge = np.minimum(grid.anchor * factor, 1.0)
    anchor = special.betainc(
        np.where(inside, outer.a, outer.b),
        np.where(inside, outer.b, outer.a),
        np.where(inside, edge, 1 - edge),
    )
    value = anchor * grid.density.sum(axis=1) + np.einsum("ij,ij->i", per_unit, grid.rising)
    per_unit *= grid.density
    first = per_unit.sum(axis=1)
    y /= rest
    bent = np.einsum("ij,ij->i", per_unit, y)
    return np.clip(value, 0.0, 1.0), first, sign * (outer.a * first - (outer.b - 1) * bent)


Cdf = Callable[[Ints, Floats], tuple[Floats, Floats, Floats]]


def solve_level(
    cdf: Cdf, level: float, start: Floats, spread: Floats, close: float, rounds: int = 100
) -> Floats:
    """Point at which a distribution function reaches ``level``, for cells of shape (cells,).

    Halley steps on the normal scale, each kept inside a shrinking bracket and replaced by bisection
    where it would leave it. ``cdf(index, points)`` gives value and two derivatives for some cells;
    ``start`` and ``spread`` are a guess and its scale; after an error below ``close`` on the normal
    scale one more step, which is of third order, is the last.
    """
    target = float(special.ndtri(level))
    points = start.copy()
    lower, upper = np.full(len(start), -np.inf), np.full(len(start), np.inf)
    active = np.arange(len(start))
    for _ in range(rounds):
        here = points[active]
        value, first, second = cdf(active, here)
        normal = special.ndtri(np.clip(value, 1e-300, 1 - 2.0**-53))
        error = normal - target
        lower[active] = np.where(error < 0, np.maximum(lower[active], here), lower[active])
        upper[active] = np.where(error >= 0, np.minimum(upper[active], here), upper[active])
        height = np.exp(-0.5 * normal * normal) / np.sqrt(2 * np.pi)
        with np.errstate(all="ignore"):
            slope = first / height
            bend = second / height + normal * slope * slope
            damping = np.clip(1 - error * bend / (2 * slope * slope), 0.5, 2.0)
            step = -error / slope / damping
        limit = 4 * spread[active]
        # A step to nowhere far from the level says that the derivative is not to be trusted.
        moves = np.isfinite(step) & ((np.abs(step) > 1e-9 * limit) | (np.abs(error) < 1e-3))
        step = np.where(moves, np.clip(step, -limit, limit), -np.sign(error) * limit)
        reached = here + step
        low, high = lower[active], upper[active]
        bounded = np.isfinite(low) & np.isfinite(high)
        middle = here + step / 2
        middle[bounded] = (low[bounded] + high[bounded]) / 2
        last = np.abs(error) < close
        within = np.where(
            last, (reached >= low) & (reached <= high), (reached > low) & (reached < high)
        )
        points[active] = np.where(within, reached, middle)
        width = np.full(len(here), np.inf)
        width[bounded] = high[bounded] - low[bounded]
        done = last | (width < 1e-15 * np.abs(here))
        active = active[~done]
        if not len(active):
            break
    return points


def effect_quantiles(pair: Comparison, levels: tuple[float, ...]) -> list[Floats]:
    """Posterior quantiles of the effect (log ratio if relative, else difference), one array a level."""
    cells = len(pair.inner.a)
    results = [np.empty(cells) for _ in levels]
    # 0: by effect_cdf; 1: smooth; 2: smooth and near normal.
    kind = np.zeros(cells, dtype=np.int8)
    if pair.relative:
        low_end = np.minimum(pair.inner.a, pair.outer.a) >= VANISHING
        high_end = np.minimum(pair.inner.b, pair.outer.b) >= VANISHING
        kind[high_end & analytic(pair.inner) & analytic(pair.outer)] = 1
        kind[high_end & low_end] = 2
    cumulants = effect_cumulants(pair)
    guesses = [cornish_fisher(cumulants, level) for level in levels]
    # Halley is of third order; the skewer the posterior, the larger its constant.
    for code, close in ((0, 1e-10), (1, 1e-6), (2, 3e-4)):
        chosen = np.flatnonzero(kind == code)
        for part in chunks(len(chosen)):
            index = chosen[part]
            some = pair.take(index)
            grid = None
            if code:
                grid = _grid(some, *((FEWER, SHORT_DEPTH) if code == 2 else (FULL, DEPTH)))
            cdf = _cdf_of(some, grid, checked=code == 1)
            for level, (start, spread), result in zip(levels, guesses, results, strict=True):
                result[index] = solve_level(cdf, level, start[index], spread[index], close)
    return results


def _cdf_of(pair: Comparison, grid: _Grid | None, checked: bool) -> Cdf:
    """Distribution function for some of the cells of a chunk."""
    cells = len(pair.inner.a)

    def cdf(index: Ints, points: Floats) -> tuple[Floats, Floats, Floats]:
        if grid is None:
            return effect_cdf(pair.take(index), points)
        some = grid if len(index) == cells else grid.take(index)
        results = _smooth_cdf(some, points)
        sign = np.where(some.pair.control_inside, 1.0, -1.0)
        sparse = np.exp(sign * points) > some.largest
        if checked and sparse.any():
            exact = effect_cdf(some.pair.take(np.flatnonzero(sparse)), points[sparse])
            for result, values in zip(results, exact, strict=True):
                result[sparse] = values
        return results

    return cdf


def _polygammas(z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """psi and its first three derivatives: recurrence to z + 8, then the asymptotic series."""
    shift = 8
    far = z + shift
    inverse = 1 / far
    square = inverse * inverse
    zeroth = np.log(far) - inverse / 2 - square * (1 / 12 - square * (1 / 120 - square / 252))
    first = inverse * (
        1 + inverse / 2 + square * (1 / 6 - square * (1 / 30 - square * (1 / 42 - square / 30)))
    )
    second = -square * (1 + inverse + square * (1 / 2 - square * (1 / 6 - square / 6)))
    third = square * inverse * (2 + 3 * inverse + square * (2 - square * (1 - square * 4 / 3)))
    for step in range(shift):
        inverse = 1 / (z + step)
        zeroth = zeroth - inverse
        first = first + inverse**2
        second = second - 2 * inverse**3
        third = third + 6 * inverse**4
    return zeroth, first, second, third


Cumulants = tuple[Floats, Floats, Floats, Floats]


def effect_cumulants(pair: Comparison) -> Cumulants:
    """First four cumulants of the effect: exact for log ratios, from normal moments for differences."""
    inside = pair.control_inside
    control = choose(inside, pair.inner, pair.outer)
    treatment = choose(inside, pair.outer, pair.inner)
    if pair.relative:
        ups, downs = (
            [
                part - whole
                for part, whole in zip(_polygammas(b.a), _polygammas(b.a + b.b), strict=True)
            ]
            for b in (treatment, control)
        )
        return ups[0] - downs[0], ups[1] + downs[1], ups[2] - downs[2], ups[3] + downs[3]
    thirds = []
    for betas in (treatment, control):
        total = betas.a + betas.b
        skew = 2 * (betas.b - betas.a) / (total + 2) * betas.variance / total
        thirds.append(skew)
    mean = treatment.mean - control.mean
    variance = treatment.variance + control.variance
    return mean, variance, thirds[0] - thirds[1], np.zeros_like(mean)


def cornish_fisher(cumulants: Cumulants, level: float) -> tuple[Floats, Floats]:
    """Quantile by the Cornish-Fisher expansion to fourth order, and the standard deviation."""
    mean, variance, third, fourth = cumulants
    spread = np.sqrt(variance)
    skew = np.clip(third / (variance * spread), -1.0, 1.0)
    excess = np.clip(fourth / variance**2, -1.0, 1.0)
    z = float(special.ndtri(level))
    standard = (
        z
        + skew * (z * z - 1) / 6
        + excess * (z**3 - 3 * z) / 24
        - skew**2 * (2 * z**3 - 5 * z) / 36
    )
    return mean + spread * standard, spread


BEST_RULE = _rule(32)
# All windows together are at most this many times the narrowest: 96 nodes then resolve each.
ALIKE = 1.5
# And their tops are so near that no P(best) is small enough to lose digits.
NEAR = 0.3


def best_arm(arms: list[Betas]) -> tuple[Floats, Floats, Floats]:
    """P(best), expected loss against the best arm, and expected maximum, for k arms a cell.

    Where posteriors hardly overlap the range is cut at both window ends and at the top of every arm, so
    that no panel holds more than half of any of them.
    P(best) = integral f_i prod F_j; loss = integral F_i (1 - prod F_j) dx.

    Returns:
        probability and loss of shape (arms, cells), maximum of shape (cells,).
    """
    count, cells = len(arms), len(arms[0].a)
    probability, loss = np.empty((count, cells)), np.empty((count, cells))
    maximum = np.empty(cells)
    ends = [window(arm, DEPTH) for arm in arms]
    tops = [
        np.clip(np.arctan2(np.sqrt(arm.a), np.sqrt(arm.b)), low, high)
        for arm, (low, high) in zip(arms, ends, strict=True)
    ]
    points = np.sort(np.stack([*(end for pair in ends for end in pair), *tops]), axis=0).T
    singular = (points[:, 0] <= 0) | (points[:, -1] >= np.pi / 2)
    singular &= ~np.logical_and.reduce([analytic(arm) for arm in arms])
    # Posteriors that overlap are resolved by one panel.
    lows, highs = (np.stack([pair[side] for pair in ends]) for side in (0, 1))
    narrowest = (highs - lows).min(axis=0)
    alike = np.ptp(points, axis=1) <= ALIKE * narrowest
    alike &= np.ptp(np.stack(tops), axis=0) <= NEAR * narrowest
    for group, panels, rule, direct in (
        (alike & ~singular, points[:, [0, -1]], _MORE, False),
        (~alike & ~singular, points, BEST_RULE, False),
        (singular, points, CLUSTERED, True),
    ):
        chosen = np.flatnonzero(group)
        rows = max(8, ROWS // (1 if panels.shape[1] == 2 else 2 * count))
        for start in range(0, len(chosen), rows):
            index = chosen[start : start + rows]
            some = [arm.take(index) for arm in arms]
            results = _best_arm(some, panels[index], rule, direct)
            probability[:, index], loss[:, index], maximum[index] = results
    return probability, loss, maximum


def _best_arm(
    arms: list[Betas], points: Floats, rule: Rule, direct: bool
) -> tuple[Floats, Floats, Floats]:
    cells, panels = points.shape[0], points.shape[1] - 1
    length = np.diff(points, axis=1)
    theta = points[:, :-1, None] + length[:, :, None] * rule.times
    sine, cosine = np.maximum(np.sin(theta), EDGE), np.maximum(np.cos(theta), EDGE)
    slope, shape = 2 * sine * cosine, theta.shape
    x, rest = sine * sine, cosine * cosine
    weights = length[:, :, None] * rule.weights
    flat = (cells, panels * len(rule.times))
    densities, cumulatives = [], []
    for arm in arms:
        mass = kernel(arm, log_scale(arm), x.reshape(flat), rest.reshape(flat)).reshape(shape)
        density = mass / (x * rest) * slope
        a, b = arm.a[:, None], arm.b[:, None]
        if direct:
            cumulative = special.betainc(a[:, :, None], b[:, :, None], x)
        else:
            # Carried on from panel to panel: betainc itself is off by 1e-9 at 1e9 users.
            growth = density * length[:, :, None]
            reached = np.cumsum(growth @ rule.weights, axis=1)
            anchor = np.concatenate([np.zeros((cells, 1)), reached[:, :-1]], axis=1)
            cumulative = anchor[:, :, None] + growth @ rule.up
        densities.append(density * weights)
        cumulatives.append(np.clip(cumulative, 0.0, 1.0))
    probability, loss = np.empty((len(arms), cells)), np.empty((len(arms), cells))
    across = weights * slope
    for arm_index in range(len(arms)):
        others = np.ones(shape)
        for other, cumulative in enumerate(cumulatives):
            if other != arm_index:
                others = others * cumulative
        probability[arm_index] = (densities[arm_index] * others).sum(axis=(1, 2))
        loss[arm_index] = (cumulatives[arm_index] * (1 - others) * across).sum(axis=(1, 2))
    together = np.ones(shape)
    for cumulative in cumulatives:
        together = together * cumulative
    maximum = np.sin(points[:, -1]) ** 2 - (together * across).sum(axis=(1, 2))
    return np.clip(probability, 0.0, 1.0), np.maximum(loss, 0.0), maximum
