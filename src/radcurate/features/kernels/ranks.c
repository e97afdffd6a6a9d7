/* Grey levels that a region really has, numbered from 1 without gaps: what runs and zones are searched in. */
#include "kernels.h"

/* Sets is_used[level] to 1 for every level among the voxels. */
EXPORT void mark_levels(const int32_t *levels, int64_t n_voxels, uint8_t *is_used)
{
    for (int64_t voxel = 0; voxel < n_voxels; voxel++)
        is_used[levels[voxel]] = 1;
}

/* Fills the inside of `ranks`, which has one voxel of margin on every side, with rank_of[level]. */
EXPORT void rank_levels(const int32_t *levels, int64_t planes, int64_t rows, int64_t columns, const uint16_t *rank_of,
                        uint16_t *ranks)
{
    for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t row = 0; row < rows; row++) {
            const int32_t *from = levels + (plane * rows + row) * columns;
            uint16_t *to = ranks + ((plane + 1) * (rows + 2) + row + 1) * (columns + 2) + 1;
            for (int64_t column = 0; column < columns; column++)
                to[column] = rank_of[from[column]];
        }
}
