/* Zones: voxels of one level that touch by a face, an edge or a corner, with how near they come to the edge of a mask. */
#include "directions.h"

static inline uint16_t smaller(uint16_t one, uint16_t other) { return one < other ? one : other; }

/* One sweep over the mask, each voxel learning from its neighbours before it: forward from the first voxel or backward
   from the last. Called with constants for in_space and forward. */
static inline void sweep(const uint8_t *mask, int64_t planes, int64_t rows, int64_t columns, int in_space, int forward,
                         uint16_t *distances)
{
    const int64_t width = columns + 2, of_plane = (rows + 2) * width, step = forward ? 1 : -1;
    for (int64_t line = 0; line < planes * rows; line++) {
        const int64_t at = forward ? line : planes * rows - 1 - line, plane = at / rows, row = at % rows;
        const uint8_t *inside = mask + at * columns;
        uint16_t *here = distances + (plane + 1) * of_plane + (row + 1) * width + 1, before = 0;
        for (int64_t k = 0; k < columns; k++) {
            const int64_t column = forward ? k : columns - 1 - k;
            if (!inside[column]) {
                before = 0;
                continue;
            }
            uint16_t least = smaller(before, here[column - step * width]);
            if (in_space)
                least = smaller(least, here[column - step * of_plane]);
            before = forward ? (uint16_t)(least + 1) : smaller(here[column], (uint16_t)(least + 1));
            here[column] = before;
        }
    }
}

/* Steps over faces from each voxel of the mask to the nearest one outside it: 1 at the edge. What lies beyond the box is
   outside. in_space: 1: faces towards other planes count too; 0: each plane by itself. distances: zeros, with one voxel of
   margin on every side. */
EXPORT void edge_distances(const uint8_t *mask, int64_t planes, int64_t rows, int64_t columns, int64_t in_space,
                           uint16_t *distances)
{
    if (in_space) {
        sweep(mask, planes, rows, columns, 1, 1, distances);
        sweep(mask, planes, rows, columns, 1, 0, distances);
    } else {
        sweep(mask, planes, rows, columns, 0, 1, distances);
        sweep(mask, planes, rows, columns, 0, 0, distances);
    }
}

/* Zones under construction. A zone is a tree of labels, its root the least of them; size and distance are what was added
   to a label itself until `gather`. */
typedef struct {
    int32_t *parent, *size;
    uint16_t *rank, *distance;
} Zones;

static inline int32_t root_of(int32_t *parent, int32_t label)
{
    while (parent[label] != label) {
        parent[label] = parent[parent[label]];
        label = parent[label];
    }
    return label;
}

static inline int32_t unite(int32_t *parent, int32_t one, int32_t other)
{
    if (one < other) {
        parent[other] = one;
        return one;
    }
    parent[one] = other;
    return other;
}

/* Adds every label to its root and moves the roots to the front of [first, end). Returns where they end. */
static int64_t gather(Zones zones, int64_t first, int64_t end)
{
    for (int64_t label = end - 1; label >= first; label--) {
        const int32_t parent = zones.parent[label];
        if (parent == label)
            continue;
        zones.size[parent] += zones.size[label];
        zones.distance[parent] = smaller(zones.distance[parent], zones.distance[label]);
    }
    int64_t kept = first;
    for (int64_t label = first; label < end; label++)
        if (zones.parent[label] == label) {
            zones.size[kept] = zones.size[label];
            zones.rank[kept] = zones.rank[label];
            zones.distance[kept++] = zones.distance[label];
        }
    return kept;
}

/* Neighbours that come before a voxel, in the order in which they are asked: those that touch most others first. */
typedef struct {
    int n;
    Step step[DIRECTIONS_IN_SPACE];
    uint32_t apart[DIRECTIONS_IN_SPACE]; /* bits of the neighbours that a neighbour doesn't touch */
} Neighbours;

static int touch(Step one, Step other)
{
    const int plane = one.plane - other.plane, row = one.row - other.row, column = one.column - other.column;
    return plane >= -1 && plane <= 1 && row >= -1 && row <= 1 && column >= -1 && column <= 1;
}

static Neighbours neighbours_before(int n)
{
    Neighbours result = {n, {{0, 0, 0}}, {0}};
    int taken = 0;
    for (int touched = n; touched > 0; touched--)
        for (int direction = 0; direction < n; direction++) {
            int count = 0;
            for (int other = 0; other < n; other++)
                count += touch(DIRECTIONS[direction], DIRECTIONS[other]);
            if (count == touched)
                result.step[taken++] = DIRECTIONS[direction];
        }
    for (int one = 0; one < n; one++)
        for (int other = 0; other < n; other++)
            result.apart[one] |= (uint32_t)!touch(result.step[one], result.step[other]) << other;
    return result;
}

/* Sets a bit of links[column] where the voxel before is of the same level. */
static void link_row(const uint16_t *restrict here, const uint16_t *restrict before, uint16_t bit,
                     uint16_t *restrict links, int64_t columns)
{
    for (int64_t column = 0; column < columns; column++)
        links[column] |= here[column] == before[column] ? bit : 0;
}

/* Zones of a region.

   ranks, distances: with one empty voxel of margin on every side of (planes, rows, columns); distances of edge_distances
   in_space: 1: zones reach over planes; 0: zones of every plane by itself
   links: room for columns
   labels: room for 2 x (rows + 2) x (columns + 2)
   parent, size, rank, distance: room for as many zones as the region has voxels; the last three are the result
   ends: number of zones found up to each plane's end (in space: of all for the last one)

   Returns the number of zones. */
EXPORT int64_t find_zones(const uint16_t *ranks, const uint16_t *distances, int64_t planes, int64_t rows,
                          int64_t columns, int64_t in_space, uint16_t *links, int32_t *labels, int32_t *parent,
                          int32_t *size, uint16_t *rank, uint16_t *distance, int64_t *ends)
{
    const int64_t width = columns + 2, of_plane = (rows + 2) * width;
    const Neighbours before = neighbours_before(in_space ? DIRECTIONS_IN_SPACE : DIRECTIONS_IN_PLANE);
    const Zones zones = {parent, size, rank, distance};
    int64_t first = 0, n = 0;
    for (int64_t plane = 0; plane < planes; plane++) {
        for (int64_t row = 0; row < rows; row++) {
            const int64_t offset = ((plane + 1) * (rows + 2) + row + 1) * width + 1;
            const uint16_t *here = ranks + offset, *distances_here = distances + offset;
            const Span span = span_of(here, columns);
            const int32_t *labels_before[DIRECTIONS_IN_SPACE];
            for (int64_t column = span.first; column < span.end; column++)
                links[column] = 0;
            for (int k = 0; k < before.n; k++) {
                const Step step = before.step[k];
                link_row(here + span.first,
                         here + span.first - (step.plane * (rows + 2) + step.row) * width - step.column,
                         (uint16_t)(1u << k), links + span.first, span.end - span.first);
                labels_before[k] =
                    labels + ((plane + step.plane) % 2) * of_plane + (row + 1 - step.row) * width + 1 - step.column;
            }
            int32_t *labels_here = labels + (plane % 2) * of_plane + (row + 1) * width + 1;
            for (int64_t column = span.first; column < span.end; column++) {
                if (!here[column])
                    continue;
                uint32_t same = links[column];
                int32_t label;
                if (!same) {
                    label = (int32_t)n++;
                    parent[label] = label;
                    size[label] = 1;
                    rank[label] = here[column];
                    distance[label] = distances_here[column];
                } else {
                    int k = __builtin_ctz(same);
                    label = root_of(parent, labels_before[k][column]);
                    same &= before.apart[k]; /* whoever touches that neighbour was united with it before */
                    while (same) {
                        k = __builtin_ctz(same);
                        const int32_t other = root_of(parent, labels_before[k][column]);
                        if (other != label)
                            label = unite(parent, label, other);
                        same &= before.apart[k];
                    }
                    size[label]++;
                    distance[label] = smaller(distance[label], distances_here[column]);
                }
                labels_here[column] = label;
            }
        }
        if (!in_space || plane == planes - 1)
            n = first = gather(zones, first, n);
        ends[plane] = n;
    }
    return n;
}
