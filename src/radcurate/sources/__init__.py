"""Where an export comes from when it is no plain folder: archives, media with a DICOMDIR, a DICOMweb server."""
