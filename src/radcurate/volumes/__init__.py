"""Images and masks as arrays on a grid."""
