"""The functions of `scipy.special` for arrays and traced values, with derivatives of every order.

Composed functions are computed in float64 and rounded, so float32 results match SciPy's too. At the edges of
a domain the values are SciPy's, including NaN and infinity; derivatives there are limits, or NaN.
"""

from nnjit.ir.graph import FUNCTIONS as _FUNCTIONS
from nnjit.numpy import erf, gammaln
from nnjit.numpy import log_sigmoid as log_expit
from nnjit.numpy import sigmoid as expit
from nnjit.scipy.special.bessel import i0, i0e, i1, i1e
from nnjit.scipy.special.elementary import (
    entr,
    erfc,
    erfcinv,
    erfcx,
    erfinv,
    expi,
    gamma,
    rel_entr,
    xlog1py,
    xlogy,
)  # fmt: skip
from nnjit.scipy.special.gamma_relatives import beta, betaln, digamma, polygamma, psi, zeta
from nnjit.scipy.special.incomplete_gamma import gammainc, gammaincc
from nnjit.scipy.special.normal import log_ndtr, ndtr, ndtri
from nnjit.scipy.special.probabilities import exp1, kl_div, log_softmax, logit, logsumexp, softmax

__all__ = [
    "beta", "betaln", "digamma", "entr", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "exp1", "expi", "expit",
    "gamma", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e", "kl_div", "log_expit", "log_ndtr",
    "log_softmax", "logit", "logsumexp", "ndtr", "ndtri", "polygamma", "psi", "rel_entr", "softmax",
    "xlog1py", "xlogy", "zeta",
]  # fmt: skip

_FUNCTIONS.update({name: globals()[name] for name in __all__ if name not in _FUNCTIONS})
