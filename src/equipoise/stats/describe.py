"""describe (temporary lead version)."""
from dataclasses import dataclass
import numpy as np
@dataclass(frozen=True)
class Description:
    n: np.ndarray; missing: np.ndarray; mean: np.ndarray; sd: np.ndarray; median: np.ndarray; q1: np.ndarray; q3: np.ndarray; minimum: np.ndarray; maximum: np.ndarray
def describe(values, included):
    v = [values[r][included[r] & ~np.isnan(values[r])] for r in range(len(values))]
    f = lambda g: np.array([g(x) if len(x) else np.nan for x in v])
    return Description(f(len), np.array([included[r].sum() - len(v[r]) for r in range(len(v))]), f(np.mean), f(lambda x: x.std(ddof=1) if len(x) > 1 else np.nan), f(np.median), f(lambda x: np.quantile(x, .25)), f(lambda x: np.quantile(x, .75)), f(np.min), f(np.max))
