/* Runs of equal levels, counted by level and length in every direction at once.

   Each voxel is the first, second, third … of its run; which one follows from the voxel before it, without a branch. The
   number of voxels of a level that are the n-th of their run is the number of runs of at least n voxels, so a table of
   places gives the number of runs of every length by subtraction, and no run is ever walked along. */
#include <string.h>

#include "directions.h"

/* Counts of all directions of a level and place are neighbours in memory: one cache line. */
enum { STRIDE = 16 };

/* Which of its run each voxel of a row is, from the voxel before it in another row. `same` has all bits or none. */
static void follow(const uint16_t *restrict here, const uint16_t *restrict before,
                   const uint16_t *restrict place_before, uint16_t *restrict place, int64_t columns)
{
    for (int64_t column = 0; column < columns; column++) {
        const uint16_t same = (uint16_t)-(here[column] == before[column]);
        place[column] = (uint16_t)((place_before[column] & same) + 1);
    }
}

/* The same where the voxel before it is in the row itself. */
static void follow_row(const uint16_t *here, uint16_t *place, int64_t columns)
{
    uint16_t current = 0;
    for (int64_t column = 0; column < columns; column++) {
        const uint16_t same = (uint16_t)-(here[column] == here[column - 1]);
        place[column] = current = (uint16_t)((current & same) + 1);
    }
}

/* Adds the voxels of a row to the table; always called with a constant number of directions. */
static inline void count_row(const uint16_t *here, const uint16_t *place, int64_t width, Span span, int64_t n_places,
                             int n_directions, uint32_t *table)
{
    for (int64_t column = span.first; column < span.end; column++) {
        if (!here[column])
            continue;
        uint32_t *of_level = table + (here[column] - 1) * n_places * STRIDE;
        for (int direction = 0; direction < n_directions; direction++)
            of_level[(place[direction * width + column] - 1) * STRIDE + direction]++;
    }
}

/* Turns the table into a list of (matrix, rank, length, number of runs), sorted by rank, length and matrix, and empties
   it. The matrix of a direction is first_matrix + direction. Returns the length of the list, -1 where it has no room. */
static int64_t list_runs(uint32_t *table, int64_t n_levels, int64_t n_places, int n_directions, int64_t first_matrix,
                         int64_t (*list)[4], int64_t room)
{
    int64_t n = 0;
    for (int64_t level = 0; level < n_levels; level++)
        for (int64_t place = 0; place < n_places - 1; place++) {
            uint32_t *at_least = table + (level * n_places + place) * STRIDE;
            const uint32_t *longer = at_least + STRIDE;
            uint32_t any = 0;
            for (int direction = 0; direction < n_directions; direction++) {
                any |= at_least[direction];
                if (at_least[direction] == longer[direction])
                    continue;
                if (n == room)
                    return -1;
                list[n][0] = first_matrix + direction;
                list[n][1] = level + 1;
                list[n][2] = place + 1;
                list[n++][3] = at_least[direction] - longer[direction];
            }
            if (!any)
                break;
            memset(at_least, 0, STRIDE * sizeof *at_least);
        }
    return n;
}

/* Runs of a region.

   ranks: with one empty voxel of margin on every side of (planes, rows, columns)
   n_directions: 13 in space, 4 in the planes
   by_plane: matrices of every plane with a voxel, one after the other; else one per direction for all planes
   places: room for 2 x (rows + 2) x 13 x (columns + 2)
   table: n_levels x n_places x 16 zeros, n_places = 1 + the longest side
   list: see list_runs

   Returns the length of the list, -1 where it has no room. */
EXPORT int64_t count_runs(const uint16_t *ranks, int64_t planes, int64_t rows, int64_t columns, int64_t n_levels,
                          int64_t n_directions, int64_t by_plane, uint16_t *places, int64_t n_places, uint32_t *table,
                          int64_t *list, int64_t room)
{
    const int64_t width = columns + 2, of_row = DIRECTIONS_IN_SPACE * width, of_plane = (rows + 2) * of_row;
    int64_t n = 0, first_matrix = 0;
    for (int64_t plane = 0; plane < planes; plane++) {
        for (int64_t row = 0; row < rows; row++) {
            const uint16_t *here = ranks + ((plane + 1) * (rows + 2) + row + 1) * width + 1;
            const Span span = span_of(here, columns);
            const int64_t length = span.end - span.first;
            if (!length)
                continue;
            uint16_t *place = places + (plane % 2) * of_plane + (row + 1) * of_row + 1;
            follow_row(here + span.first, place + span.first, length);
            for (int direction = 1; direction < n_directions; direction++) {
                const Step step = DIRECTIONS[direction];
                const int64_t row_before = row - step.row, shift = span.first - step.column;
                const uint16_t *before = here - (step.plane * (rows + 2) + step.row) * width;
                const uint16_t *place_before =
                    places + ((plane + step.plane) % 2) * of_plane + (row_before + 1) * of_row + direction * width + 1;
                follow(here + span.first, before + shift, place_before + shift,
                       place + direction * width + span.first, length);
            }
            if (n_directions == DIRECTIONS_IN_SPACE)
                count_row(here, place, width, span, n_places, DIRECTIONS_IN_SPACE, table);
            else
                count_row(here, place, width, span, n_places, DIRECTIONS_IN_PLANE, table);
        }
        if (by_plane || plane == planes - 1) {
            const int64_t found = list_runs(table, n_levels, n_places, (int)n_directions, first_matrix,
                                            (int64_t(*)[4])(list) + n, room - n);
            if (found < 0)
                return -1;
            n += found;
            first_matrix += found ? n_directions : 0;
        }
    }
    return n;
}
