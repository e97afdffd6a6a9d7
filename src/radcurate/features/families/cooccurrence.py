"""Grey level co-occurrence matrix (IBSI LFYI): how often voxels of level i have a neighbour of level j, at distance 1.

Matrices are symmetric and normalised to 1. Nearly all features are sums over their entries p_ij by |i − j|, by i + j, or by
i alone; only those three distributions are kept, so that a thousand levels cost little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from radcurate.features.families.family import Family
from radcurate.features.families.rows import entropy, total
from radcurate.features.kernels.elementary import exp
from radcurate.features.kernels.neighbourhood import Pairs, co_occurrences
from radcurate.features.kernels.ranks import Ranked, ranked
from radcurate.features.prepare import Prepared
from radcurate.features.reasons import NO_NEIGHBOURS, ONE_LEVEL
from radcurate.features.region import Region
from radcurate.features.resample import Floats

COOCCURRENCE = Family(
    "cm",
    "Co-occurrence matrix",
    "LFYI",
    aggregations=("2D_avg", "2D_comb", "2.5D_avg", "2.5D_comb", "3D_avg", "3D_comb"),
    without=NO_NEIGHBOURS,
)


@dataclass(frozen=True)
class Matrices:
    """Normalised symmetric co-occurrence matrices, shape (matrix, …).

    Attributes:
        i: the levels used, shape (level,).
        p_i: Σ_j p_ij, shape (matrix, level).
        k: differences of levels 0, 1, …, shape (difference,).
        p_k: Σ p_ij where |i − j| = k, shape (matrix, difference).
        t: sums of levels, shape (sum,).
        p_t: Σ p_ij where i + j = t, shape (matrix, sum).
        largest, squares, entropy: max p_ij, Σ p_ij², −Σ p_ij log₂ p_ij, shape (matrix,).
        n_levels: N_g, levels that the discretisation has for this region.
    """

    i: Floats
    p_i: Floats
    k: Floats
    p_k: Floats
    t: Floats
    p_t: Floats
    largest: Floats
    squares: Floats
    entropy: Floats
    n_levels: int

    @property
    def mean(self) -> Floats:
        """μ = Σ i p_i, shape (matrix, 1)."""
        return total(self.p_i * self.i)[:, None]

    @property
    def marginal_entropy(self) -> Floats:
        """HX = −Σ p_i log₂ p_i, which is HY too, shape (matrix,)."""
        return entropy(self.p_i)


def matrices(pairs: Pairs, used: Floats, n_levels: int) -> Matrices:
    """Counts brought to 1; matrices without a pair left out."""
    n = pairs.pairs[:, None]
    k = np.arange(pairs.difference.shape[1], dtype=np.float64)
    t = np.arange(pairs.total.shape[1]) + 2.0 * used[0]
    return Matrices(
        *(used, pairs.marginal / (2 * n), k, pairs.difference / n, t, pairs.total / n),
        *(pairs.largest, pairs.squares, pairs.entropy, n_levels),
    )


def _pairs(_: Prepared, levels: Ranked, flat: bool, by_plane: bool) -> Pairs:
    return co_occurrences(levels, flat, by_plane)


@COOCCURRENCE.computed_from
def source(region: Region, aggregation: str) -> Matrices:
    """Of every plane and direction, of every plane, of every direction, or one: as the aggregation says."""
    dimension, _, merging = aggregation.partition("_")
    levels = region.once(ranked)
    pairs = region.once(_pairs, levels, dimension != "3D", dimension == "2D")
    n_directions = 13 if dimension == "3D" else 4
    is_merged = np.arange(len(pairs.pairs)) % (n_directions + 1) == n_directions
    kept = pairs.chosen((is_merged == (merging == "comb")) & (pairs.pairs > 0))
    return matrices(kept, levels.used.astype(np.float64), region.prepared.n_levels)


@COOCCURRENCE.feature("joint_max", "Joint maximum", "GYBY")
def joint_maximum(m: Matrices) -> Floats:
    """max p_ij."""
    return m.largest


@COOCCURRENCE.feature("joint_avg", "Joint average", "60VM")
def joint_average(m: Matrices) -> Floats:
    """μ = Σ i p_ij."""
    return m.mean[:, 0]


@COOCCURRENCE.feature("joint_var", "Joint variance", "UR99")
def joint_variance(m: Matrices) -> Floats:
    """σ² = Σ (i − μ)² p_ij."""
    return total((m.i - m.mean) ** 2 * m.p_i)


@COOCCURRENCE.feature("joint_entr", "Joint entropy", "TU9B")
def joint_entropy(m: Matrices) -> Floats:
    """−Σ p_ij log₂ p_ij."""
    return m.entropy


@COOCCURRENCE.feature("diff_avg", "Difference average", "TF7R")
def difference_average(m: Matrices) -> Floats:
    """Σ_k k p_k, where p_k = Σ p_ij over |i − j| = k."""
    return total(m.k * m.p_k)


@COOCCURRENCE.feature("diff_var", "Difference variance", "D3YU")
def difference_variance(m: Matrices) -> Floats:
    """Σ_k (k − μ_k)² p_k, where p_k = Σ p_ij over |i − j| = k and μ_k is the difference average."""
    return total((m.k - difference_average(m)[:, None]) ** 2 * m.p_k)


@COOCCURRENCE.feature("diff_entr", "Difference entropy", "NTRS")
def difference_entropy(m: Matrices) -> Floats:
    """−Σ_k p_k log₂ p_k, where p_k = Σ p_ij over |i − j| = k."""
    return entropy(m.p_k)


@COOCCURRENCE.feature("sum_avg", "Sum average", "ZGXS")
def sum_average(m: Matrices) -> Floats:
    """Σ_t t p_t, where p_t = Σ p_ij over i + j = t."""
    return total(m.t * m.p_t)


@COOCCURRENCE.feature("sum_var", "Sum variance", "OEEB")
def sum_variance(m: Matrices) -> Floats:
    """Σ_t (t − μ_t)² p_t, where p_t = Σ p_ij over i + j = t and μ_t is the sum average."""
    return _about_mean(m, 2)


@COOCCURRENCE.feature("sum_entr", "Sum entropy", "P6QZ")
def sum_entropy(m: Matrices) -> Floats:
    """−Σ_t p_t log₂ p_t, where p_t = Σ p_ij over i + j = t."""
    return entropy(m.p_t)


@COOCCURRENCE.feature("energy", "Angular second moment", "8ZQL")
def angular_second_moment(m: Matrices) -> Floats:
    """Σ p_ij²."""
    return m.squares


@COOCCURRENCE.feature("contrast", "Contrast", "ACUI")
def contrast(m: Matrices) -> Floats:
    """Σ (i − j)² p_ij."""
    return total(m.k**2 * m.p_k)


@COOCCURRENCE.feature("dissimilarity", "Dissimilarity", "8S9J")
def dissimilarity(m: Matrices) -> Floats:
    """Σ |i − j| p_ij."""
    return difference_average(m)


@COOCCURRENCE.feature("inv_diff", "Inverse difference", "IB1Z")
def inverse_difference(m: Matrices) -> Floats:
    """Σ p_ij / (1 + |i − j|)."""
    return total(m.p_k / (1 + m.k))


@COOCCURRENCE.feature("inv_diff_norm", "Normalised inverse difference", "NDRX")
def normalised_inverse_difference(m: Matrices) -> Floats:
    """Σ p_ij / (1 + |i − j| / N_g)."""
    return total(m.p_k / (1 + m.k / m.n_levels))


@COOCCURRENCE.feature("inv_diff_mom", "Inverse difference moment", "WF0Z")
def inverse_difference_moment(m: Matrices) -> Floats:
    """Σ p_ij / (1 + (i − j)²)."""
    return total(m.p_k / (1 + m.k**2))


@COOCCURRENCE.feature("inv_diff_mom_norm", "Normalised inverse difference moment", "1QCO")
def normalised_inverse_difference_moment(m: Matrices) -> Floats:
    """Σ p_ij / (1 + (i − j)² / N_g²)."""
    return total(m.p_k / (1 + (m.k / m.n_levels) ** 2))


@COOCCURRENCE.feature("inv_var", "Inverse variance", "E8JP")
def inverse_variance(m: Matrices) -> Floats:
    """Σ p_ij / (i − j)² where i ≠ j."""
    return total(m.p_k[:, 1:] / m.k[1:] ** 2)


@COOCCURRENCE.feature("corr", "Correlation", "NI2N", without=ONE_LEVEL)
def correlation(m: Matrices) -> Floats:
    """Σ (i − μ) (j − μ) p_ij / σ²; here as (tendency − contrast) / (tendency + contrast), which loses no digits."""
    tendency, difference = cluster_tendency(m), contrast(m)
    return (tendency - difference) / (tendency + difference)


@COOCCURRENCE.feature("auto_corr", "Autocorrelation", "QWB0")
def autocorrelation(m: Matrices) -> Floats:
    """Σ i j p_ij; here as (Σ_t t² p_t − Σ_k k² p_k) / 4, since 4 i j = (i + j)² − (i − j)²."""
    return (total(m.t**2 * m.p_t) - contrast(m)) / 4


@COOCCURRENCE.feature("clust_tend", "Cluster tendency", "DG8W")
def cluster_tendency(m: Matrices) -> Floats:
    """Σ (i + j − 2 μ)² p_ij."""
    return _about_mean(m, 2)


@COOCCURRENCE.feature("clust_shade", "Cluster shade", "7NFM")
def cluster_shade(m: Matrices) -> Floats:
    """Σ (i + j − 2 μ)³ p_ij."""
    return _about_mean(m, 3)


@COOCCURRENCE.feature("clust_prom", "Cluster prominence", "AE86")
def cluster_prominence(m: Matrices) -> Floats:
    """Σ (i + j − 2 μ)⁴ p_ij."""
    return _about_mean(m, 4)


@COOCCURRENCE.feature("info_corr1", "Information correlation 1", "R8DG", without=ONE_LEVEL)
def information_correlation_1(m: Matrices) -> Floats:
    """(HXY − HXY1) / HX, where HXY is the joint entropy, HX that of p_i, and HXY1 = −Σ p_ij log₂(p_i p_j) = 2 HX."""
    return (m.entropy - 2 * m.marginal_entropy) / m.marginal_entropy


@COOCCURRENCE.feature("info_corr2", "Information correlation 2", "JN9H")
def information_correlation_2(m: Matrices) -> Floats:
    """√(1 − exp(−2 (HXY2 − HXY))), where HXY is the joint entropy and HXY2 = −Σ p_i p_j log₂(p_i p_j) = 2 HX."""
    found: Floats = np.sqrt(1 - exp(-2 * np.maximum(2 * m.marginal_entropy - m.entropy, 0.0)))
    return found


def _about_mean(m: Matrices, power: int) -> Floats:
    """Σ (i + j − 2 μ)^power p_ij; 2 μ is the mean of i + j."""
    distance = m.t - 2 * m.mean
    return total(math.prod([distance] * power, start=m.p_t))
