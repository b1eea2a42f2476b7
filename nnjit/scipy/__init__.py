"""SciPy's names for arrays and traced values: `nnjit.scipy.linalg` and `nnjit.scipy.special`.

Importing this gives SciPy's own functions of each element, such as `scipy.special.erfc`, their meaning on
traced values.
"""

from nnjit.scipy import linalg, special

__all__ = ["linalg", "special"]
