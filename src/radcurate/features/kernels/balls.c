/* Sums over the ball around each voxel of a region. A ball is a stack of row segments, so with running sums along the
   rows each segment costs one difference, and neighbouring voxels of a row are done together. */
#include "kernels.h"

/* running[j] = sum of the first clip(j - reach, 0, n) values: segments that leave the image end where it ends. */
static void run_up(const double *values, int64_t n, int64_t reach, double *running)
{
    double total = 0.0;
    for (int64_t j = 0; j <= reach; j++) running[j] = 0.0;
    for (int64_t column = 0; column < n; column++) {
        total += values[column];
        running[reach + column + 1] = total;
    }
    for (int64_t j = reach + n + 1; j < n + 2 * reach + 1; j++) running[j] = total;
}

/* sums[i] += all rows of `running` together between i and i + 2 * half + 1: the sum of that many segments around centre i.
   Rows are first added up, four at a time so that `line` is loaded and stored less often. */
static void add_segments(const double *const *rows, int64_t n_rows, int64_t half, int64_t n, double *restrict line,
                         double *restrict sums)
{
    const int64_t length = n + 2 * half + 1;
    int64_t r = 0;
    for (int64_t j = 0; j < length; j++) line[j] = 0.0;
    for (; r + 4 <= n_rows; r += 4) {
        const double *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
        for (int64_t j = 0; j < length; j++) line[j] += (a[j] + b[j]) + (c[j] + d[j]);
    }
    for (; r < n_rows; r++) {
        const double *a = rows[r];
        for (int64_t j = 0; j < length; j++) line[j] += a[j];
    }
    for (int64_t i = 0; i < n; i++) sums[i] += line[i + 2 * half + 1] - line[i];
}

/* Sum of `values` and number of voxels of the ball around every true voxel of `mask`, one after the other.

   values   (planes, rows, columns), finite; size holds these three
   mask     (planes, rows, columns) of `box`, whose first voxel lies at `origin` in `values`
   segments (n_segments, 3): the ball's rows of voxels: planes and rows from its centre, half-width in columns; rising by
            half-width, none wider than `reach`
   running  scratch, (planes, rows, columns + 2 * reach + 1)
   scratch  (4, columns + 2 * reach + 1)
   places   scratch, room for n_segments pointers
   sums, counts  results, as many as there are true voxels */
EXPORT void ball_sums(const double *values, const int64_t *size, const uint8_t *mask, const int64_t *box,
                      const int64_t *origin, const int64_t *segments, int64_t n_segments, int64_t reach,
                      double *running, double *scratch, void *places, double *sums, double *counts)
{
    const int64_t columns = size[2], length = columns + 2 * reach + 1;
    double *ones = scratch, *line = ones + length, *row_sums = line + length, *row_counts = row_sums + length;
    const double **rows = places;
    for (int64_t r = 0; r < size[0] * size[1]; r++) run_up(values + r * columns, columns, reach, running + r * length);
    for (int64_t c = 0; c < columns; c++) line[c] = 1.0;
    run_up(line, columns, reach, ones);
    for (int64_t plane = 0; plane < box[0]; plane++) {
        for (int64_t row = 0; row < box[1]; row++) {
            const uint8_t *inside = mask + (plane * box[1] + row) * box[2];
            int64_t first = 0, last = box[2];
            while (first < last && !inside[first]) first++;
            while (last > first && !inside[last - 1]) last--;
            if (first == last) continue;
            const int64_t n = last - first, start = origin[2] + first + reach;
            /* where no segment leaves the row, every ball has as many voxels as the first one */
            const int64_t n_counts = start >= 2 * reach && start + n <= columns ? 1 : n;
            for (int64_t i = 0; i < n; i++) row_sums[i] = row_counts[i] = 0.0;
            for (int64_t s = 0; s < n_segments;) {
                const int64_t half = segments[3 * s + 2];
                int64_t n_rows = 0;
                for (; s < n_segments && segments[3 * s + 2] == half; s++) {
                    const int64_t z = origin[0] + plane + segments[3 * s], y = origin[1] + row + segments[3 * s + 1];
                    if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) continue;
                    rows[n_rows++] = running + (z * size[1] + y) * length + start - half;
                }
                add_segments(rows, n_rows, half, n, line, row_sums);
                const double *share = ones + start - half;
                for (int64_t i = 0; i < n_counts; i++) row_counts[i] += n_rows * (share[i + 2 * half + 1] - share[i]);
            }
            for (int64_t i = n_counts; i < n; i++) row_counts[i] = row_counts[0];
            for (int64_t i = 0; i < n; i++) {
                if (!inside[first + i]) continue;
                *sums++ = row_sums[i];
                *counts++ = row_counts[i];
            }
        }
    }
}
