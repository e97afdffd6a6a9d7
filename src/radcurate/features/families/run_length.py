"""Grey level run length features (IBSI TP0I): runs are voxels of one level in a line.

r_ij is the number of runs of grey level i and length j, N_s the number of all runs, N_v of the voxels.
"""

from __future__ import annotations

import numpy as np

from radcurate.features.families import sparse
from radcurate.features.families.family import Family
from radcurate.features.families.sparse import SparseMatrices
from radcurate.features.kernels.ranks import Ranked, ranked
from radcurate.features.kernels.runs import IN_PLANE, IN_SPACE, count_runs
from radcurate.features.prepare import Prepared
from radcurate.features.region import Region
from radcurate.features.resample import Floats

RUN_LENGTH = Family(
    "rlm", "Run length matrix", "TP0I", ("2D_avg", "2D_comb", "2.5D_avg", "2.5D_comb", "3D_avg", "3D_comb")
)


@RUN_LENGTH.computed_from
def source(region: Region, aggregation: str) -> SparseMatrices:
    """A matrix for each direction, in 2D for each direction in each plane, or those of all directions merged."""
    dimension, _, merging = aggregation.partition("_")
    runs = region.once(by_direction, region.once(ranked), dimension)
    return region.once(over_directions, runs, dimension) if merging == "comb" else runs


def by_direction(_: Prepared, levels: Ranked, dimension: str) -> SparseMatrices:
    """A matrix for each direction, in 2D for each direction in each plane that holds a voxel."""
    found = count_runs(levels, IN_SPACE if dimension == "3D" else IN_PLANE, by_plane=dimension == "2D")
    matrix, rank, length, count = (np.ascontiguousarray(column) for column in found.T)
    n_voxels = np.bincount(matrix, weights=length * count).astype(np.int64)
    return SparseMatrices(matrix, levels.used[rank - 1], length, count, n_voxels)


def over_directions(_: Prepared, runs: SparseMatrices, dimension: str) -> SparseMatrices:
    """The matrices of all directions as one, in 2D as one for each plane."""
    return sparse.merged(runs, IN_SPACE if dimension == "3D" else IN_PLANE)


@RUN_LENGTH.feature("sre", "Short runs emphasis", "22OV")
def short_runs_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij / j² / N_s."""
    return sparse.small_emphasis(runs)


@RUN_LENGTH.feature("lre", "Long runs emphasis", "W4KF")
def long_runs_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij j² / N_s."""
    return sparse.large_emphasis(runs)


@RUN_LENGTH.feature("lgre", "Low grey level run emphasis", "V3SW")
def low_grey_level_run_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij / i² / N_s."""
    return sparse.low_level_emphasis(runs)


@RUN_LENGTH.feature("hgre", "High grey level run emphasis", "G3QZ")
def high_grey_level_run_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij i² / N_s."""
    return sparse.high_level_emphasis(runs)


@RUN_LENGTH.feature("srlge", "Short run low grey level emphasis", "HTZT")
def short_run_low_grey_level_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij / (i² j²) / N_s."""
    return sparse.small_low_level_emphasis(runs)


@RUN_LENGTH.feature("srhge", "Short run high grey level emphasis", "GD3A")
def short_run_high_grey_level_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij i² / j² / N_s."""
    return sparse.small_high_level_emphasis(runs)


@RUN_LENGTH.feature("lrlge", "Long run low grey level emphasis", "IVPO")
def long_run_low_grey_level_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij j² / i² / N_s."""
    return sparse.large_low_level_emphasis(runs)


@RUN_LENGTH.feature("lrhge", "Long run high grey level emphasis", "3KUM")
def long_run_high_grey_level_emphasis(runs: SparseMatrices) -> Floats:
    """Σ r_ij i² j² / N_s."""
    return sparse.large_high_level_emphasis(runs)


@RUN_LENGTH.feature("glnu", "Grey level non-uniformity", "R5YN")
def grey_level_non_uniformity(runs: SparseMatrices) -> Floats:
    """Σ_i (Σ_j r_ij)² / N_s."""
    return sparse.level_non_uniformity(runs)


@RUN_LENGTH.feature("glnu_norm", "Normalised grey level non-uniformity", "OVBL")
def normalised_grey_level_non_uniformity(runs: SparseMatrices) -> Floats:
    """Σ_i (Σ_j r_ij)² / N_s²."""
    return sparse.normalised_level_non_uniformity(runs)


@RUN_LENGTH.feature("rlnu", "Run length non-uniformity", "W92Y")
def run_length_non_uniformity(runs: SparseMatrices) -> Floats:
    """Σ_j (Σ_i r_ij)² / N_s."""
    return sparse.extent_non_uniformity(runs)


@RUN_LENGTH.feature("rlnu_norm", "Normalised run length non-uniformity", "IC23")
def normalised_run_length_non_uniformity(runs: SparseMatrices) -> Floats:
    """Σ_j (Σ_i r_ij)² / N_s²."""
    return sparse.normalised_extent_non_uniformity(runs)


@RUN_LENGTH.feature("r_perc", "Run percentage", "9ZK5")
def run_percentage(runs: SparseMatrices) -> Floats:
    """N_s / N_v; a voxel counts once for each direction that the matrix holds."""
    return sparse.percentage(runs)


@RUN_LENGTH.feature("gl_var", "Grey level variance", "8CE5")
def grey_level_variance(runs: SparseMatrices) -> Floats:
    """Σ p_ij (i − μ)², p_ij = r_ij / N_s, μ = Σ p_ij i."""
    return sparse.level_variance(runs)


@RUN_LENGTH.feature("rl_var", "Run length variance", "SXLW")
def run_length_variance(runs: SparseMatrices) -> Floats:
    """Σ p_ij (j − μ)², p_ij = r_ij / N_s, μ = Σ p_ij j."""
    return sparse.extent_variance(runs)


@RUN_LENGTH.feature("rl_entr", "Run entropy", "HJ9O")
def run_entropy(runs: SparseMatrices) -> Floats:
    """−Σ p_ij log₂ p_ij, p_ij = r_ij / N_s."""
    return sparse.entropy(runs)
