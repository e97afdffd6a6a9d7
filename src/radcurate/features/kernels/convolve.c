/* Weighted sums of neighbours along one axis, with what IBSI-2 calls boundary conditions. */
#include "kernels.h"

enum { ZERO = 0, NEAREST = 1, PERIODIC = 2, MIRROR = 3 };

/* Columns that are worked on together: a strip of an array then stays in the caches, whatever the array's size. */
#define STRIP 64
/* Sums that are held in registers. */
#define BUNDLE 8

/* Where place i of a line of n voxels is found in it, i may lie outside; -1: nowhere, the value is zero. */
static int64_t place_inside(int64_t i, int64_t n, int boundary) {
    if (i >= 0 && i < n) return i;
    if (boundary == ZERO) return -1;
    if (boundary == NEAREST) return i < 0 ? 0 : n - 1;
    int64_t period = boundary == PERIODIC ? n : 2 * n;
    int64_t place = i % period;
    if (place < 0) place += period;
    return place < n ? place : period - 1 - place;
}

/* result[c] = sum of weights[k] * rows[k][c], added up in the order of k for every c: the same bits wherever c lies. */
static void add_rows(const double *const *rows, const double *weights, int64_t length, double *result, int64_t count) {
    int64_t c = 0;
    for (; c + BUNDLE <= count; c += BUNDLE) {
        double sums[BUNDLE] = {0};
        for (int64_t k = 0; k < length; k++) {
            const double *row = rows[k] + c;
            const double weight = weights[k];
            for (int lane = 0; lane < BUNDLE; lane++) sums[lane] += weight * row[lane];
        }
        for (int lane = 0; lane < BUNDLE; lane++) result[c + lane] = sums[lane];
    }
    for (; c < count; c++) {
        double sum = 0;
        for (int64_t k = 0; k < length; k++) sum += weights[k] * rows[k][c];
        result[c] = sum;
    }
}

/* result[i] = sum over k of weights[k] * values[start + i + first + k] along the middle axis of values, shape (before, n,
   after), for i < size; result has the shape (before, size, after).

   rows: room for length pointers; zeros: STRIP zeros; line: room for size + length doubles. */
EXPORT void convolve(const double *values, double *result, int64_t before, int64_t n, int64_t after,
                     const double *weights, int64_t length, int64_t first, int64_t boundary, int64_t start, int64_t size,
                     const double **rows, const double *zeros, double *line) {
    first += start;
    if (after == 1) {
        for (int64_t b = 0; b < before; b++) {
            const double *from = values + b * n;
            for (int64_t i = 0; i < size + length - 1; i++) {
                int64_t place = place_inside(i + first, n, (int)boundary);
                line[i] = place < 0 ? 0.0 : from[place];
            }
            for (int64_t k = 0; k < length; k++) rows[k] = line + k;
            add_rows(rows, weights, length, result + b * size, size);
        }
        return;
    }
    for (int64_t b = 0; b < before; b++) {
        const double *from = values + b * n * after;
        double *to = result + b * size * after;
        for (int64_t c = 0; c < after; c += STRIP) {
            int64_t count = after - c < STRIP ? after - c : STRIP;
            for (int64_t i = 0; i < size; i++) {
                for (int64_t k = 0; k < length; k++) {
                    int64_t place = place_inside(i + first + k, n, (int)boundary);
                    rows[k] = place < 0 ? zeros : from + place * after + c;
                }
                add_rows(rows, weights, length, to + i * after + c, count);
            }
        }
    }
}
