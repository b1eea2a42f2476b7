"""SciPy's names for arrays and traced values: `nnjit.scipy.linalg` and `nnjit.scipy.special`.

Importing this module lets SciPy's own elementwise functions, e.g. `scipy.special.erfc`, take traced values.
"""

from nnjit.scipy import linalg, special

__all__ = ["linalg", "special"]
