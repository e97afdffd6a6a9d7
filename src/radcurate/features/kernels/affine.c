/* Interpolation at the points of a grid that is shifted, and turned within its planes, in one step.

   A point of the new grid is told in index coordinates of the old one: `plane[i]` along the planes, and along rows and
   columns the sum of what the point's row and column add: `row` has the shape (2, rows), `column` (2, columns).
   Coordinates are clipped to the old grid, so beyond its outermost centres the outermost value holds.
   Each new plane first mixes the old planes that it lies between into a `sheet` of shape (n1, n2), then interpolates in
   it; a grid that is not turned gives the bits of an interpolation axis by axis. */
#include "kernels.h"

typedef struct {
    int64_t lower, upper;
    double share; /* of upper */
} Step;

static inline double clipped(double coordinate, int64_t size)
{
    double last = (double)(size - 1);
    return coordinate < 0 ? 0 : coordinate > last ? last : coordinate;
}

static inline Step step_at(double coordinate, int64_t size)
{
    coordinate = clipped(coordinate, size);
    int64_t lower = (int64_t)coordinate;
    Step step = {lower, lower + 1 < size ? lower + 1 : lower, coordinate - (double)lower};
    return step;
}

static inline double between(double low, double high, double share)
{
    return low * (1 - share) + high * share;
}

/* Whether two coordinates, and so all between them, have a voxel on either side. */
static inline int inside(double one, double other, int64_t size)
{
    double last = (double)(size - 1);
    return one >= 0 && other >= 0 && one < last && other < last;
}

static inline double in_square(const double *restrict near, int64_t n2, double row_share, double column_share)
{
    double front = between(near[0], near[n2], row_share), back = between(near[1], near[n2 + 1], row_share);
    return between(front, back, column_share);
}

/* old: (n0, n1, n2), new: (m0, m1, m2), sheet: (n1, n2) of any content. Along a row the coordinates rise or fall. */
EXPORT void affine_linear(const double *restrict old, int64_t n0, int64_t n1, int64_t n2, const double *restrict plane,
                          const double *restrict row, const double *restrict column, double *restrict new, int64_t m0,
                          int64_t m1, int64_t m2, double *restrict sheet)
{
    const double *restrict along = column, *restrict across = column + m2;
    for (int64_t i = 0; i < m0; i++) {
        Step a = step_at(plane[i], n0);
        const double *low = old + a.lower * n1 * n2, *high = old + a.upper * n1 * n2;
        for (int64_t place = 0; place < n1 * n2; place++)
            sheet[place] = between(low[place], high[place], a.share);
        for (int64_t j = 0; j < m1; j++, new += m2) {
            const double first = row[j], second = row[m1 + j];
            if (inside(first + along[0], first + along[m2 - 1], n1)
                && inside(second + across[0], second + across[m2 - 1], n2)) {
                for (int64_t k = 0; k < m2; k++) {
                    double y = first + along[k], x = second + across[k];
                    int32_t b = (int32_t)y, c = (int32_t)x;
                    new[k] = in_square(sheet + (int64_t)b * n2 + c, n2, y - b, x - c);
                }
                continue;
            }
            for (int64_t k = 0; k < m2; k++) {
                Step b = step_at(first + along[k], n1);
                Step c = step_at(second + across[k], n2);
                const double *near = sheet + b.lower * n2, *far = sheet + b.upper * n2;
                double front = between(near[c.lower], far[c.lower], b.share);
                double back = between(near[c.upper], far[c.upper], b.share);
                new[k] = between(front, back, c.share);
            }
        }
    }
}

EXPORT void affine_nearest(const double *old, int64_t n0, int64_t n1, int64_t n2, const double *plane,
                           const double *row, const double *column, double *new, int64_t m0, int64_t m1, int64_t m2)
{
    for (int64_t i = 0; i < m0; i++) {
        const double *sheet = old + (int64_t)(clipped(plane[i], n0) + 0.5) * n1 * n2;
        for (int64_t j = 0; j < m1; j++) {
            for (int64_t k = 0; k < m2; k++) {
                int64_t b = (int64_t)(clipped(row[j] + column[k], n1) + 0.5);
                int64_t c = (int64_t)(clipped(row[m1 + j] + column[m2 + k], n2) + 0.5);
                *new++ = sheet[b * n2 + c];
            }
        }
    }
}

/* Places and weights of four neighbours; those beyond the edge are mirrored about the outermost centres. keys: cubic
   convolution (Keys, a = -1/2), else: cubic B-spline, on coefficients. */
typedef struct {
    int64_t place[4];
    double weight[4];
} Taps;

static inline int64_t mirrored(int64_t place, int64_t size)
{
    if (size == 1)
        return 0;
    int64_t period = 2 * (size - 1);
    place = (place < 0 ? -place : place) % period;
    return place > size - 1 ? period - place : place;
}

static inline Taps taps_at(double coordinate, int64_t size, int64_t keys)
{
    Taps taps;
    coordinate = clipped(coordinate, size);
    int64_t lower = (int64_t)coordinate;
    double t = coordinate - (double)lower, u = 1 - t;
    if (keys) {
        taps.weight[0] = -0.5 * t * u * u;
        taps.weight[1] = 1 + t * t * (1.5 * t - 2.5);
        taps.weight[2] = 1 + u * u * (1.5 * u - 2.5);
        taps.weight[3] = -0.5 * u * t * t;
    } else {
        taps.weight[0] = u * u * u / 6;
        taps.weight[1] = 2.0 / 3 - t * t + t * t * t / 2;
        taps.weight[2] = 2.0 / 3 - u * u + u * u * u / 2;
        taps.weight[3] = t * t * t / 6;
    }
    for (int64_t tap = 0; tap < 4; tap++)
        taps.place[tap] = mirrored(lower + tap - 1, size);
    return taps;
}

EXPORT void affine_cubic(const double *old, int64_t n0, int64_t n1, int64_t n2, const double *plane,
                         const double *row, const double *column, double *new, int64_t m0, int64_t m1, int64_t m2,
                         double *sheet, int64_t keys)
{
    for (int64_t i = 0; i < m0; i++) {
        Taps a = taps_at(plane[i], n0, keys);
        const double *planes[4];
        for (int64_t tap = 0; tap < 4; tap++)
            planes[tap] = old + a.place[tap] * n1 * n2;
        for (int64_t place = 0; place < n1 * n2; place++)
            sheet[place] = a.weight[0] * planes[0][place] + a.weight[1] * planes[1][place]
                           + a.weight[2] * planes[2][place] + a.weight[3] * planes[3][place];
        for (int64_t j = 0; j < m1; j++) {
            for (int64_t k = 0; k < m2; k++) {
                Taps b = taps_at(row[j] + column[k], n1, keys);
                Taps c = taps_at(row[m1 + j] + column[m2 + k], n2, keys);
                double total = 0;
                for (int64_t q = 0; q < 4; q++) {
                    const double *line = sheet + b.place[q] * n2;
                    double sum = 0;
                    for (int64_t r = 0; r < 4; r++)
                        sum += c.weight[r] * line[c.place[r]];
                    total += b.weight[q] * sum;
                }
                *new++ = total;
            }
        }
    }
}
