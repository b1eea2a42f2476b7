"""Rows of the table of operations for options of NumPy's functions: `where`, `initial`, `mode`, `order`, …"""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

import numpy as np
import scipy.special

import nnjit.numpy as nnp

from .programs import FLAT_DISTINCT, SOME_NAN, SQUARE, M, T, V, one_nan, regular, row, uniform
from .table import INT, POSITIVE, Arg, Row, truth

TRUTH = Arg((3, 4), truth, "b1")
SOME = np.array([[True, True, False, True], [False, True, True, True], [True, False, True, True]])
FEW_NAN = Arg((3, 4), one_nan)
FAR = Arg((2, 3), lambda rng, shape: rng.integers(-9, 9, shape), "i64")
ROWS_OF_VECTORS = Arg((3, 2, 4))

# fmt: off
OPTION_ROWS = (
    row("sum where",      lambda np, x, m: np.sum(x, axis=1, where=m, initial=2.0) + np.sum(x, where=SOME[0], dtype="f8"), M, TRUTH),
    row("prod where",     lambda np, x, m: np.prod(x, axis=1, where=m, initial=0.5, keepdims=True), M, TRUTH),
    row("max where",      lambda np, x, m: np.max(x, axis=0, where=m, initial=-0.17) + np.amax(x, initial=9.0), FLAT_DISTINCT, TRUTH),
    row("min where",      lambda np, x, m: np.min(x, axis=0, where=m, initial=0.17) + x.min(initial=-9.0), FLAT_DISTINCT, TRUTH),
    row("mean where",     lambda np, x: np.mean(x, axis=1, where=SOME, keepdims=True) + np.mean(x, where=SOME[:1]), M),
    row("var where",      lambda np, x: np.var(x, axis=1, where=SOME, correction=1) + np.var(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), M),
    row("std where",      lambda np, x: np.std(x, axis=1, where=SOME, ddof=1, dtype="f8"), M),
    row("any where",      lambda np, x, m: np.any(x > 0, axis=0, where=m) | np.all(x > 0, axis=0, where=m), M, TRUTH),
    row("nansum where",   lambda np, x: np.nansum(x, axis=1, where=SOME, initial=1.0) + np.nanprod(x, axis=1, where=SOME, initial=2.0), FEW_NAN),
    row("nanmax where",   lambda np, x: np.nanmax(x, axis=1, where=SOME, initial=-9.0) + np.nanmin(x, axis=1, where=SOME, initial=9.0), FEW_NAN),
    row("nanvar where",   lambda np, x: np.nanvar(x, axis=1, where=SOME, correction=1) + np.nanstd(x, axis=1, ddof=1), FEW_NAN),
    row("nanmean where",  lambda np, x: np.nanmean(x, axis=1, where=SOME, dtype="f8"), FEW_NAN),
    row("average returned", lambda np, x, w: np.multiply(*np.average(x, axis=1, weights=w, returned=True)), M, Arg((4,), POSITIVE.sample)),
    row("cumulative_sum", lambda np, x: np.cumulative_sum(x, axis=1, include_initial=True), M),
    row("cumulative_prod", lambda np, x: np.cumulative_prod(x, include_initial=True) + np.cumulative_prod(x, axis=0, dtype="f8")[0], V),
    Row("logsumexp with factors", lambda x, b: nnp.logsumexp(x, axis=1, b=b), lambda x, b: scipy.special.logsumexp(x, axis=1, b=b), (M, Arg((3, 4), POSITIVE.sample))),
    Row("logsumexp with signs", lambda x: nnp.logsumexp(x, axis=0, b=np.array([[2.0], [-3.0], [0.5]]), return_sign=True)[0],
                          lambda x: np.log(np.abs((np.exp(x) * np.array([[2.0], [-3.0], [0.5]])).sum(0))), (M,)),
    row("nanmedian",      lambda np, x: np.nanmedian(x, axis=0),                  SOME_NAN),
    row("nanmedian of all", lambda np, x: np.nanmedian(x, keepdims=True),         FEW_NAN),
    row("nanquantile",    lambda np, x: np.nanquantile(x, [0.2, 0.7], axis=1),    FEW_NAN),
    row("nanpercentile",  lambda np, x: np.nanpercentile(x, 30, axis=(0, 1), keepdims=True, method="hazen"), FEW_NAN),
    row("quantile by other methods", lambda np, x: sum(np.quantile(x, 0.3, axis=1, method=m) for m in ("weibull", "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf")), FLAT_DISTINCT),
    row("quantile at elements", lambda np, x: sum(np.quantile(x, 0.3, axis=1, method=m) for m in ("lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf", "closest_observation")), FLAT_DISTINCT),

    row("ravel in another order", lambda np, x: np.ravel(x, order="F") + x.flatten("F") + np.ravel(x, "K"), M),
    row("reshape in another order", lambda np, x: np.reshape(x, (4, -1), order="F") + x.reshape(4, 6, order="F"), T),
    row("take by wrapping", lambda np, x, i: np.take(x, i, axis=1, mode="wrap") + np.take(x, i, axis=1, mode="clip"), T, FAR),
    row("pad with ramps", lambda np, x: np.pad(x, ((1, 2), (3, 0)), mode="linear_ramp", end_values=(1.0, -2.0)), M),
    row("pad with statistics", lambda np, x: np.pad(x, 1, mode="mean") + np.pad(x, 1, mode="maximum", stat_length=2) + np.pad(x, 1, mode="minimum"), FLAT_DISTINCT),
    row("pad with medians", lambda np, x: np.pad(x, (2, 1), mode="median", stat_length=((1, 3), (2, 3))), FLAT_DISTINCT),
    row("pad by turning", lambda np, x: np.pad(x, 5, mode="reflect", reflect_type="odd") + np.pad(x, 5, mode="symmetric", reflect_type="odd"), M),
    row("pad of one axis", lambda np, x: np.pad(x, {1: (1, 2)}, constant_values=((0, 0), (1, 2))), M),
    row("cross along axes", lambda np, x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), ROWS_OF_VECTORS, Arg((2, 3, 4))),
    row("eigvalsh of a triangle", lambda np, a: np.linalg.eigvalsh(a, "U") + np.linalg.eigvalsh(a, UPLO="L"), Arg((2, 3, 3), regular)),
    row("eigh of a triangle", lambda np, a: np.linalg.eigh(a, "U")[1] ** 2,      Arg((3, 3), regular)),
    row("concatenate with dtype", lambda np, x, y: np.concatenate([x, y], dtype="f8") + np.vstack([x, y], dtype="f8") + np.hstack([y.T, x.T], dtype="f8").T[::-1], SQUARE, Arg((3, 3), INT.sample, "i32")),
    row("stack with dtype", lambda np, x, y: np.stack([x, y], dtype="f8"),        SQUARE, SQUARE),
    row("linspace along an axis", lambda np, x, y: np.multiply(*np.linspace(x, y, 4, axis=1, retstep=True)), Arg((4,)), Arg((4,))),
    row("trace with dtype", lambda np, x: np.trace(x, dtype="f8") * np.array(x, ndmin=3, copy=True), SQUARE),
    row("gradient at places", lambda np, x, h: np.gradient(x, np.cumsum(h), axis=1, edge_order=2), M, Arg((4,), POSITIVE.sample)),
    row("gradient of second order", lambda np, x: np.add(*np.gradient(x, 0.5, 2.0, edge_order=2)), M),
    row("interp with a period", lambda np, x, y: np.interp(x, [0.3, 1.4, 0.8], y, period=2.0), Arg((6,), uniform(2.81, 3.39)), Arg((3,))),
    row("cov with weights", lambda np, x: np.cov(x, fweights=[1, 2, 1, 3], aweights=[0.5, 1.0, 2.0, 1.0]) + np.cov(x, aweights=[0.5, 1.0, 2.0, 1.0], ddof=0), M),
    row("ediff1d with ends", lambda np, x, y: np.ediff1d(x, to_end=y, to_begin=0.5), M, V),
    row("nan_to_num by positions", lambda np, x: np.nan_to_num(x, True, 2.0) + np.sort(x, kind="stable") * x.astype("f8", copy=False), Arg((5,))),
)
# fmt: on
