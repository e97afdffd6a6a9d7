/* What Moran's I and Geary's C need: sums over all pairs of voxels, weighted by the inverse of their distance. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#define LANES 8
#define PI 3.14159265358979323846

typedef struct {
    int64_t shape[3];
} pairs_box;

typedef struct {
    const double *values;
    int64_t strides[2]; /* of planes and rows of values, in values */
    const uint8_t *mask;
    double mean, scale, spacing[3];
} pairs_data;

/* The least number from n on without prime factors above 5 */
static int64_t smooth(int64_t n) {
    for (;; n++) {
        int64_t rest = n;
        while (rest % 2 == 0) rest /= 2;
        while (rest % 3 == 0) rest /= 3;
        while (rest % 5 == 0) rest /= 5;
        if (rest == 1) return n;
    }
}

#define REAL float
#define NAME(name) single_##name
#include "pairs_template.h"

#define REAL double
#define NAME(name) twofold_##name
#include "pairs_template.h"

/* With y = (values - mean) * scale inside the mask and w = 1 / distance (0 for a voxel and itself), over pairs (i, j):
   sums = sum w y_i y_j, sum w, sum w y_i^2. Holds up to about `most_bytes`, unless one block needs more.
   Returns 1 where memory is missing. */
EXPORT int radcurate_pair_sums(const double *values, const int64_t *strides, const uint8_t *mask, const int64_t *shape,
                               const double *spacing, double mean, double scale, int single, int64_t most_bytes,
                               double *sums) {
    const pairs_box box = {{shape[0], shape[1], shape[2]}};
    const pairs_data data = {values, {strides[0], strides[1]},          mask, mean, scale,
                             {spacing[0], spacing[1], spacing[2]}};
    return single ? single_pair_sums(&box, &data, most_bytes, sums) : twofold_pair_sums(&box, &data, most_bytes, sums);
}
