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

/* One axis of a smooth field: for each voxel the node below and the weights of that node and the next one. */
typedef struct {
    const int64_t *node;
    const double *low, *high;
} Side;

static inline double mixed(const double *nodes, const Side *side, int64_t place)
{
    const double *first = nodes + side->node[place];
    return side->low[place] * first[0] + side->high[place] * first[1];
}

/* The depth of voxels that are less than `limit` from the boundary, moved by `size` times a field that is interpolated
   between `nodes` (c0, c1, c2) and cut off at `most`; one after the other in `levels`. Returns how many. */
EXPORT int64_t boundary_levels(const double *depth, int64_t n0, int64_t n1, int64_t n2, double limit, double size,
                               double most, const double *nodes, int64_t c1, int64_t c2, const int64_t *node0,
                               const double *low0, const double *high0, const int64_t *node1, const double *low1,
                               const double *high1, const int64_t *node2, const double *low2, const double *high2,
                               double *levels)
{
    const Side side = {node2, low2, high2};
    int64_t n = 0;
    for (int64_t i = 0; i < n0; i++) {
        for (int64_t j = 0; j < n1; j++) {
            const double *near = nodes + (node0[i] * c1 + node1[j]) * c2, *far = near + c1 * c2;
            for (int64_t k = 0; k < n2; k++, depth++) {
                if (fabs(*depth) >= limit)
                    continue;
                double front = low1[j] * mixed(near, &side, k) + high1[j] * mixed(near + c2, &side, k);
                double back = low1[j] * mixed(far, &side, k) + high1[j] * mixed(far + c2, &side, k);
                double field = low0[i] * front + high0[i] * back;
                field = field > most ? most : field < -most ? -most : field;
                levels[n++] = *depth + size * field;
            }
        }
    }
    return n;
}

/* mask: deeper than `limit`, or near the boundary with a level (in the order of `boundary_levels`) up to `threshold`. */
EXPORT void boundary_cut(const double *depth, int64_t size, double limit, const double *levels, double threshold,
                         uint8_t *mask)
{
    for (int64_t place = 0; place < size; place++)
        mask[place] = fabs(depth[place]) < limit ? *levels++ <= threshold : depth[place] < 0;
}
