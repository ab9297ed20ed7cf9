"""t interval (temporary lead version)."""
import numpy as np
from equipoise.stats.ancova import fit_least_squares, contrast
def one_sample_t(values, included, *, level=0.95):
    return contrast(fit_least_squares(values, np.ones((*values.shape, 1)), included), np.ones(1), level=level)
