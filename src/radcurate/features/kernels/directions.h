/* The 13 directions in space, the first four of which lie in a plane; their opposites are the neighbours before a voxel
   in memory. Volumes of ranks have one empty voxel of margin on every side, so that every voxel has all neighbours. */
#ifndef RADCURATE_DIRECTIONS_H
#define RADCURATE_DIRECTIONS_H

#include "kernels.h"

enum { DIRECTIONS_IN_SPACE = 13, DIRECTIONS_IN_PLANE = 4 };

typedef struct {
    int plane, row, column;
} Step;

static const Step DIRECTIONS[DIRECTIONS_IN_SPACE] = {
    {0, 0, 1}, {0, 1, -1}, {0, 1, 0}, {0, 1, 1}, {1, -1, -1}, {1, -1, 0}, {1, -1, 1},
    {1, 0, -1}, {1, 0, 0}, {1, 0, 1}, {1, 1, -1}, {1, 1, 0}, {1, 1, 1},
};

/* Where the region begins and ends in a row: columns before `first` and from `end` on are outside. */
typedef struct {
    int64_t first, end;
} Span;

static inline Span span_of(const uint16_t *ranks, int64_t columns)
{
    Span span = {0, columns};
    while (span.first < columns && !ranks[span.first])
        span.first++;
    while (span.end > span.first && !ranks[span.end - 1])
        span.end--;
    return span;
}

#endif
