"""Canaries: files of invented patients with identifiers planted wherever tools were seen to miss them.

They are rewritten and searched in every run like the files of real patients, and never released: what is left of them
tells whether the run can be trusted.

for specimen in specimens():
    cleaned = rewrite(specimen.data)
    left = [plant for plant in specimen.plants if is_in(plant.value, cleaned)]
"""

from radcurate.canary.corpus import specimens
from radcurate.canary.specimen import CATEGORIES, HIPAA, Kept, Plant, Specimen

__all__ = ["CATEGORIES", "HIPAA", "Kept", "Plant", "Specimen", "specimens"]
