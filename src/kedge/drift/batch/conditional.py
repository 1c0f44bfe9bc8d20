"""What depends on a context: conditional mean embeddings, and the chance of being in the window."""

import dataclasses

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats

RIDGES = tuple(4.0**-power for power in range(11))
"""Candidates for the regularisation of conditional means, largest first."""

_PENALTIES = (100.0, 10.0, 1.0, 0.1, 0.01)
_FOLDS, _STEPS = 5, 50


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """Eigenvalues, none below zero, and eigenvectors of the contexts' kernel matrix."""

    values: Floats
    vectors: Floats


def spectrum(contexts: Floats) -> Spectrum:
    """Of the kernel matrix of the contexts."""
    values, vectors = np.linalg.eigh(contexts)
    return Spectrum(np.maximum(values, 0.0), vectors)


def chosen_ridge(rows: Floats, contexts: Spectrum) -> float:
    """The ridge whose conditional means are nearest to the rows left out one at a time, in the rows' kernel.

    With R = I - L (L + n ridge I)^-1, the mean squared distance is that of (R K R)_ii / R_ii^2.
    """
    size = len(rows)
    rotated = contexts.vectors.T @ rows @ contexts.vectors
    errors = []
    for ridge in RIDGES:
        left = contexts.vectors * (size * ridge / (contexts.values + size * ridge))
        residual = np.einsum("ij,ij->i", left @ rotated, left)
        errors.append(float(np.mean(residual / np.einsum("ij,ij->i", left, contexts.vectors) ** 2)))
    return RIDGES[int(np.argmin(errors))]


def discrepancy(
    rows: Floats, contexts: Floats, held: Floats, second: npt.NDArray[np.bool_], ridge: float
) -> float:
    """MMD-ADiTT: the squared distance of two samples' conditional mean embeddings, a mean over held out contexts.

    `rows` and `contexts` are kernel matrices of all rows, `held` the kernel of their contexts and those held out, and
    `second` tells which rows are of the second sample.
    """
    weights = np.empty_like(held)
    for member, sign in ((~second, 1.0), (second, -1.0)):
        places = np.flatnonzero(member)
        own = contexts[np.ix_(places, places)]
        own.flat[:: len(places) + 1] += len(places) * ridge
        # NumPy's, though SciPy's Cholesky is half the work: the two have threads of their own that wait busily.
        weights[places] = sign * np.linalg.solve(own, held[places])
    total = float(np.einsum("ij,ij->", weights, rows @ weights))
    return total / int(held.shape[1])


def propensities(contexts: Spectrum, second: npt.NDArray[np.bool_], seed: int) -> Floats:
    """The chance of each row to be of the second sample, given its context: kernel logistic regression.

    Its penalty is that of the least loss in cross-validation.
    """
    kept = contexts.values > 1e-8 * contexts.values.max()
    columns = contexts.vectors[:, kept] * np.sqrt(contexts.values[kept])
    folds = np.random.default_rng(seed).permutation(len(second)) % _FOLDS
    losses = []
    for penalty in _PENALTIES:
        loss = 0.0
        for fold in range(_FOLDS):
            out = folds == fold
            scores = _scores(_logistic(columns[~out], second[~out], penalty), columns[out])
            loss += float(np.logaddexp(0.0, np.where(second[out], -scores, scores)).sum())
        losses.append(loss)
    scores = _scores(_logistic(columns, second, _PENALTIES[int(np.argmin(losses))]), columns)
    chances: Floats = 1 / (1 + np.exp(-scores))
    return chances


def _scores(weights: Floats, columns: Floats) -> Floats:
    scores: Floats = np.clip(columns @ weights[:-1] + weights[-1], -30.0, 30.0)
    return scores


def _logistic(columns: Floats, second: npt.NDArray[np.bool_], penalty: float) -> Floats:
    """Weights and intercept of the least sum of log losses plus penalty |weights|^2 / 2, by Newton's method."""
    with_one = np.column_stack([columns, np.ones(len(columns))])
    shrunk = np.append(np.full(columns.shape[1], penalty), 1e-6)
    signs = np.where(second, 1.0, -1.0)

    def loss(at: Floats) -> float:
        return float(np.logaddexp(0.0, -signs * (with_one @ at)).sum() + shrunk @ at**2 / 2)

    found = np.zeros(len(shrunk))
    value = loss(found)
    for _ in range(_STEPS):
        chances = 1 / (1 + np.exp(-(with_one @ found)))
        gradient = with_one.T @ (chances - second) + shrunk * found
        curvature = (with_one.T * (chances * (1 - chances))) @ with_one + np.diag(shrunk)
        step, share = np.linalg.solve(curvature, gradient), 1.0
        while (reached := loss(found - share * step)) > value and share > 1e-6:
            share /= 2
        found, gained, value = found - share * step, value - reached, reached
        if gained <= 1e-9 * value:
            break
    return found
