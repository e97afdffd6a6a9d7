"""Morphological features (IBSI HCUG): of the mesh and the voxels of the morphological mask, some with intensities.

A is the area of the mesh and V its volume; λ₁ ≥ λ₂ ≥ λ₃ are the principal moments of the n voxel centres (over n − 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radcurate.features.families.family import Family
from radcurate.features.families.statistics import intensities
from radcurate.features.hull import Hull, hull
from radcurate.features.kernels.mesh import RowSums, row_sums, weighted_row_sums
from radcurate.features.kernels.pairs import PairSums, pair_sums
from radcurate.features.mesh import Mesh, mesh
from radcurate.features.moments import Moments, moments
from radcurate.features.reasons import DIVISION_BY_ZERO, ONE_INTENSITY, ONE_LINE, ONE_PLANE
from radcurate.features.region import Region
from radcurate.features.resample import Floats

MORPHOLOGY = Family("morph", "Morphology", "HCUG", needs="morphology", on_responses=False)

# Terms of the series for an ellipsoid's area (IBSI reference manual).
SERIES = 20


@dataclass(frozen=True)
class Form:
    """A region, of which each part is measured when a feature first asks for it."""

    region: Region

    @property
    def spacing(self) -> tuple[float, float, float]:
        """In mm."""
        return self.region.prepared.spacing

    @cached_property
    def rows(self) -> RowSums:
        """Of the morphological mask."""
        return row_sums(self.region.prepared.morphology)

    @cached_property
    def mesh(self) -> Mesh:
        """Of the morphological mask."""
        return mesh(self.region.prepared.morphology, self.spacing)

    @cached_property
    def hull(self) -> Hull:
        """Of that mesh."""
        return hull(self.rows, self.spacing)

    @cached_property
    def moments(self) -> Moments:
        """Of the voxel centres of the morphological mask."""
        return moments(self.rows, self.spacing)

    @property
    def semi_axes(self) -> Floats:
        """2 √λ, falling, in mm: of the ellipsoid with these principal moments."""
        return np.asarray(2 * np.sqrt(self.moments.principal))

    @property
    def box(self) -> Floats:
        """Edges in mm of the mesh's box, whose faces lie half a voxel outside the outermost voxel centres."""
        filled = self.rows.inside > 0
        planes, rows = (np.flatnonzero(filled.any(axis=axis)) for axis in (1, 0))
        columns = [self.rows.first[filled].min(), self.rows.last[filled].max()]
        return np.array([ends[-1] - ends[0] + 1 for ends in (planes, rows, columns)]) * self.spacing

    @property
    def roundness(self) -> float:
        """36 π V² / A³: 1 for a sphere, less for everything else."""
        return 36 * np.pi * self.mesh.volume**2 / self.mesh.area**3

    @property
    def intensities(self) -> Floats:
        """Those of the intensity mask, shape (n,)."""
        return self.region.once(intensities)

    @property
    def weighted_centre(self) -> Floats:
        """Σ x c / Σ x over the voxel centres c of the intensity mask, in mm."""
        sums, column_sums = weighted_row_sums(self.region.prepared.values, self.region.prepared.intensity)
        planes, rows = (np.arange(n) for n in sums.shape)
        total = np.array([(planes * sums.sum(axis=1)).sum(), (rows * sums.sum(axis=0)).sum(), column_sums.sum()])
        return np.asarray(total / sums.sum() * self.spacing)

    @cached_property
    def pairs(self) -> PairSums:
        """Over pairs of voxels of the intensity mask, with y = (x − μ) / σ; all 0 where the intensities are equal."""
        x, prepared = self.intensities, self.region.prepared
        if x.min() == x.max():
            return PairSums(0.0, 0.0, 0.0)
        mean = float(x.mean())
        scale = 1 / float(np.sqrt(np.mean((x - mean) ** 2)))
        return pair_sums(prepared.values, prepared.intensity, self.spacing, mean, scale)


@MORPHOLOGY.computed_from
def source(region: Region, aggregation: str) -> Form:
    """The region itself."""
    return Form(region)


@MORPHOLOGY.feature("volume", "Volume (mesh)", "RNU0", "mm3")
def volume(form: Form) -> float:
    """V."""
    return form.mesh.volume


@MORPHOLOGY.feature("vol_approx", "Volume (voxel counting)", "YEKZ", "mm3")
def volume_by_counting(form: Form) -> float:
    """n · volume of a voxel."""
    return form.moments.n * float(np.prod(form.spacing))


@MORPHOLOGY.feature("area_mesh", "Surface area (mesh)", "C0JK", "mm2")
def area(form: Form) -> float:
    """A."""
    return form.mesh.area


@MORPHOLOGY.feature("av", "Surface to volume ratio", "2PR5", "1/mm")
def area_to_volume(form: Form) -> float:
    """A / V."""
    return form.mesh.area / form.mesh.volume


@MORPHOLOGY.feature("comp_1", "Compactness 1", "SKGS")
def compactness_1(form: Form) -> float:
    """V / (√π · A^(3/2))."""
    return float(np.sqrt(form.roundness) / (6 * np.pi))


@MORPHOLOGY.feature("comp_2", "Compactness 2", "BQWJ")
def compactness_2(form: Form) -> float:
    """36 π V² / A³."""
    return form.roundness


@MORPHOLOGY.feature("sph_dispr", "Spherical disproportion", "KRCK")
def spherical_disproportion(form: Form) -> float:
    """A / (36 π V²)^(1/3)."""
    return float(1 / np.cbrt(form.roundness))


@MORPHOLOGY.feature("sphericity", "Sphericity", "QCFX")
def sphericity(form: Form) -> float:
    """(36 π V²)^(1/3) / A."""
    return float(np.cbrt(form.roundness))


@MORPHOLOGY.feature("asphericity", "Asphericity", "25C7")
def asphericity(form: Form) -> float:
    """(A³ / (36 π V²))^(1/3) − 1."""
    return spherical_disproportion(form) - 1


@MORPHOLOGY.feature("com", "Centre of mass shift", "KLMA", "mm", needs="intensity", without=DIVISION_BY_ZERO)
def centre_of_mass_shift(form: Form) -> float:
    """‖mean of the n voxel centres − Σ x c / Σ x over the voxel centres c of the intensity mask‖."""
    return float(np.sqrt(((form.moments.centre - form.weighted_centre) ** 2).sum()))


@MORPHOLOGY.feature("diam", "Maximum 3D diameter", "L0JK", "mm")
def maximum_diameter(form: Form) -> float:
    """Largest distance between two vertices of the mesh."""
    return form.hull.diameter


@MORPHOLOGY.feature("pca_maj_axis", "Major axis length", "TDIC", "mm")
def major_axis(form: Form) -> float:
    """4 √λ₁."""
    return float(2 * form.semi_axes[0])


@MORPHOLOGY.feature("pca_min_axis", "Minor axis length", "P9VJ", "mm")
def minor_axis(form: Form) -> float:
    """4 √λ₂."""
    return float(2 * form.semi_axes[1])


@MORPHOLOGY.feature("pca_least_axis", "Least axis length", "7J51", "mm")
def least_axis(form: Form) -> float:
    """4 √λ₃."""
    return float(2 * form.semi_axes[2])


@MORPHOLOGY.feature("pca_elongation", "Elongation", "Q3CK")
def elongation(form: Form) -> float:
    """√(λ₂ / λ₁)."""
    return float(form.semi_axes[1] / form.semi_axes[0])


@MORPHOLOGY.feature("pca_flatness", "Flatness", "N17B")
def flatness(form: Form) -> float:
    """√(λ₃ / λ₁)."""
    return float(form.semi_axes[2] / form.semi_axes[0])


@MORPHOLOGY.feature("vol_dens_aabb", "Volume density (AABB)", "PBX1")
def volume_density_of_box(form: Form) -> float:
    """V / volume of the mesh's box along the axes."""
    return float(form.mesh.volume / form.box.prod())


@MORPHOLOGY.feature("area_dens_aabb", "Area density (AABB)", "R59B")
def area_density_of_box(form: Form) -> float:
    """A / area of the mesh's box along the axes."""
    edges = form.box
    return form.mesh.area / float(2 * (edges * np.roll(edges, 1)).sum())


@MORPHOLOGY.feature("vol_dens_aee", "Volume density (AEE)", "6BDE", without=ONE_PLANE)
def volume_density_of_ellipsoid(form: Form) -> float:
    """V / (4/3 π a b c), with the semi-axes 2 √λ."""
    return float(form.mesh.volume / (4 / 3 * np.pi * form.semi_axes.prod()))


@MORPHOLOGY.feature("area_dens_aee", "Area density (AEE)", "RDD2", without=ONE_LINE)
def area_density_of_ellipsoid(form: Form) -> float:
    """A / (4 π a b Σ_ν (α β)^ν / (1 − 4 ν²) · P_ν((α² + β²) / (2 α β))), ν = 0 … 20, α² = 1 − b²/a², β² = 1 − c²/a²."""
    a, b, c = form.semi_axes
    return float(form.mesh.area / ellipsoid_area(a, b, c))


def ellipsoid_area(a: float, b: float, c: float) -> float:
    """What the reference manual takes for the area of an ellipsoid with semi-axes a ≥ b ≥ c in mm.

    Its reference values rest on it, although α² = 1 − c²/a² and β² = 1 − c²/b² would give the true area. The terms
    (α β)^ν P_ν come from each other by P's own recurrence times (α β)^ν, which holds for α = 0, too.
    """
    alpha2, beta2 = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    middle, before, term = (alpha2 + beta2) / 2, 0.0, 1.0
    total = 0.0
    for nu in range(SERIES + 1):
        total += term / (1 - 4 * nu**2)
        before, term = term, ((2 * nu + 1) * middle * term - nu * alpha2 * beta2 * before) / (nu + 1)
    return 4 * np.pi * a * b * total


@MORPHOLOGY.feature("vol_dens_conv_hull", "Volume density (convex hull)", "R3ER")
def volume_density_of_hull(form: Form) -> float:
    """V / volume of the mesh's convex hull."""
    return form.mesh.volume / form.hull.volume


@MORPHOLOGY.feature("area_dens_conv_hull", "Area density (convex hull)", "7T7F")
def area_density_of_hull(form: Form) -> float:
    """A / area of the mesh's convex hull."""
    return form.mesh.area / form.hull.area


@MORPHOLOGY.feature("integ_int", "Integrated intensity", "99N0", "mm3 intensity", needs="intensity")
def integrated_intensity(form: Form) -> float:
    """V · mean of the intensities x of the intensity mask."""
    return form.mesh.volume * float(form.intensities.mean())


@MORPHOLOGY.feature("moran_i", "Moran's I index", "N365", needs="intensity", without=ONE_INTENSITY)
def moran_i(form: Form) -> float:
    """N / Σ w · Σ w (xᵢ − μ)(xⱼ − μ) / Σ (xᵢ − μ)², over pairs i ≠ j of the N voxels of the intensity mask; w = 1 / distance."""
    return float(np.float64(form.pairs.products) / form.pairs.weights)


@MORPHOLOGY.feature("geary_c", "Geary's C measure", "NPT7", needs="intensity", without=ONE_INTENSITY)
def geary_c(form: Form) -> float:
    """(N − 1) / (2 Σ w) · Σ w (xᵢ − xⱼ)² / Σ (xᵢ − μ)², over pairs i ≠ j as for Moran's I."""
    n, pairs = form.intensities.size, form.pairs
    return float((n - 1) / n * np.float64(pairs.squares - pairs.products) / pairs.weights)
