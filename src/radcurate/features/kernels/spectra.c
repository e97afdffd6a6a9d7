/* Products of complex numbers. NumPy's fuse multiplication and addition on processors that can, which changes the bits. */
#include "kernels.h"

/* result[p][k] = values[p][k] * factors[k], as pairs of real and imaginary part; result may be values. */
EXPORT void complex_products(const double *values, const double *factors, double *result, int64_t planes, int64_t n) {
    for (int64_t p = 0; p < planes; p++) {
        for (int64_t k = 0; k < n; k++) {
            const double real = values[2 * (p * n + k)], imaginary = values[2 * (p * n + k) + 1];
            const double re = factors[2 * k], im = factors[2 * k + 1];
            result[2 * (p * n + k)] = real * re - imaginary * im;
            result[2 * (p * n + k) + 1] = real * im + imaginary * re;
        }
    }
}
