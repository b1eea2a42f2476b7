"""Special functions that are primitives."""

from __future__ import annotations

from nnjit import primitives as p
from nnjit.scipy.special.promoted import of_primitive

# fmt: off
erfc, erfcx      = of_primitive(p.erfc), of_primitive(p.erfcx)
erfinv, erfcinv  = of_primitive(p.erfinv), of_primitive(p.erfcinv)
gamma, expi      = of_primitive(p.gamma), of_primitive(p.expi)
xlogy, xlog1py   = of_primitive(p.xlogy), of_primitive(p.xlog1py)
entr, rel_entr   = of_primitive(p.entr), of_primitive(p.rel_entr)
# fmt: on
