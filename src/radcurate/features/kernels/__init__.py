"""Loops over voxels, compiled with the installation from the C files beside this one and called through ctypes.

Each C file has a Python module of the same name with its typed functions; nothing else calls C. Compiling ahead means
that no process waits for a compiler, and baseline instructions give the same bits on every machine of an architecture.
"""
