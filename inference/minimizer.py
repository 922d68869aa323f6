"""Minima of the likelihood: damped Newton steps, for many data sets at once.

The Hessian is an arrow: rows (cells, bins of templates) do not know of each other but through the common parameters. A
step therefore solves one small system per row and one for the common parameters.

What makes it safe at low counts: fits of mu >= 0 begin twice; rates and normalisations that ran to zero are brought
back where they should not have; cells with two minima are tried in both; and a fit that does not converge says so.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hnl.inference.arrays import Floats, Mask
from hnl.inference.cells import A
from hnl.inference.likelihood import Data, Fits, Likelihood

TOLERANCE = 1e-9  # of -log L: what a further Newton step would gain
MAX_STEPS = 200
EMPTY = 1e-3  # events: a rate, or process with free normalisation, below has run to zero ...
SLOPE = 1e-3  # ... rightly so unless -log L falls by more than this an event,
RESTART_RATE = 0.1  # events: then it goes on from here ...
MAX_RESTARTS = 3  # ... this often at most
START_RATES = (0.02, 2.0)  # events: from where the two minima of a cell are reached
STARTS = (1.0, 3.0)  # typical errors of mu: where fits of data sets with such cells begin, too
MAX_SHIFT = 3.0  # of a log rate or nuisance parameter in one step
CHUNK = 1 << 20  # numbers in the largest array: data sets are done in chunks


def fit_fixed_mu(likelihood: Likelihood, data: Data, mu: ArrayLike, *, begin: Fits | None = None) -> Fits:
    """Minima with mu fixed: one for all data sets, or one each; `begin` is where to begin, if known."""
    mu = np.broadcast_to(np.asarray(mu, dtype=np.float64), len(data.n))
    local, common = likelihood.start(data, mu) if begin is None else (begin.local, begin.common.copy())
    common[:, 0] = mu
    free = np.ones(likelihood.n_common, dtype=bool)
    free[0] = False
    return _deepest(likelihood, data, minimise(likelihood, data, local, common, free_common=free), free_common=free)


def fit_free_mu(likelihood: Likelihood, data: Data, null: Fits, *, lowest: float = 0.0) -> Fits:
    """Minima with mu free, from `lowest` on.

    Begins at the minima of mu = 0 and at positive mu, and keeps the lower: with little data there may be a second
    minimum. The result is thus never above that of mu = 0 (unless `lowest` is above). Data sets that have a twofold
    cell also begin at their minima of some fixed mu: from elsewhere such cells fall to the minimum without signal.

    Args:
        data: T data sets.
        null: their minima at mu = 0.
        lowest: smallest mu allowed; 0 as the test statistic wants it, negative for studies of bias.
    """
    above = 3 * likelihood.mu_scale(data)
    fits = [
        minimise(likelihood, data, null.local, null.common, lowest=lowest),
        minimise(likelihood, data, *likelihood.start(data, above), lowest=lowest),
    ]
    if lowest <= 0:
        fits.append(null)
    best = _deepest(likelihood, data, better(*fits), lowest=lowest)
    chosen = np.flatnonzero(_twofold(likelihood, data).any(axis=1))
    if len(chosen) == 0:
        return best
    some, found = data.take(chosen), [Fits._make(part[chosen] for part in best)]
    for step in STARTS:
        fixed = fit_fixed_mu(likelihood, some, np.maximum(step * likelihood.mu_scale(some), lowest))
        found.append(minimise(likelihood, some, fixed.local, fixed.common, lowest=lowest))
    return _replaced(best, chosen, _deepest(likelihood, some, better(*found), lowest=lowest))


def _twofold(likelihood: Likelihood, data: Data) -> Mask:
    """Cells with events in A but none in B or C, (T, row): all of A is signal and the empty rate is zero, or not."""
    is_cell = np.arange(data.n.shape[1]) < len(likelihood.model.cells)
    twofold: Mask = is_cell & (data.n[..., A] > 0) & (data.n[..., 1:3] == 0).any(axis=2)
    return twofold


def _replaced(fits: Fits, chosen: NDArray[np.int64], new: Fits) -> Fits:
    """Fits with some data sets' replaced."""
    result = Fits._make(part.copy() for part in fits)
    for part, other in zip(result, new, strict=True):
        part[chosen] = other
    return result


def _deepest(likelihood: Likelihood, data: Data, fits: Fits, **options: Any) -> Fits:
    """Looks for deeper minima of single cells, and goes on from there.

    `_twofold` cells have two. At given common parameters cells are independent, so each can be tried alone. At mu = 0
    -log L is convex.
    """
    twofold = _twofold(likelihood, data)
    chosen = np.flatnonzero(twofold.any(axis=1) & (fits.mu != 0))
    if len(chosen) == 0:
        return fits
    d, local, common = data.take(chosen), fits.local[chosen], fits.common[chosen]
    parts = likelihood.row_nll(local, common, d)
    for rate in START_RATES:
        begin = local.copy()
        empty = twofold[chosen][..., None] & (d.n[..., 1:3] == 0)
        begin[..., :2] = np.where(empty, np.log(rate), begin[..., :2])
        other = minimise(likelihood, d, begin, common, free_common=False).local
        value = likelihood.row_nll(other, common, d)
        lower = value < parts - 1e-6
        local, parts = np.where(lower[..., None], other, local), np.where(lower, value, parts)
    moved = (local != fits.local[chosen]).any(axis=(1, 2))
    if not moved.any():
        return fits
    chosen = chosen[moved]
    again = minimise(likelihood, data.take(chosen), local[moved], common[moved], **options)
    return _replaced(fits, chosen, better(again, Fits._make(part[chosen] for part in fits)))


def minimise(
    likelihood: Likelihood,
    data: Data,
    local: Floats,
    common: Floats,
    *,
    free_local: ArrayLike = True,
    free_common: ArrayLike = True,
    lowest: float = 0.0,
) -> Fits:
    """Minimises -log L from a given point, by damped Newton steps.

    Args:
        data: T data sets.
        local, common: the point.
        free_local, free_common: bool, broadcast to (T, row, local) and (T, common): others keep their values.
        lowest: smallest mu allowed where it is free.
    """
    t, k = data.n.shape[:2]
    free_local = np.broadcast_to(free_local, (t, k, likelihood.n_local))
    free_common = np.broadcast_to(free_common, (t, likelihood.n_common))
    size = max(1, CHUNK // (k * (likelihood.n_local + likelihood.n_common) ** 2))
    parts = [
        _minimise(likelihood, data.take(i), local[i], common[i], free_local[i], free_common[i], lowest)
        for i in (slice(first, first + size) for first in range(0, t, size))
    ]
    return Fits._make(np.concatenate(part) for part in zip(*parts, strict=True))


def _minimise(
    likelihood: Likelihood, data: Data, local: Floats, common: Floats, free_l: Mask, free_c: Mask, lowest: float
) -> Fits:
    local, common = local.copy(), common.copy()
    nll = likelihood.nll(local, common, data)
    converged = np.zeros(len(nll), dtype=bool)
    damping = np.full(len(nll), 1e-3)
    restarts = np.zeros(len(nll), dtype=int)
    left = np.flatnonzero(np.isfinite(nll))
    for _ in range(MAX_STEPS):
        if len(left) == 0:
            break
        d, x, y = data.take(left), local[left], common[left]
        gl, gc, ll, lc, cc = likelihood.derivatives(x, y, d)
        fc = free_c[left].copy()
        fc[:, 0] &= (y[:, 0] > lowest) | (gc[:, 0] < 0)  # at the bound and pushed against it: stays
        dl, dc = _newton(gl, gc, ll, lc, cc, free_l[left], fc, damping[left])
        back = fc[:, 0] & (y[:, 0] <= lowest) & (dc[:, 0] < 0)  # the others will push it: stays, too
        if back.any():
            fc[back, 0] = False
            arrays: tuple[NDArray[Any], ...] = (gl, gc, ll, lc, cc, free_l[left], fc, damping[left])
            dl[back], dc[back] = _newton(*(array[back] for array in arrays))
        gain = -((gl * dl).sum(axis=(1, 2)) + (gc * dc).sum(axis=1)) / 2
        dl = dl.clip(-MAX_SHIFT, MAX_SHIFT)
        dc[:, 1:] = dc[:, 1:].clip(-MAX_SHIFT, MAX_SHIFT)
        bound = fc[:, 0] & (y[:, 0] + dc[:, 0] < lowest)
        part = np.where(bound, (y[:, 0] - lowest) / np.where(bound, -dc[:, 0], 1), 1)
        new_x, new_y = x + part[:, None, None] * dl, y + part[:, None] * dc
        new_y[bound, 0] = lowest
        value = likelihood.nll(new_x, new_y, d)
        good = (gain >= 0) & (value <= nll[left] + 1e-12 * (1 + nll[left]))
        done = good & (gain < TOLERANCE) & (damping[left] < 0.1)
        chosen = left[good]
        local[chosen], common[chosen], nll[chosen] = new_x[good], new_y[good], value[good]
        wrong, wrong_free = _wrongly_empty(likelihood, x, y, gl, gc)
        again = done & (wrong.any(axis=(1, 2)) | wrong_free.any(axis=1)) & (restarts[left] < MAX_RESTARTS)
        if again.any():
            i, r, f = left[again], likelihood.n_rates, likelihood.free
            local[i, :, :r] = np.where(wrong[again], np.log(RESTART_RATE), local[i, :, :r])
            events = likelihood.free_yields.sum(axis=1)
            common[np.ix_(i, f)] = np.where(wrong_free[again], np.log(RESTART_RATE / events), common[np.ix_(i, f)])
            nll[i], damping[i], done[again] = likelihood.nll(local[i], common[i], data.take(i)), 1e-3, False
            restarts[i] += 1
        damping[left] = np.where(good, damping[left] / 5, np.maximum(damping[left], 1e-4) * 10)
        converged[left[done]] = True
        left = left[~done & (damping[left] < 1e12)]
    return Fits(local, common, nll, converged)


def _wrongly_empty(likelihood: Likelihood, local: Floats, common: Floats, gl: Floats, gc: Floats) -> tuple[Mask, Mask]:
    """Rates (T, row, rate) and free normalisations (T, process) that ran to zero where -log L falls with more events.

    As d/d(log b) = b d/db, every rate that ran to zero looks like a minimum. It is one if d/db > 0 there.
    """
    r, f = likelihood.n_rates, likelihood.free
    events = np.exp(common[:, f]) * likelihood.free_yields.sum(axis=1)
    wrong_free = (events < EMPTY) & (gc[:, f] < -SLOPE * events)
    empty = local[..., :r] < np.log(EMPTY)
    wrong = empty & (gl[..., :r] < -SLOPE * np.exp(local[..., :r]))
    if r:
        # Where d vanishes with b or c, b c / d depends on how, and only the slope along all of them tells.
        rising = (gl[..., :r] * empty).sum(axis=2) >= 0
        undecided = empty[..., 2] & empty[..., :2].any(axis=2) & rising
        wrong = empty & (wrong.any(axis=2) & ~undecided)[..., None]
    return wrong, wrong_free


def covariance(likelihood: Likelihood, fits: Fits, data: Data, *, free_mu: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Covariance: local-local (T, row, local, local) of one row, local-common, common-common.

    Args:
        fits: minima.
        data: their data.
        free_mu: bool (T,), where mu is a parameter, not fixed or at its bound; it has no variance elsewhere.
    """
    _, _, ll, lc, cc = likelihood.derivatives(fits.local, fits.common, data)
    free = np.ones((len(fits.nll), likelihood.n_common), dtype=bool)
    free[:, 0] = free_mu
    ll, lc, cc = _only(free, np.ones(fits.local.shape, dtype=bool), ll, lc, cc)
    ll[..., range(likelihood.n_local), range(likelihood.n_local)] += 1e-12  # rates that ran to zero
    cc[..., likelihood.free, likelihood.free] += 1e-12  # normalisations likewise
    inverse = np.linalg.inv(ll)
    z = inverse @ lc
    common = np.linalg.inv(cc - (lc.swapaxes(2, 3) @ z).sum(axis=1)) * (free[:, :, None] & free[:, None, :])
    mixed = -z @ common[:, None]
    return inverse - mixed @ z.swapaxes(2, 3), mixed, common


def better(*fits: Fits) -> Fits:
    """The lowest minimum of each data set; one that converged if any did, at equal depth."""
    nll = np.stack([f.nll + np.where(f.converged, 0, 1e-7) for f in fits])
    which = np.argmin(nll, axis=0), np.arange(nll.shape[1])
    return Fits._make(np.stack(parts)[which] for parts in zip(*fits, strict=True))


def _only(free_c: Mask, free_l: Mask, ll: Floats, lc: Floats, cc: Floats) -> tuple[Floats, Floats, Floats]:
    """The Hessian with rows and columns of fixed parameters replaced by those of the unit matrix."""
    ll = ll * (free_l[..., :, None] & free_l[..., None, :])
    lc = lc * (free_l[..., :, None] & free_c[:, None, None, :])
    cc = cc * (free_c[:, :, None] & free_c[:, None, :])
    ll[..., range(ll.shape[-1]), range(ll.shape[-1])] += ~free_l
    cc[..., range(cc.shape[-1]), range(cc.shape[-1])] += ~free_c
    return ll, lc, cc


def _newton(
    gl: Floats, gc: Floats, ll: Floats, lc: Floats, cc: Floats, free_l: Mask, free_c: Mask, damping: Floats
) -> tuple[Floats, Floats]:
    """The damped Newton step: local and common parts."""
    ll, lc, cc = _only(free_c, free_l, ll, lc, cc)
    gl, gc = gl * free_l, gc * free_c
    for block, factor in ((ll, damping[:, None, None]), (cc, damping[:, None])):
        i = range(block.shape[-1])
        block[..., i, i] += factor * np.abs(block[..., i, i]) + 1e-12
    solved = _solve(ll, np.concatenate([lc, gl[..., None]], axis=3))
    z, zg = solved[..., :-1], solved[..., -1]
    schur = cc - (lc.swapaxes(2, 3) @ z).sum(axis=1)
    rest = gc - np.einsum("tklc,tkl->tc", lc, zg)
    dc = -_solve(schur, rest[..., None])[..., 0]
    return -zg - np.einsum("tklc,tc->tkl", z, dc), dc


def _solve(a: Floats, b: Floats) -> Floats:
    """a x = b; of least size where some a is exactly singular, as without any count."""
    try:
        return cast(Floats, np.linalg.solve(a, b))
    except np.linalg.LinAlgError:
        return np.linalg.pinv(np.nan_to_num(a)) @ b
