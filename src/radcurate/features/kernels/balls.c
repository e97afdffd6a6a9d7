/* Sums over the ball around each voxel of a region. A ball is a stack of row segments, so with running sums along the
   rows each segment costs one difference, and neighbouring voxels of a row are done together. */
#include "kernels.h"

/* Rows of segments around one row of centres: to[i] - from[i] is the sum of a segment around centre i. */
typedef struct {
    const double *to, *from;
} Segment;

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

/* sums[i] += every segment's sum, four segments at a time so that sums[i] is loaded and stored less often. */
static void add_segments(const Segment *segments, int64_t n_segments, int64_t n, double *restrict sums)
{
    int64_t s = 0;
    for (; s + 4 <= n_segments; s += 4) {
        const double *a = segments[s].to, *b = segments[s + 1].to, *c = segments[s + 2].to, *d = segments[s + 3].to;
        const double *e = segments[s].from, *f = segments[s + 1].from, *g = segments[s + 2].from,
                     *h = segments[s + 3].from;
        for (int64_t i = 0; i < n; i++)
            sums[i] += ((a[i] - e[i]) + (b[i] - f[i])) + ((c[i] - g[i]) + (d[i] - h[i]));
    }
    for (; s < n_segments; s++) {
        const double *to = segments[s].to, *from = segments[s].from;
        for (int64_t i = 0; i < n; i++) sums[i] += to[i] - from[i];
    }
}

/* Sum of `values` and number of voxels of the ball around every true voxel of `mask`, one after the other.

   values   (planes, rows, columns), finite; size holds these three
   mask     (planes, rows, columns) of `box`, whose first voxel lies at `origin` in `values`
   half     (2 * reach[0] + 1, 2 * reach[1] + 1): half-width in voxels of the ball's segment there, -1 where it has none;
            none is wider than reach[2]
   running  scratch, (planes, rows, columns + 2 * reach[2] + 1)
   ones     scratch, (columns + 2 * reach[2] + 1)
   row      scratch, (2, columns)
   segments scratch, room for 2 * (2 * reach[0] + 1) * (2 * reach[1] + 1) Segments
   sums, counts  results, as many as there are true voxels */
EXPORT void ball_sums(const double *values, const int64_t *size, const uint8_t *mask, const int64_t *box,
                      const int64_t *origin, const int64_t *half, const int64_t *reach, double *running, double *ones,
                      double *row, void *segments, double *sums, double *counts)
{
    const int64_t columns = size[2], across = 2 * reach[1] + 1, length = columns + 2 * reach[2] + 1;
    double *row_sums = row, *row_counts = row + columns;
    Segment *found = segments, *shares = found + (2 * reach[0] + 1) * across;
    for (int64_t r = 0; r < size[0] * size[1]; r++)
        run_up(values + r * columns, columns, reach[2], running + r * length);
    for (int64_t c = 0; c < columns; c++) row[c] = 1.0;
    run_up(row, columns, reach[2], ones);
    for (int64_t plane = 0; plane < box[0]; plane++) {
        for (int64_t line = 0; line < box[1]; line++) {
            const uint8_t *inside = mask + (plane * box[1] + line) * box[2];
            int64_t first = 0, last = box[2];
            while (first < last && !inside[first]) first++;
            while (last > first && !inside[last - 1]) last--;
            if (first == last) continue;
            const int64_t n = last - first, start = origin[2] + first + reach[2];
            int64_t n_segments = 0;
            for (int64_t k = 0; k < (2 * reach[0] + 1) * across; k++) {
                const int64_t z = origin[0] + plane + k / across - reach[0];
                const int64_t y = origin[1] + line + k % across - reach[1];
                if (half[k] < 0 || z < 0 || z >= size[0] || y < 0 || y >= size[1]) continue;
                const double *here = running + (z * size[1] + y) * length + start;
                found[n_segments] = (Segment){here + half[k] + 1, here - half[k]};
                shares[n_segments++] = (Segment){ones + start + half[k] + 1, ones + start - half[k]};
            }
            for (int64_t i = 0; i < n; i++) row_sums[i] = row_counts[i] = 0.0;
            add_segments(found, n_segments, n, row_sums);
            if (start >= 2 * reach[2] && start + n <= columns) {
                /* no segment leaves the row: every ball has as many voxels */
                add_segments(shares, n_segments, 1, row_counts);
                for (int64_t i = 1; i < n; i++) row_counts[i] = row_counts[0];
            } else {
                add_segments(shares, n_segments, n, row_counts);
            }
            for (int64_t i = 0; i < n; i++) {
                if (!inside[first + i]) continue;
                *sums++ = row_sums[i];
                *counts++ = row_counts[i];
            }
        }
    }
}
