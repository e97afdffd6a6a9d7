/* The functions of elementary.h on arrays. */
#include "elementary.h"

EXPORT void binary_logarithms(const double *x, int64_t n, double *result)
{
    for (int64_t i = 0; i < n; i++)
        result[i] = binary_logarithm(x[i]);
}

EXPORT void exponentials(const double *x, int64_t n, double *result)
{
    for (int64_t i = 0; i < n; i++)
        result[i] = exponential(x[i]);
}
