/* What Moran's I and Geary's C need: sums over all pairs of voxels, weighted by the inverse of their distance. */
#include "kernels.h"

#include <string.h>

#define LANES 8
#define ALIGNED 64
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

/* cos and sin of 2 pi j / n, 0 <= 8 j <= n, by their series: libraries differ in the last bit between machines */
static void first_octant(int64_t j, int64_t n, double *cosine, double *sine) {
    const double angle = 2 * PI * (double)j / (double)n, square = angle * angle;
    double c = 1, s = 1;
    for (int k = 20; k > 0; k -= 2) {
        c = 1 - c * square / (double)((k - 1) * k);
        s = 1 - s * square / (double)(k * (k + 1));
    }
    *cosine = c;
    *sine = s * angle;
}

/* e^(-2 pi i j / n) for 0 <= j < n, from the octant that mirrors lead to */
static void turn_by(int64_t j, int64_t n, double *re, double *im) {
    const int64_t below = 2 * j > n, half = below ? n - j : j;     /* up to n / 2 */
    const int64_t left = 4 * half > n, twice = left ? n - 2 * half : 2 * half; /* of the angle; up to n / 2 */
    const int64_t steep = 4 * twice > n;
    double c, s;
    if (steep) {
        first_octant(n - 2 * twice, 4 * n, &s, &c);
    } else {
        first_octant(twice, 2 * n, &c, &s);
    }
    *re = left ? -c : c;
    *im = below ? s : -s;
}

#define REAL float
#define NAME(name) single_##name
#include "pairs_template.h"

#define REAL double
#define NAME(name) twofold_##name
#include "pairs_template.h"

/* Bytes that radcurate_pair_sums works in: up to about `most_bytes`, unless it needs more */
EXPORT int64_t radcurate_pair_sums_bytes(const int64_t *shape, int single, int64_t most_bytes) {
    const pairs_box box = {{shape[0], shape[1], shape[2]}};
    return ALIGNED + (single ? single_bytes(&box, most_bytes) : twofold_bytes(&box, most_bytes));
}

/* With y = (values - mean) * scale inside the mask and w = 1 / distance (0 for a voxel and itself), over pairs (i, j):
   sums = sum w y_i y_j, sum w, sum w y_i^2. `memory`: the bytes above. */
EXPORT void radcurate_pair_sums(const double *values, const int64_t *strides, const uint8_t *mask, const int64_t *shape,
                                const double *spacing, double mean, double scale, int single, char *memory,
                                int64_t bytes, double *sums) {
    const pairs_box box = {{shape[0], shape[1], shape[2]}};
    const pairs_data data = {values, {strides[0], strides[1]},          mask, mean, scale,
                             {spacing[0], spacing[1], spacing[2]}};
    char *aligned = memory + (ALIGNED - (uintptr_t)memory % ALIGNED) % ALIGNED;
    if (single) {
        single_pair_sums(&box, &data, aligned, bytes - ALIGNED, sums);
    } else {
        twofold_pair_sums(&box, &data, aligned, bytes - ALIGNED, sums);
    }
}
