"""Grey level size zone features (IBSI 9SAK): zones are voxels of one level that touch by face, edge or corner.

s_ij is the number of zones of grey level i and j voxels, N_s the number of all zones, N_v of the voxels.
"""

from __future__ import annotations

from radcurate.features.families import sparse
from radcurate.features.families.family import Family
from radcurate.features.families.sparse import SparseMatrices
from radcurate.features.families.zones import zone_matrices
from radcurate.features.region import Region
from radcurate.features.resample import Floats

SIZE_ZONE = Family("szm", "Size zone matrix", "9SAK", ("2D", "2.5D", "3D"))


@SIZE_ZONE.computed_from
def source(region: Region, aggregation: str) -> SparseMatrices:
    """One matrix; in 2D one for each plane that holds a voxel."""
    return zone_matrices(region, aggregation).by_size


@SIZE_ZONE.feature("sze", "Small zone emphasis", "5QRC")
def small_zone_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij / j² / N_s."""
    return sparse.small_emphasis(zones)


@SIZE_ZONE.feature("lze", "Large zone emphasis", "48P8")
def large_zone_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij j² / N_s."""
    return sparse.large_emphasis(zones)


@SIZE_ZONE.feature("lgze", "Low grey level emphasis", "XMSY")
def low_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij / i² / N_s."""
    return sparse.low_level_emphasis(zones)


@SIZE_ZONE.feature("hgze", "High grey level emphasis", "5GN9")
def high_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij i² / N_s."""
    return sparse.high_level_emphasis(zones)


@SIZE_ZONE.feature("szlge", "Small zone low grey level emphasis", "5RAI")
def small_zone_low_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij / (i² j²) / N_s."""
    return sparse.small_low_level_emphasis(zones)


@SIZE_ZONE.feature("szhge", "Small zone high grey level emphasis", "HW1V")
def small_zone_high_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij i² / j² / N_s."""
    return sparse.small_high_level_emphasis(zones)


@SIZE_ZONE.feature("lzlge", "Large zone low grey level emphasis", "YH51")
def large_zone_low_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij j² / i² / N_s."""
    return sparse.large_low_level_emphasis(zones)


@SIZE_ZONE.feature("lzhge", "Large zone high grey level emphasis", "J17V")
def large_zone_high_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ s_ij i² j² / N_s."""
    return sparse.large_high_level_emphasis(zones)


@SIZE_ZONE.feature("glnu", "Grey level non-uniformity", "JNSA")
def grey_level_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_i (Σ_j s_ij)² / N_s."""
    return sparse.level_non_uniformity(zones)


@SIZE_ZONE.feature("glnu_norm", "Normalised grey level non-uniformity", "Y1RO")
def normalised_grey_level_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_i (Σ_j s_ij)² / N_s²."""
    return sparse.normalised_level_non_uniformity(zones)


@SIZE_ZONE.feature("zsnu", "Zone size non-uniformity", "4JP3")
def zone_size_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_j (Σ_i s_ij)² / N_s."""
    return sparse.extent_non_uniformity(zones)


@SIZE_ZONE.feature("zsnu_norm", "Normalised zone size non-uniformity", "VB3A")
def normalised_zone_size_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_j (Σ_i s_ij)² / N_s²."""
    return sparse.normalised_extent_non_uniformity(zones)


@SIZE_ZONE.feature("z_perc", "Zone percentage", "P30P")
def zone_percentage(zones: SparseMatrices) -> Floats:
    """N_s / N_v."""
    return sparse.percentage(zones)


@SIZE_ZONE.feature("gl_var", "Grey level variance", "BYLV")
def grey_level_variance(zones: SparseMatrices) -> Floats:
    """Σ p_ij (i − μ)², p_ij = s_ij / N_s, μ = Σ p_ij i."""
    return sparse.level_variance(zones)


@SIZE_ZONE.feature("zs_var", "Zone size variance", "3NSA")
def zone_size_variance(zones: SparseMatrices) -> Floats:
    """Σ p_ij (j − μ)², p_ij = s_ij / N_s, μ = Σ p_ij j."""
    return sparse.extent_variance(zones)


@SIZE_ZONE.feature("zs_entr", "Zone size entropy", "GU8N")
def zone_size_entropy(zones: SparseMatrices) -> Floats:
    """−Σ p_ij log₂ p_ij, p_ij = s_ij / N_s."""
    return sparse.entropy(zones)
