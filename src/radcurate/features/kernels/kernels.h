/* What all kernels share. They are plain C on C-contiguous arrays of shape (plane, row, column), called through ctypes:
   no Python, no memory of their own unless a kernel says so, no global state. Callers check shapes. */
#ifndef RADCURATE_KERNELS_H
#define RADCURATE_KERNELS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

#endif
