"""Remove the scanner's accent from features: ComBat, with what is biological kept."""
