"""The compiled library; see module.c."""
