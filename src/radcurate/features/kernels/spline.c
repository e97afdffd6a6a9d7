/* Coefficients of the cubic B-spline that goes through given values: M. Unser, A. Aldroubi, M. Eden, B-spline signal
   processing (1993). A recursive filter forward and backward along each axis; the values are taken as mirrored about the
   outermost ones. Neighbouring lines are filtered side by side, so that the recursion's waiting time is put to use. */
#include "kernels.h"

#define POLE (-0.26794919243112270647) /* sqrt(3) - 2 */
#define GAIN 6.0                       /* (1 - pole)(1 - 1/pole) */
#define MOST_TERMS 64                  /* pole^64 is 2e-37: nothing beside the first term */
#define LANES 32

/* The sum over the mirrored line of pole^k value_k, which starts the recursion; value k of a lane is at k * stride. */
static void start(const double *lines, int64_t n, int64_t stride, int64_t lanes, double *into) {
    const int64_t terms = n < MOST_TERMS ? n : MOST_TERMS;
    const double round = pow(POLE, (double)(2 * n - 2));
    for (int64_t lane = 0; lane < lanes; lane++) into[lane] = lines[lane];
    double forth = 1.0;
    for (int64_t k = 1; k < terms; k++) {
        forth *= POLE;
        const double weight = k == n - 1 ? forth : forth + round / forth;
        const double *values = lines + k * stride;
        for (int64_t lane = 0; lane < lanes; lane++) into[lane] += weight * values[lane];
    }
    for (int64_t lane = 0; lane < lanes; lane++) into[lane] /= 1.0 - round;
}

static void filter(double *lines, int64_t n, int64_t stride, int64_t lanes) {
    double first[LANES];
    start(lines, n, stride, lanes, first);
    for (int64_t lane = 0; lane < lanes; lane++) lines[lane] = GAIN * first[lane];
    for (int64_t k = 1; k < n; k++) {
        double *here = lines + k * stride;
        const double *before = here - stride;
        for (int64_t lane = 0; lane < lanes; lane++) here[lane] = GAIN * here[lane] + POLE * before[lane];
    }
    double *last = lines + (n - 1) * stride;
    for (int64_t lane = 0; lane < lanes; lane++)
        last[lane] = POLE / (POLE * POLE - 1.0) * (last[lane] + POLE * last[lane - stride]);
    for (int64_t k = n - 2; k >= 0; k--) {
        double *here = lines + k * stride;
        const double *after = here + stride;
        for (int64_t lane = 0; lane < lanes; lane++) here[lane] = POLE * (after[lane] - here[lane]);
    }
}

/* Neighbouring lines are `stride` values long steps apart from place to place and lie side by side: width of them. */
static void filter_all(double *lines, int64_t n, int64_t stride, int64_t width) {
    for (int64_t lane = 0; lane < width; lane += LANES)
        filter(lines + lane, n, stride, width - lane < LANES ? width - lane : LANES);
}

/* values: (planes, rows, columns), becomes the coefficients along `axis` in place; n > 1 values along it;
   scratch: columns x LANES. */
EXPORT void spline_coefficients(double *values, int64_t planes, int64_t rows, int64_t columns, int64_t axis,
                                double *scratch) {
    if (axis == 0) filter_all(values, planes, rows * columns, rows * columns);
    if (axis == 1)
        for (int64_t plane = 0; plane < planes; plane++)
            filter_all(values + plane * rows * columns, rows, columns, columns);
    if (axis == 2)
        for (int64_t first = 0; first < planes * rows; first += LANES) {
            const int64_t lanes = planes * rows - first < LANES ? planes * rows - first : LANES;
            double *block = values + first * columns;
            for (int64_t lane = 0; lane < lanes; lane++)
                for (int64_t k = 0; k < columns; k++) scratch[k * lanes + lane] = block[lane * columns + k];
            filter(scratch, columns, lanes, lanes);
            for (int64_t lane = 0; lane < lanes; lane++)
                for (int64_t k = 0; k < columns; k++) block[lane * columns + k] = scratch[k * lanes + lane];
        }
}
