/* Logarithm and exponential from sums and products alone. Those of C and NumPy libraries differ in the last bit between
   processors, whose widest instructions they pick while running; these give the same bits wherever arithmetic is IEEE 754. */
#ifndef RADCURATE_ELEMENTARY_H
#define RADCURATE_ELEMENTARY_H

#include "kernels.h"

/* log2 x for finite x > 0, right to 3 units in the last place: with x = 2^k m and m between sqrt(1/2) and sqrt(2), it is
   k + 2 / ln 2 artanh(s) where s = (m - 1) / (m + 1), of which artanh's series needs 12 terms. */
static inline double binary_logarithm(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752440) {
        m *= 2.0;
        exponent--;
    }
    const double s = (m - 1.0) / (m + 1.0), square = s * s;
    double series = 0.0;
    for (int term = 23; term > 1; term -= 2)
        series = (series + 1.0 / term) * square;
    const double scale = 2.88539008177792681472; /* 2 / ln 2 */
    return (double)exponent + (scale * s + scale * s * series);
}

/* e^x for |x| < 700, right to 2 units in the last place: with x = k ln 2 + r and |r| <= ln 2 / 2, it is 2^k e^r, of which
   e^r's series needs 14 terms. ln 2 comes in two parts, the first short enough for its product with k to be exact. */
static inline double exponential(double x)
{
    const double k = floor(x * 1.44269504088896340736 + 0.5);
    const double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
    double series = 1.0;
    for (int term = 14; term > 0; term--)
        series = 1.0 + series * r / term;
    return ldexp(series, (int)k);
}

#endif
