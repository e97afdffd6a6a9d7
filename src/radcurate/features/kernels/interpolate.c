/* Separable interpolation of an image onto a grid: each new value is a weighted sum of voxels along each axis.

   An axis of the grid is a table of `taps` places and weights per grid point. A grid plane is made from its places'
   planes first, then each grid row from the rows of that, then each grid value from the values of that; so nothing
   larger than one plane of the image is kept in between. */
#include "kernels.h"

typedef struct {
    int64_t size, taps;
    const int64_t *places;
    const double *weights;
} Axis;

/* into[i] = sum over taps of weight x lines[place x stride + i], for i < n; the first tap is assigned, not added, so
   that a single tap of weight 1 copies. */
static void blend(const double *lines, int64_t stride, const Axis *axis, int64_t point, double *into, int64_t n) {
    const int64_t *places = axis->places + point * axis->taps;
    const double *weights = axis->weights + point * axis->taps;
    for (int64_t tap = 0; tap < axis->taps; tap++) {
        const double *line = lines + places[tap] * stride;
        const double weight = weights[tap];
        if (tap == 0)
            for (int64_t i = 0; i < n; i++) into[i] = weight * line[i];
        else
            for (int64_t i = 0; i < n; i++) into[i] += weight * line[i];
    }
}

static void gather(const double *line, const Axis *axis, double *into) {
    const int64_t *places = axis->places;
    const double *weights = axis->weights;
    for (int64_t point = 0; point < axis->size; point++) {
        double sum = weights[0] * line[places[0]];
        for (int64_t tap = 1; tap < axis->taps; tap++) sum += weights[tap] * line[places[tap]];
        into[point] = sum;
        places += axis->taps;
        weights += axis->taps;
    }
}

/* in: (.., rows_in, columns_in); out: (plane.size, row.size, column.size);
   scratch: rows_in x columns_in + columns_in values. */
#define INTERPOLATE(NAME, TYPE)                                                                                       \
    EXPORT void NAME(const TYPE *in, int64_t rows_in, int64_t columns_in,                                             \
                     int64_t n_planes, int64_t plane_taps, const int64_t *plane_places, const double *plane_weights,  \
                     int64_t n_rows, int64_t row_taps, const int64_t *row_places, const double *row_weights,          \
                     int64_t n_columns, int64_t column_taps, const int64_t *column_places,                            \
                     const double *column_weights, double *scratch, double *out) {                                    \
        const Axis row = {n_rows, row_taps, row_places, row_weights};                                                 \
        const Axis column = {n_columns, column_taps, column_places, column_weights};                                  \
        const int64_t area = rows_in * columns_in;                                                                    \
        double *line = scratch + area;                                                                                \
        for (int64_t p = 0; p < n_planes; p++) {                                                                      \
            for (int64_t tap = 0; tap < plane_taps; tap++) {                                                          \
                const TYPE *plane = in + plane_places[p * plane_taps + tap] * area;                                   \
                const double weight = plane_weights[p * plane_taps + tap];                                            \
                if (tap == 0)                                                                                         \
                    for (int64_t i = 0; i < area; i++) scratch[i] = weight * (double)plane[i];                        \
                else                                                                                                  \
                    for (int64_t i = 0; i < area; i++) scratch[i] += weight * (double)plane[i];                       \
            }                                                                                                         \
            for (int64_t r = 0; r < n_rows; r++) {                                                                    \
                blend(scratch, columns_in, &row, r, line, columns_in);                                                \
                gather(line, &column, out + (p * n_rows + r) * n_columns);                                            \
            }                                                                                                         \
        }                                                                                                             \
    }

INTERPOLATE(interpolate_bytes, uint8_t)
INTERPOLATE(interpolate_shorts, int16_t)
INTERPOLATE(interpolate_floats, float)
INTERPOLATE(interpolate_doubles, double)
