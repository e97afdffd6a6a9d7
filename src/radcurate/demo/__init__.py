"""The synthetic cohort that the demo and the tests run on."""

from radcurate.demo.cohort import make_cohort

__all__ = ["make_cohort"]
