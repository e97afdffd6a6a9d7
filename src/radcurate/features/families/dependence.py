"""Neighbouring grey level dependence matrix (IBSI REK0): how many of a voxel's neighbours have its own grey level.

s_ij is the number of voxels of grey level i with j voxels of that level (α = 0) in their neighbourhood (δ = 1), themselves
among them; N_s = N_v is the number of voxels.
"""

from __future__ import annotations

import numpy as np

from radcurate.features.families import sparse
from radcurate.features.families.family import Family
from radcurate.features.families.sparse import SparseMatrices
from radcurate.features.families.tone_difference import shared_tones
from radcurate.features.kernels.ranks import ranked
from radcurate.features.region import Region
from radcurate.features.resample import Floats

DEPENDENCE = Family("ngl", "Neighbouring grey level dependence matrix", "REK0", ("2D", "2.5D", "3D"))


@DEPENDENCE.computed_from
def source(region: Region, aggregation: str) -> SparseMatrices:
    """Of every plane that holds a voxel, of the planes together, or in 3D."""
    levels = region.once(ranked)
    found = region.once(shared_tones, levels, aggregation != "3D", aggregation == "2D").dependence
    found = found[found.any(axis=(1, 2))]
    matrix, rank, others = np.nonzero(found)
    return SparseMatrices(matrix, levels.used[rank], others + 1, found[matrix, rank, others], found.sum(axis=(1, 2)))


@DEPENDENCE.feature("lde", "Low dependence emphasis", "SODN")
def low_dependence_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij / j² / N_s."""
    return sparse.small_emphasis(dependences)


@DEPENDENCE.feature("hde", "High dependence emphasis", "IMOQ")
def high_dependence_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij j² / N_s."""
    return sparse.large_emphasis(dependences)


@DEPENDENCE.feature("lgce", "Low grey level count emphasis", "TL9H")
def low_grey_level_count_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij / i² / N_s."""
    return sparse.low_level_emphasis(dependences)


@DEPENDENCE.feature("hgce", "High grey level count emphasis", "OAE7")
def high_grey_level_count_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij i² / N_s."""
    return sparse.high_level_emphasis(dependences)


@DEPENDENCE.feature("ldlge", "Low dependence low grey level emphasis", "EQ3F")
def low_dependence_low_grey_level_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij / (i² j²) / N_s."""
    return sparse.small_low_level_emphasis(dependences)


@DEPENDENCE.feature("ldhge", "Low dependence high grey level emphasis", "JA6D")
def low_dependence_high_grey_level_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij i² / j² / N_s."""
    return sparse.small_high_level_emphasis(dependences)


@DEPENDENCE.feature("hdlge", "High dependence low grey level emphasis", "NBZI")
def high_dependence_low_grey_level_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij j² / i² / N_s."""
    return sparse.large_low_level_emphasis(dependences)


@DEPENDENCE.feature("hdhge", "High dependence high grey level emphasis", "9QMG")
def high_dependence_high_grey_level_emphasis(dependences: SparseMatrices) -> Floats:
    """Σ s_ij i² j² / N_s."""
    return sparse.large_high_level_emphasis(dependences)


@DEPENDENCE.feature("glnu", "Grey level non-uniformity", "FP8K")
def grey_level_non_uniformity(dependences: SparseMatrices) -> Floats:
    """Σ_i (Σ_j s_ij)² / N_s."""
    return sparse.level_non_uniformity(dependences)


@DEPENDENCE.feature("glnu_norm", "Normalised grey level non-uniformity", "5SPA")
def normalised_grey_level_non_uniformity(dependences: SparseMatrices) -> Floats:
    """Σ_i (Σ_j s_ij)² / N_s²."""
    return sparse.normalised_level_non_uniformity(dependences)


@DEPENDENCE.feature("dcnu", "Dependence count non-uniformity", "Z87G")
def dependence_count_non_uniformity(dependences: SparseMatrices) -> Floats:
    """Σ_j (Σ_i s_ij)² / N_s."""
    return sparse.extent_non_uniformity(dependences)


@DEPENDENCE.feature("dcnu_norm", "Normalised dependence count non-uniformity", "OKJI")
def normalised_dependence_count_non_uniformity(dependences: SparseMatrices) -> Floats:
    """Σ_j (Σ_i s_ij)² / N_s²."""
    return sparse.normalised_extent_non_uniformity(dependences)


@DEPENDENCE.feature("dc_perc", "Dependence count percentage", "6XV8")
def dependence_count_percentage(dependences: SparseMatrices) -> Floats:
    """N_s / N_v; 1, since every voxel has its neighbourhood."""
    return sparse.percentage(dependences)


@DEPENDENCE.feature("gl_var", "Grey level variance", "1PFV")
def grey_level_variance(dependences: SparseMatrices) -> Floats:
    """Σ p_ij (i − μ)², p_ij = s_ij / N_s, μ = Σ p_ij i."""
    return sparse.level_variance(dependences)


@DEPENDENCE.feature("dc_var", "Dependence count variance", "DNX2")
def dependence_count_variance(dependences: SparseMatrices) -> Floats:
    """Σ p_ij (j − μ)², p_ij = s_ij / N_s, μ = Σ p_ij j."""
    return sparse.extent_variance(dependences)


@DEPENDENCE.feature("dc_entr", "Dependence count entropy", "FCBV")
def dependence_count_entropy(dependences: SparseMatrices) -> Floats:
    """−Σ p_ij log₂ p_ij, p_ij = s_ij / N_s."""
    return sparse.entropy(dependences)


@DEPENDENCE.feature("dc_energy", "Dependence count energy", "CAS9")
def dependence_count_energy(dependences: SparseMatrices) -> Floats:
    """Σ p_ij², p_ij = s_ij / N_s."""
    return dependences.mean(dependences.count / dependences.n_groups[dependences.matrix])
