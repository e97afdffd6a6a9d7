/* What geometry needs of a mask: kinds of cubes on its surface, ends of its rows, sums of coordinates, and of points:
   those on the hulls of their slices, and the two furthest apart. */
#include "kernels.h"

#include <string.h>

/* Count the cubes of 2 x 2 x 2 voxels by kind, the mask being padded by one voxel. Bit 4 p + 2 r + c of a kind tells
   whether the voxel (p, r, c) of the cube belongs to the mask. `places` (256, 3) are sums of cube coordinates. Kinds 0
   and 255 are left out. `scratch`: 2 columns + 16 bytes. */
EXPORT void radcurate_count_cubes(const uint8_t *mask, const int64_t *shape, uint8_t *scratch, int64_t *counts,
                                  int64_t *places) {
    const int64_t planes = shape[0], rows = shape[1], columns = shape[2];
    uint8_t *quads = scratch, *kinds = scratch + columns + 2;
    quads[0] = quads[columns + 1] = 0;
    for (int64_t plane = 0; plane <= planes; plane++) {
        for (int64_t row = 0; row <= rows; row++) {
            memset(quads + 1, 0, (size_t)columns);
            for (int corner = 0; corner < 4; corner++) {
                const int64_t p = plane - 1 + corner / 2, r = row - 1 + corner % 2;
                if (p < 0 || p >= planes || r < 0 || r >= rows) continue;
                const uint8_t *line = mask + (p * rows + r) * columns;
                for (int64_t c = 0; c < columns; c++) quads[c + 1] |= (uint8_t)(line[c] << (2 * corner));
            }
            for (int64_t c = 0; c <= columns; c++) kinds[c] = (uint8_t)(quads[c] | quads[c + 1] << 1);
            for (int64_t c = 0; c <= columns;) {
                uint64_t eight;
                if (c + 8 <= columns + 1 && (memcpy(&eight, kinds + c, 8), eight == 0 || eight == UINT64_MAX)) {
                    c += 8;
                    continue;
                }
                const int64_t stop = c + 8 <= columns + 1 ? c + 8 : columns + 1;
                for (; c < stop; c++) {
                    if (kinds[c] == 0 || kinds[c] == 255) continue;
                    counts[kinds[c]]++;
                    places[3 * kinds[c]] += plane;
                    places[3 * kinds[c] + 1] += row;
                    places[3 * kinds[c] + 2] += c;
                }
            }
        }
    }
}

/* Of every row (plane, row): how many voxels, the sums of their columns and squared columns, first and last column */
EXPORT void radcurate_row_sums(const uint8_t *mask, const int64_t *shape, int64_t *sums) {
    const int64_t lines = shape[0] * shape[1], columns = shape[2];
    for (int64_t line = 0; line < lines; line++, mask += columns, sums += 5) {
        const uint8_t *start = memchr(mask, 1, (size_t)columns);
        memset(sums, 0, 5 * sizeof(int64_t));
        if (!start) continue;
        const int64_t first = start - mask;
        int64_t last = columns - 1, inside = 0, sum = 0, square = 0;
        while (!mask[last]) last--;
        for (int64_t c = first; c <= last; c++) {
            inside += mask[c];
            sum += mask[c] * c;
            square += mask[c] * c * c;
        }
        sums[0] = inside;
        sums[1] = sum;
        sums[2] = square;
        sums[3] = first;
        sums[4] = last;
    }
}

/* Of every row: the sum of values inside the mask, and of value times column. Strides of planes and rows in values. */
EXPORT void radcurate_weighted_row_sums(const double *values, const int64_t *strides, const uint8_t *mask,
                                        const int64_t *shape, double *sums) {
    for (int64_t plane = 0; plane < shape[0]; plane++) {
        for (int64_t row = 0; row < shape[1]; row++, mask += shape[2], sums += 2) {
            const double *x = values + plane * strides[0] + row * strides[1];
            double sum = 0, moment = 0;
            for (int64_t c = 0; c < shape[2]; c++) {
                if (!mask[c]) continue;
                sum += x[c];
                moment += x[c] * (double)c;
            }
            sums[0] = sum;
            sums[1] = moment;
        }
    }
}

/* > 0 where o, a, b turn left in the plane of the second and third coordinate */
static int64_t turn(const int64_t *o, const int64_t *a, const int64_t *b) {
    return (a[1] - o[1]) * (b[2] - o[2]) - (a[2] - o[2]) * (b[1] - o[1]);
}

/* Mark the points (slice, u, v), in rising order, that are corners of the convex hull of their slice (Andrew's chains).
   `stack`: as many as there are points. */
EXPORT void radcurate_slice_corners(const int64_t *points, int64_t n, int64_t *stack, uint8_t *corners) {
    memset(corners, 0, (size_t)n);
    for (int64_t start = 0, stop; start < n; start = stop) {
        for (stop = start; stop < n && points[3 * stop] == points[3 * start];) stop++;
        for (int64_t sign = -1; sign <= 1; sign += 2) {
            int64_t height = 0;
            for (int64_t i = start; i < stop; i++) {
                while (height > 1 && sign * turn(points + 3 * stack[height - 2], points + 3 * stack[height - 1],
                                                 points + 3 * i) <= 0)
                    height--;
                stack[height++] = i;
            }
            while (height) corners[stack[--height]] = 1;
        }
    }
}

/* The largest squared distance between two of n points, given as n first, n second and n third coordinates */
EXPORT double radcurate_widest(const double *points, int64_t n) {
    const double *x = points, *y = points + n, *z = points + 2 * n;
    double widest[4] = {0, 0, 0, 0};
    for (int64_t i = 0; i < n; i++) {
        int64_t j = i + 1;
        for (; j + 4 <= n; j += 4) {
            for (int k = 0; k < 4; k++) {
                const double dx = x[j + k] - x[i], dy = y[j + k] - y[i], dz = z[j + k] - z[i];
                const double square = dx * dx + dy * dy + dz * dz;
                widest[k] = square > widest[k] ? square : widest[k];
            }
        }
        for (; j < n; j++) {
            const double dx = x[j] - x[i], dy = y[j] - y[i], dz = z[j] - z[i];
            const double square = dx * dx + dy * dy + dz * dz;
            widest[0] = square > widest[0] ? square : widest[0];
        }
    }
    for (int k = 1; k < 4; k++) widest[0] = widest[k] > widest[0] ? widest[k] : widest[0];
    return widest[0];
}
