"""Grey level distance zone features (IBSI VMDZ): zones by how near they come to the edge of the morphological mask.

d_ij is the number of zones of grey level i and distance j, N_s the number of all zones, N_v of the voxels. The distance of
a zone is that of its nearest voxel: 1 at the edge, one more for each step over a face; in 2D and 2.5D within the plane.
"""

from __future__ import annotations

from radcurate.features.families import sparse
from radcurate.features.families.family import Family
from radcurate.features.families.sparse import SparseMatrices
from radcurate.features.families.zones import zone_matrices
from radcurate.features.region import Region
from radcurate.features.resample import Floats

DISTANCE_ZONE = Family("dzm", "Distance zone matrix", "VMDZ", ("2D", "2.5D", "3D"))


@DISTANCE_ZONE.computed_from
def source(region: Region, aggregation: str) -> SparseMatrices:
    """One matrix; in 2D one for each plane that holds a voxel."""
    return zone_matrices(region, aggregation).by_distance


@DISTANCE_ZONE.feature("sde", "Small distance emphasis", "0GBI")
def small_distance_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij / j² / N_s."""
    return sparse.small_emphasis(zones)


@DISTANCE_ZONE.feature("lde", "Large distance emphasis", "MB4I")
def large_distance_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij j² / N_s."""
    return sparse.large_emphasis(zones)


@DISTANCE_ZONE.feature("lgze", "Low grey level emphasis", "S1RA")
def low_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij / i² / N_s."""
    return sparse.low_level_emphasis(zones)


@DISTANCE_ZONE.feature("hgze", "High grey level emphasis", "K26C")
def high_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij i² / N_s."""
    return sparse.high_level_emphasis(zones)


@DISTANCE_ZONE.feature("sdlge", "Small distance low grey level emphasis", "RUVG")
def small_distance_low_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij / (i² j²) / N_s."""
    return sparse.small_low_level_emphasis(zones)


@DISTANCE_ZONE.feature("sdhge", "Small distance high grey level emphasis", "DKNJ")
def small_distance_high_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij i² / j² / N_s."""
    return sparse.small_high_level_emphasis(zones)


@DISTANCE_ZONE.feature("ldlge", "Large distance low grey level emphasis", "A7WM")
def large_distance_low_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij j² / i² / N_s."""
    return sparse.large_low_level_emphasis(zones)


@DISTANCE_ZONE.feature("ldhge", "Large distance high grey level emphasis", "KLTH")
def large_distance_high_grey_level_emphasis(zones: SparseMatrices) -> Floats:
    """Σ d_ij i² j² / N_s."""
    return sparse.large_high_level_emphasis(zones)


@DISTANCE_ZONE.feature("glnu", "Grey level non-uniformity", "VFT7")
def grey_level_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_i (Σ_j d_ij)² / N_s."""
    return sparse.level_non_uniformity(zones)


@DISTANCE_ZONE.feature("glnu_norm", "Normalised grey level non-uniformity", "7HP3")
def normalised_grey_level_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_i (Σ_j d_ij)² / N_s²."""
    return sparse.normalised_level_non_uniformity(zones)


@DISTANCE_ZONE.feature("zdnu", "Zone distance non-uniformity", "V294")
def zone_distance_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_j (Σ_i d_ij)² / N_s."""
    return sparse.extent_non_uniformity(zones)


@DISTANCE_ZONE.feature("zdnu_norm", "Normalised zone distance non-uniformity", "IATH")
def normalised_zone_distance_non_uniformity(zones: SparseMatrices) -> Floats:
    """Σ_j (Σ_i d_ij)² / N_s²."""
    return sparse.normalised_extent_non_uniformity(zones)


@DISTANCE_ZONE.feature("z_perc", "Zone percentage", "VIWW")
def zone_percentage(zones: SparseMatrices) -> Floats:
    """N_s / N_v."""
    return sparse.percentage(zones)


@DISTANCE_ZONE.feature("gl_var", "Grey level variance", "QK93")
def grey_level_variance(zones: SparseMatrices) -> Floats:
    """Σ p_ij (i − μ)², p_ij = d_ij / N_s, μ = Σ p_ij i."""
    return sparse.level_variance(zones)


@DISTANCE_ZONE.feature("zd_var", "Zone distance variance", "7WT1")
def zone_distance_variance(zones: SparseMatrices) -> Floats:
    """Σ p_ij (j − μ)², p_ij = d_ij / N_s, μ = Σ p_ij j."""
    return sparse.extent_variance(zones)


@DISTANCE_ZONE.feature("zd_entr", "Zone distance entropy", "GBDU")
def zone_distance_entropy(zones: SparseMatrices) -> Floats:
    """−Σ p_ij log₂ p_ij, p_ij = d_ij / N_s."""
    return sparse.entropy(zones)
