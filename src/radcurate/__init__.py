"""radcurate: from a hospital's DICOM export to a radiomics data set that may be shared, or a refusal with reasons."""

from importlib.metadata import version

__version__ = version("radcurate")
