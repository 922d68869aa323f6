"""q~_mu of many toys: one joint damped Newton fit each, as machine code.

The likelihood is that of `inference.likelihood`, the minima are those of `inference.minimizer`, which is the general
and slower way. What makes it fast is that a row shows little of itself to the others. The yield of a region is

    nu = mu s exp(sigma + t) + exp(beta + e)

where sigma and beta are linear in the common parameters (beta of A also in log b + log c - log d), t is the statistics
of the signal's simulation and e what acts on the background of this row alone: closure and c_AB, of which only the sum
counts, so that they are one Gaussian parameter. In a Newton step t and e are eliminated from 3 x 3 matrices of (sigma,
beta, mu), then log b, c, d from one of 9 x 9. What remains of a cell, a 6 x 6 matrix of (sigma of A to D, beta, mu), is
projected on the common parameters. Rates that ran to zero, and cells with two minima, are dealt with as there.

Everything that is compiled is in this file: numba looks at a function's own file to see whether what it keeps on disk
is stale.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from hnl.inference.arrays import Floats, Mask
from hnl.inference.cells import FLOORS, A
from hnl.inference.likelihood import FEW_EVENTS, Data, Likelihood
from hnl.inference.minimizer import EMPTY, MAX_RESTARTS, MAX_SHIFT, MAX_STEPS, RESTART_RATE, SLOPE, START_RATES, STARTS

TOLERANCE = 1e-6  # of -log L: what a further Newton step would gain
ROUGH = 1e-4  # the same, where a fit only tells where to begin; and what another minimum of a cell has to gain
LN_ZERO = math.log(1e-8)  # events: a rate whose sideband is empty, as is A, is zero in the minimum
LN_SMALL = math.log(0.05)  # events: rates below that fall to zero do so in larger steps
LN_EMPTY, LN_RESTART = math.log(EMPTY), math.log(RESTART_RATE)
STARTS_OF_MU = np.array([0.0, *STARTS])  # typical errors
LN_STARTS = (math.log(START_RATES[0]), math.log(START_RATES[1]))
FLOOR = FLOORS[1:]
# Each function is called in as few places as can be: the compiler copies it into each, which takes minutes.
_compiled = numba.njit(cache=True, error_model="numpy")
FIXED, FREE, LOCAL = 0, 1, 2  # what moves: all but mu; all; only what belongs to single rows


class Terms(NamedTuple):
    """A likelihood, as the compiled functions need it. Exponents are of the common parameters; K rows, R regions."""

    cells: int
    signal: Floats  # (K, R), at mu = 1
    signal_exponents: Floats  # (K, R, common)
    signal_width: Floats  # (K, R): of t
    scales: Floats  # (process, K): of A, or of the bin
    exponents: Floats  # (process, K, common): of A, or of the bin
    width: Floats  # (K,): of e
    constrained: Floats  # (common,): 1 or 0
    free: NDArray[np.int64]  # common parameters that are free normalisations
    free_yields: Floats  # (free, K): their events as given


class Toy(NamedTuple):
    """Data sets: counts and auxiliary measurements; the first axis is that of the data sets, unless it is one."""

    n: Floats  # (T, K, R)
    t: Floats  # (T, K, R)
    e: Floats  # (T, K)
    common: Floats  # (T, common)


class Point(NamedTuple):
    """Values of the parameters; the first axis as of `Toy`."""

    rates: Floats  # (T, K, 3): log b, c, d
    t: Floats  # (T, K, R)
    e: Floats  # (T, K)
    common: Floats  # (T, common)


class Work(NamedTuple):
    """What a Newton step leaves to be used: pivots, gradients and rows of what was eliminated."""

    of_t: Floats  # (K, R, 5): pivot, gradient, derivatives by u, beta, mu
    of_e: Floats  # (K, 5): pivot, gradient, derivatives by sigma, beta, mu
    of_rates: Floats  # (K, 3, 11): pivot, gradient, derivatives by b, c, d, sigma A to D, beta, mu
    slope: Floats  # (K, common): of beta
    rate_gradient: Floats  # (K, 3)
    hessian: Floats  # (common, common)
    gradient: Floats  # (common,)
    plain: Floats  # (common,): gradient with nothing eliminated
    step: Floats  # (common,)


def terms(likelihood: Likelihood) -> Terms:
    """What the compiled functions need of a likelihood."""
    m, r = likelihood.n_local, likelihood.n_rates
    s, b = likelihood.signal_exponents, likelihood.background_exponents[:, :, A]
    scales = likelihood.scales[:, :, A]
    return Terms(
        len(likelihood.model.cells),
        likelihood.model.signal(),
        np.ascontiguousarray(s[..., m:]),
        np.sqrt((s[..., :m] ** 2).sum(axis=2)),
        np.ascontiguousarray(scales),
        np.ascontiguousarray(b[..., m:]),
        np.sqrt((b[0, :, r:m] ** 2).sum(axis=1)),
        likelihood.constrained_common,
        likelihood.free.astype(np.int64),
        likelihood.free_yields,
    )


def toys_of(likelihood: Likelihood, data: Data) -> Toy:
    """Data sets with their auxiliary measurements in units of log yields."""
    m, r = likelihood.n_local, likelihood.n_rates
    s, b = likelihood.signal_exponents[..., :m], likelihood.background_exponents[0, :, A, :m].copy()
    b[:, :r] = 0
    t, e = np.einsum("tkj,krj->tkr", data.aux_local, s), np.einsum("tkj,kj->tk", data.aux_local, b)
    return Toy(np.ascontiguousarray(data.n), t, e, np.ascontiguousarray(data.aux_common))


@_compiled
def _assemble(first, last, of, toy, at, damping, w):  # type: ignore[no-untyped-def]
    """-log L of some rows and the constraints, and what it would gain by a Newton step of what is eliminated.

    Fills the matrix and the gradient of the common parameters.
    """
    regions, common, processes = at.t.shape[1], len(at.common), len(of.scales)
    mu = at.common[0]
    nll, gain = 0.0, 0.0
    w.hessian[:] = 0.0
    w.gradient[:] = 0.0
    w.plain[:] = 0.0
    m = np.empty((9, 9))
    g = np.empty(9)
    q = np.empty((6, common))
    g3 = np.empty((3, 3))
    for k in range(first, last):
        cell = k < of.cells
        m[:] = 0.0
        g[:] = 0.0
        for r in range(regions if cell else 1):
            sigma = at.t[k, r]
            for j in range(1, common):
                sigma += of.signal_exponents[k, r, j] * at.common[j]
            unit = of.signal[k, r] * math.exp(sigma)  # signal at mu = 1
            signal = mu * unit
            background, e = 0.0, 0.0
            if r == 0:
                e = at.e[k]
                for j in range(common):
                    w.slope[k, j] = 0.0
                for p in range(processes):
                    if of.scales[p, k] > 0:
                        beta = e
                        for j in range(1, common):
                            beta += of.exponents[p, k, j] * at.common[j]
                        if cell:
                            beta += at.rates[k, 0] + at.rates[k, 1] - at.rates[k, 2]
                        part = of.scales[p, k] * math.exp(beta)
                        background += part
                        for j in range(1, common):
                            w.slope[k, j] += part * of.exponents[p, k, j]
                if background > 0:
                    for j in range(1, common):
                        w.slope[k, j] /= background
            else:
                background = math.exp(at.rates[k, r - 1])
            n, nu = toy.n[k, r], signal + background
            if not nu < 1e300 or (n > 0 and nu <= 0):
                return np.inf, 0.0
            if n > 0:
                relative = (nu - n) / n
                if relative > -0.999999:
                    nll += n * (relative - math.log1p(relative))
                else:
                    nll += nu - n + n * (math.log(n) - math.log(nu))
            else:
                nll += nu
            nu = max(nu, 1e-150)
            f1, f2 = 1 - n / nu, n / nu**2
            g0, g1, g2 = f1 * signal, f1 * background, f1 * unit
            w.plain[0] += g2
            for j in range(1, common):
                w.plain[j] += g0 * of.signal_exponents[k, r, j]
                if r == 0:
                    w.plain[j] += g1 * w.slope[k, j]
            if cell:
                if r == 0:
                    w.rate_gradient[k, 0] = w.rate_gradient[k, 1] = g1
                    w.rate_gradient[k, 2] = -g1
                else:
                    w.rate_gradient[k, r - 1] += g1
            curved = g1
            g3[0, 0] = g0 + f2 * signal * signal
            g3[0, 1] = g3[1, 0] = f2 * signal * background
            g3[0, 2] = g3[2, 0] = g2 + f2 * signal * unit
            g3[1, 1] = g1 + f2 * background * background
            g3[1, 2] = g3[2, 1] = f2 * background * unit
            g3[2, 2] = f2 * unit * unit
            width = of.signal_width[k, r]
            if width > 0:
                pull = (at.t[k, r] - toy.t[k, r]) / width
                nll += pull * pull / 2
                pivot = abs(g3[0, 0] + 1 / width**2) * (1 + damping)
                slope = g0 + pull / width
                gain += slope * slope / pivot / 2
                kept = w.of_t[k, r]
                kept[0], kept[1], kept[2], kept[3], kept[4] = pivot, slope, g3[0, 0], g3[0, 1], g3[0, 2]
                g0, g1, g2 = g0 - kept[2] * slope / pivot, g1 - kept[3] * slope / pivot, g2 - kept[4] * slope / pivot
                for i in range(3):
                    for j in range(3):
                        g3[i, j] -= kept[2 + i] * kept[2 + j] / pivot
            if r == 0 and of.width[k] > 0:
                width = of.width[k]
                pull = (e - toy.e[k]) / width
                nll += pull * pull / 2
                pivot = abs(g3[1, 1] + 1 / width**2) * (1 + damping)
                slope = g1 + pull / width
                gain += slope * slope / pivot / 2
                kept = w.of_e[k]
                kept[0], kept[1], kept[2], kept[3], kept[4] = pivot, slope, g3[1, 0], g3[1, 1], g3[1, 2]
                g0, g1, g2 = g0 - kept[2] * slope / pivot, g1 - kept[3] * slope / pivot, g2 - kept[4] * slope / pivot
                for i in range(3):
                    for j in range(3):
                        g3[i, j] -= kept[2 + i] * kept[2 + j] / pivot
            # To (log b, log c, log d, sigma of A to D, beta, mu).
            s = 3 + r
            m[s, s] += g3[0, 0]
            m[s, 8] += g3[0, 2]
            m[8, 8] += g3[2, 2]
            g[s] += g0
            g[8] += g2
            if r > 0:
                m[r - 1, r - 1] += g3[1, 1]
                m[r - 1, s] += g3[0, 1]
                m[r - 1, 8] += g3[1, 2]
                g[r - 1] += g1
                continue
            m[s, 7] += g3[0, 1]
            m[7, 7] += g3[1, 1]
            m[7, 8] += g3[1, 2]
            g[7] += g1
            if cell:
                for i in range(3):
                    sign = 1.0 if i < 2 else -1.0
                    g[i] += sign * g1
                    m[i, s] += sign * g3[0, 1]
                    m[i, 7] += sign * g3[1, 1]
                    m[i, 8] += sign * g3[1, 2]
                    for j in range(i, 3):
                        m[i, j] += sign * (1.0 if j < 2 else -1.0) * g3[1, 1]
            elif processes > 1:  # beta is the logarithm of a sum
                for p in range(processes):
                    if of.scales[p, k] > 0:
                        beta = e
                        for j in range(1, common):
                            beta += of.exponents[p, k, j] * at.common[j]
                        share = of.scales[p, k] * math.exp(beta) / background
                        for i in range(1, common):
                            a = curved * share * (of.exponents[p, k, i] - w.slope[k, i])
                            for j in range(i, common):
                                w.hessian[i, j] += a * (of.exponents[p, k, j] - w.slope[k, j])
        if cell:
            for i in range(3):
                pivot = abs(m[i, i]) * (1 + damping) + 1e-12
                slope = g[i]
                gain += slope * slope / pivot / 2
                kept = w.of_rates[k, i]
                kept[0], kept[1] = pivot, slope
                for j in range(i, 9):
                    kept[2 + j] = m[i, j]
                for a in range(i + 1, 9):
                    ratio = kept[2 + a] / pivot
                    g[a] -= ratio * slope
                    for b in range(a, 9):
                        m[a, b] -= ratio * kept[2 + b]
        for a in range(6):  # m is symmetric: above the diagonal
            for j in range(common):
                value = 0.0
                for r in range(regions if cell else 1):
                    value += (m[3 + a, 3 + r] if r >= a else m[3 + r, 3 + a]) * of.signal_exponents[k, r, j]
                value += (m[3 + a, 7] if a <= 4 else m[7, 8]) * w.slope[k, j]
                q[a, j] = value
            q[a, 0] += m[3 + a, 8]
        for i in range(common):
            for r in range(regions if cell else 1):
                x = of.signal_exponents[k, r, i]
                if x != 0:
                    w.gradient[i] += x * g[3 + r]
                    for j in range(i, common):
                        w.hessian[i, j] += x * q[r, j]
            x = w.slope[k, i]
            if x != 0:
                w.gradient[i] += x * g[7]
                for j in range(i, common):
                    w.hessian[i, j] += x * q[4, j]
        w.gradient[0] += g[8]
        for j in range(common):
            w.hessian[0, j] += q[5, j]
    for j in range(1, common):
        if of.constrained[j] > 0:
            pull = at.common[j] - toy.common[j]
            nll += pull * pull / 2
            w.gradient[j] += pull
            w.plain[j] += pull
            w.hessian[j, j] += 1.0
    return nll, gain


@_compiled
def _solve(begin, damping, w):  # type: ignore[no-untyped-def]
    """The Newton step of the common parameters from `begin` on, and what it would gain."""
    n = len(w.gradient)
    h = w.hessian.copy()
    g = w.gradient.copy()
    pivots = np.empty(n)
    gain = 0.0
    w.step[:] = 0.0
    for i in range(begin, n):
        pivots[i] = abs(h[i, i]) * (1 + damping) + 1e-12
        gain += g[i] * g[i] / pivots[i] / 2
        for a in range(i + 1, n):
            ratio = h[i, a] / pivots[i]
            g[a] -= ratio * g[i]
            for b in range(a, n):
                h[a, b] -= ratio * h[i, b]
    for i in range(n - 1, begin - 1, -1):
        value = g[i]
        for j in range(i + 1, n):
            value += h[i, j] * w.step[j]
        w.step[i] = -value / pivots[i]
    return gain


@_compiled
def _clip(x):  # type: ignore[no-untyped-def]
    return min(max(x, -MAX_SHIFT), MAX_SHIFT)


@_compiled
def _move(first, last, of, at, part, w, new):  # type: ignore[no-untyped-def]
    """The point after a part of the step."""
    regions, common = at.t.shape[1], len(at.common)
    d = np.empty(9)
    for k in range(first, last):
        cell = k < of.cells
        d[:] = 0.0
        for j in range(common):
            d[7] += w.slope[k, j] * w.step[j]
        for r in range(regions if cell else 1):
            for j in range(common):
                d[3 + r] += of.signal_exponents[k, r, j] * w.step[j]
        d[8] = w.step[0]
        if cell:
            for i in range(2, -1, -1):
                kept = w.of_rates[k, i]
                value = kept[1]
                for j in range(i + 1, 9):
                    value += kept[2 + j] * d[j]
                d[i] = _clip(-value / kept[0])
                if at.rates[k, i] < LN_SMALL and -1.1 < d[i] < -0.9:  # -log L is an exponential
                    d[i] = -MAX_SHIFT
                new.rates[k, i] = at.rates[k, i] + part * d[i]
        for r in range(regions if cell else 1):
            beta = d[r - 1] if r > 0 else d[7] + d[0] + d[1] - d[2]
            if r == 0 and of.width[k] > 0:
                kept = w.of_e[k]
                step = -(kept[1] + kept[2] * d[3] + kept[3] * beta + kept[4] * d[8]) / kept[0]
                step = min(max(step, -MAX_SHIFT * of.width[k]), MAX_SHIFT * of.width[k])
                new.e[k] = at.e[k] + part * step
                beta += step
            if of.signal_width[k, r] > 0:
                kept = w.of_t[k, r]
                most = MAX_SHIFT * of.signal_width[k, r]
                step = -(kept[1] + kept[2] * d[3 + r] + kept[3] * beta + kept[4] * d[8]) / kept[0]
                new.t[k, r] = at.t[k, r] + part * min(max(step, -most), most)
    for j in range(common):
        new.common[j] = at.common[j] + part * w.step[j]


@_compiled
def _refill(first, last, of, at, w):  # type: ignore[no-untyped-def]
    """Brings back rates and normalisations that ran to zero where -log L falls with more; whether there were any.

    See `minimizer._wrongly_empty`.
    """
    changed = False
    for k in range(first, min(last, of.cells)):
        along, wrong, empty = 0.0, False, 0
        for i in range(3):
            if at.rates[k, i] < LN_EMPTY:
                empty += 1 if i < 2 else 10
                along += w.rate_gradient[k, i]
                wrong |= w.rate_gradient[k, i] < -SLOPE * math.exp(at.rates[k, i])
        if wrong and not (empty > 10 and along >= 0):
            changed = True
            for i in range(3):
                if at.rates[k, i] < LN_EMPTY:
                    at.rates[k, i] = LN_RESTART
    return changed


@_compiled
def _refill_free(of, at, w):  # type: ignore[no-untyped-def]
    changed = False
    for i in range(len(of.free)):
        j, given = of.free[i], of.free_yields[i].sum()
        events = math.exp(at.common[j]) * given
        if events < EMPTY and w.plain[j] < -SLOPE * events:
            at.common[j] = math.log(RESTART_RATE / given)
            changed = True
    return changed


@_compiled
def _copy(first, last, source, target):  # type: ignore[no-untyped-def]
    """Some rows, and the common parameters."""
    target.rates[first:last] = source.rates[first:last]
    target.t[first:last] = source.t[first:last]
    target.e[first:last] = source.e[first:last]
    target.common[:] = source.common


@_compiled
def _descend(first, last, of, toy, at, moving, tolerance, w, new):  # type: ignore[no-untyped-def]
    """Minimises from `at` on, which becomes the minimum; -log L, and whether it converged."""
    _copy(0, len(at.e), at, new)
    nll, gain, damping, restarts, fresh = np.inf, 0.0, 1e-3, 0, True
    for _ in range(MAX_STEPS):
        value, could_gain = _assemble(first, last, of, toy, new, damping, w)
        if not value <= nll + 1e-12 * (1 + nll):
            damping = max(5 * damping, 1e-4) * 10
            if damping > 1e12:
                break
            nll, fresh = np.inf, True  # once more from where it was
            _copy(0, len(at.e), at, new)
            continue
        nll, gain = value, could_gain
        if not nll < np.inf:
            break
        if not fresh:
            _copy(first, last, new, at)
        more, begin = 0.0, 0 if moving == FREE else 1
        w.step[:] = 0.0
        for _ in range(2):
            if moving != LOCAL:
                more = _solve(begin, damping, w)
            if begin == 1 or at.common[0] > 0 or w.step[0] >= 0:
                break
            begin = 1  # at the bound and pushed against it
        if gain + more < tolerance and damping < 0.1:
            again = _refill(first, last, of, at, w)
            if moving != LOCAL:
                again |= _refill_free(of, at, w)
            if not again or restarts == MAX_RESTARTS:
                return nll, True
            nll, damping, restarts, fresh = np.inf, 1e-3, restarts + 1, True
            _copy(0, len(at.e), at, new)
            continue
        for j in range(1, len(w.step)):
            w.step[j] = _clip(w.step[j])
        part, bound = 1.0, at.common[0] + w.step[0] < 0
        if bound:
            part = at.common[0] / -w.step[0]
        _move(first, last, of, at, part, w, new)
        if bound:
            new.common[0] = 0.0
        damping, fresh = damping / 5, False
    return nll, False


@_compiled
def _begin(of, toy, mu, at):  # type: ignore[no-untyped-def]
    """Where a fit begins, see `Likelihood.start`."""
    at.t[:] = toy.t
    at.e[:] = toy.e
    at.common[:] = toy.common
    at.common[0] = mu
    for k in range(of.cells):
        for i in range(3):
            n = toy.n[k, i + 1]
            at.rates[k, i] = math.log(max(n - mu * of.signal[k, i + 1], n / 10, FLOOR[i]))
            if i < 2 and n == 0 and toy.n[k, 0] == 0:
                at.rates[k, i] = LN_ZERO
    if len(of.free) > 0:
        events, rest, n = 0.0, 0.0, 0.0
        for k in range(of.cells, len(toy.n)):
            free = of.free_yields[:, k].sum()
            if free > 0:
                events += free
                n += toy.n[k, 0]
                rest += toy.n[k, 0] - mu * of.signal[k, 0] - of.scales[:, k].sum() + free
        for j in of.free:
            at.common[j] = math.log(max(rest, n / 10, FEW_EVENTS) / events)


@_compiled
def _is_twofold(of, toy, k):  # type: ignore[no-untyped-def]
    """All of A is signal and the empty rate is zero, or not: a cell with two minima."""
    return k < of.cells and toy.n[k, 0] > 0 and (toy.n[k, 1] == 0 or toy.n[k, 2] == 0)


@_compiled
def _deepest(of, toy, at, moving, tolerance, w, new, spare):  # type: ignore[no-untyped-def]
    """As `_descend`, of all rows; then tries both minima of each cell that has two, see `minimizer._deepest`."""
    rows, moved = len(toy.n), False
    nll, good = np.inf, False
    for again in range(2):
        nll, good = _descend(0, rows, of, toy, at, moving, tolerance, w, new)
        if again or at.common[0] == 0:  # at mu = 0 -log L is convex
            break
        for k in range(of.cells):
            if _is_twofold(of, toy, k):
                least = np.inf
                for start in range(3):
                    _copy(0, rows, at, spare)
                    for i in range(2):
                        if start > 0 and toy.n[k, i + 1] == 0:
                            spare.rates[k, i] = LN_STARTS[start - 1]
                    value = _descend(k, k + 1, of, toy, spare, LOCAL, ROUGH, w, new)[0]
                    if value < least - ROUGH:
                        least = value
                        if start > 0:
                            moved = True
                            _copy(k, k + 1, spare, at)
        if not moved:
            break
    return nll, good


@_compiled
def _fit(of, toys, mu, unit, at, best, trial, w, new, spare, result):  # type: ignore[no-untyped-def]
    """Of each data set: -log L of the fit at mu and of that with mu free, the fitted mu, 1 if both converged.

    `at` becomes the fit at mu, `best` the other, of the last data set. The latter begins at the former. If a cell is
    twofold, or D of one is empty, it also begins at the fits of three other mu. If none is, and -log L falls with mu,
    there is no need for it.
    """
    rows = toys.n.shape[1]
    for i in range(len(toys.n)):
        toy = Toy(toys.n[i], toys.t[i], toys.e[i], toys.common[i])
        twofold = False
        for k in range(of.cells):
            twofold |= _is_twofold(of, toy, k) or toy.n[k, 3] == 0
        fixed, free, good, converged = np.inf, np.inf, False, False
        for stage in range(8 if twofold else 2):
            fit_at = stage % 2 == 0
            if fit_at:
                _begin(of, toy, mu if stage == 0 else STARTS_OF_MU[stage // 2 - 1] * unit[i], trial)
            moving, tolerance = FIXED if fit_at else FREE, ROUGH if fit_at and stage > 0 else TOLERANCE
            value, reached = _deepest(of, toy, trial, moving, tolerance, w, new, spare)
            if stage == 0:
                fixed, good = value, reached
                _copy(0, rows, trial, at)
                if not twofold and w.plain[0] < 0:  # there is one minimum, and it is above mu
                    free, converged = value, reached
                    best.common[0] = np.inf
                    break
            elif not fit_at and value < free:
                free, converged = value, reached
                _copy(0, rows, trial, best)
        result[0, i], result[1, i], result[2, i] = fixed, free, best.common[0]
        result[3, i] = 1.0 if good and converged else 0.0


class Profile(NamedTuple):
    """Fits of T data sets at one mu; (T,) each."""

    fixed: Floats  # -log L at mu
    free: Floats  # with mu >= 0 free; as `fixed` if it is seen that the fitted mu is above
    mu: Floats  # fitted; infinite if it is seen that it is above
    converged: Mask
    at: Point  # parameters of the last data set at mu

    def q(self, mu: float) -> Floats:
        """q~_mu: 0 where the fitted mu is above. Not a number if a fit did not converge."""
        q: Floats = np.where(self.converged, 2 * (self.fixed - self.free), np.nan)
        return np.where(self.mu > mu, 0.0, np.maximum(q, 0.0))


def profile(of: Terms, toys: Toy, mu: float, unit: Floats) -> Profile:
    """Fits data sets at mu, and with mu free.

    Args:
        of: the likelihood.
        toys: data sets.
        mu: signal strength, 0 or more.
        unit: typical errors of mu, (T,), see `Likelihood.mu_scale`.
    """
    (k, r), c = of.signal.shape, len(of.constrained)

    def point() -> Point:
        return Point(np.zeros((k, 3)), np.zeros((k, r)), np.zeros(k), np.zeros(c))

    shapes = (k, r, 5), (k, 5), (k, 3, 11), (k, c), (k, 3), (c, c), (c,), (c,), (c,)
    at, result = point(), np.zeros((4, len(toys.n)))
    work = Work(*(np.zeros(shape) for shape in shapes))
    _fit(of, toys, float(mu), unit, at, point(), point(), work, point(), point(), result)
    fixed, free, fitted, good = result
    return Profile(fixed, free, fitted, good > 0, at)
