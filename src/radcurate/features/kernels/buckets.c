/* Values sorted into buckets of equal width, so that single order statistics are found without sorting everything. */
#include "kernels.h"

/* Bucket of a value. Each step keeps the order of values (or makes them equal), so the order of buckets is theirs. */
static inline int64_t bucket_of(double value, double least, double scale, int64_t n_buckets)
{
    const int64_t bucket = (int64_t)((value - least) * scale);
    return bucket < n_buckets ? bucket : n_buckets - 1;
}

/* counts[b] = how many of the n values, none of them below `least`, lie in bucket b. */
EXPORT void count_buckets(const double *values, int64_t n, double least, double scale, int64_t n_buckets,
                          int64_t *counts)
{
    for (int64_t b = 0; b < n_buckets; b++) counts[b] = 0;
    for (int64_t i = 0; i < n; i++) counts[bucket_of(values[i], least, scale, n_buckets)]++;
}

/* Values of the buckets with next[b] >= 0, written to `gathered` from place next[b] on; moves next[b] to their end. */
EXPORT void gather_buckets(const double *values, int64_t n, double least, double scale, int64_t n_buckets,
                           int64_t *next, double *gathered)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t bucket = bucket_of(values[i], least, scale, n_buckets);
        if (next[bucket] >= 0) gathered[next[bucket]++] = values[i];
    }
}
