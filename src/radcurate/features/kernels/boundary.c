/* Depth of voxels below the boundary of a mask, exact up to a limit.

   All passes work on signed squared distances to the nearest voxel of the other kind: positive outside the mask, negative
   inside. For a voxel outside, a voxel x steps away that is outside too is as good as its own distance, and one inside
   is at distance 0: max(0, value); for a voxel inside max(0, -value). */
#include "kernels.h"

#define FAR 1e30f

/* Signed squared distance within a line to the nearest voxel of the other kind; `square[k]`: squared length of k steps. */
static void along_line(const uint8_t *mask, int64_t n, const float *square, int64_t reach, float *line)
{
    int64_t since = reach + 1;
    for (int64_t k = 0; k < n; k++) {
        since = k > 0 && mask[k] != mask[k - 1] ? 1 : since + 1;
        line[k] = since <= reach ? square[since] : FAR;
    }
    since = reach + 1;
    for (int64_t k = n - 1; k >= 0; k--) {
        since = k + 1 < n && mask[k] != mask[k + 1] ? 1 : since + 1;
        float back = since <= reach ? square[since] : FAR;
        float least = back < line[k] ? back : line[k];
        line[k] = mask[k] ? -least : least;
    }
}

/* n lines of `length` floats, `stride` floats apart; line j + k adds square[|k|]. */
static void across_lines(const float *old, float *new, int64_t n, int64_t stride, int64_t length, const float *square,
                         int64_t reach)
{
    for (int64_t j = 0; j < n; j++) {
        const float *own = old + j * stride;
        float *to = new + j * stride;
        for (int64_t c = 0; c < length; c++)
            to[c] = own[c] < 0 ? -own[c] : own[c];
        int64_t first = j - reach < 0 ? 0 : j - reach, last = j + reach >= n ? n - 1 : j + reach;
        for (int64_t other = first; other <= last; other++) {
            const float *from = old + other * stride;
            float more = square[other < j ? j - other : other - j];
            if (other == j)
                continue;
            for (int64_t c = 0; c < length; c++) {
                float same = own[c] < 0 ? -from[c] : from[c];
                float candidate = (same > 0 ? same : 0) + more;
                to[c] = candidate < to[c] ? candidate : to[c];
            }
        }
        for (int64_t c = 0; c < length; c++)
            to[c] = own[c] < 0 ? -to[c] : to[c];
    }
}

/* depth: signed distance in mm less `half` to the nearest voxel of the other kind; infinite beyond `limit` mm. No
   coordinate may differ by more than reach0, reach1, reach2 steps; square0..2: squared lengths of 0..reach steps.
   mask, work and depth have the shape (n0, n1, n2). */
EXPORT void boundary_depths(const uint8_t *mask, int64_t n0, int64_t n1, int64_t n2, const float *square0,
                            int64_t reach0, const float *square1, int64_t reach1, const float *square2,
                            int64_t reach2, float limit, float half, float *work, float *depth)
{
    for (int64_t line = 0; line < n0 * n1; line++)
        along_line(mask + line * n2, n2, square2, reach2, depth + line * n2);
    for (int64_t i = 0; i < n0; i++)
        across_lines(depth + i * n1 * n2, work + i * n1 * n2, n1, n2, n2, square1, reach1);
    for (int64_t j = 0; j < n1; j++)
        across_lines(work + j * n2, depth + j * n2, n0, n1 * n2, n2, square0, reach0);
    for (int64_t place = 0; place < n0 * n1 * n2; place++) {
        float distance = sqrtf(fabsf(depth[place]));
        distance = distance > limit ? INFINITY : distance - half;
        depth[place] = mask[place] ? -distance : distance;
    }
}
