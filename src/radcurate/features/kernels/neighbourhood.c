/* Who stands beside whom: pairs of levels by direction, and of each voxel how its level compares with those around it.

   `ranks` has the shape (planes + 2, rows + 2, columns + 2): 0 outside the region and in the margin of one voxel, else the
   level's rank from 1 to `n_ranks`. So every voxel has all its neighbours in memory, and none needs a question at a border. */
#include <string.h>

#include "directions.h"
#include "elementary.h"

/* Voxels whose pairs are named before they are counted: naming is done in vector registers, counting isn't. */
#define BLOCK 256
/* Cells with up to so many pairs are counted by their size first, so that each size costs one logarithm. */
#define COMMON 1024

/* Pairs of one matrix as an upper triangle, count[lower rank][higher rank]: in row 0, which nobody reads, those with the
   outside. `filled` lists the cells that aren't 0: while counting if `sparse`, else afterwards. */
typedef struct {
    int64_t side, n_filled;
    uint32_t *count, *filled;
} Table;

/* Count the pairs of two rows; names of pairs fit 16 bits here. */
static void count_narrow(const uint16_t *here, const uint16_t *there, int64_t n, Table *table)
{
    const uint16_t side = (uint16_t)table->side;
    uint16_t pair[BLOCK];
    for (int64_t start = 0; start < n; start += BLOCK) {
        const int64_t size = n - start < BLOCK ? n - start : BLOCK;
        for (int64_t i = 0; i < size; i++) {
            const uint16_t a = here[start + i], b = there[start + i];
            const uint16_t low = a < b ? a : b, high = a < b ? b : a;
            pair[i] = (uint16_t)(low * side + high);
        }
        for (int64_t i = 0; i < size; i++)
            table->count[pair[i]]++;
    }
}

/* The same for any number of ranks. */
static void count_wide(const uint16_t *here, const uint16_t *there, int64_t n, Table *table)
{
    for (int64_t i = 0; i < n; i++) {
        const uint16_t a = here[i], b = there[i];
        const uint16_t low = a < b ? a : b, high = a < b ? b : a;
        table->count[low * table->side + high]++;
    }
}

/* The same, and list cells with their first pair: where pairs are fewer than cells, looking through all cells is dear. */
static void count_sparsely(const uint16_t *here, const uint16_t *there, int64_t n, Table *table)
{
    for (int64_t i = 0; i < n; i++) {
        const uint16_t a = here[i], b = there[i];
        const uint16_t low = a < b ? a : b, high = a < b ? b : a;
        const uint32_t cell = (uint32_t)(low * table->side + high);
        if (!low)
            continue;
        table->filled[table->n_filled] = cell;
        table->n_filled += table->count[cell]++ == 0;
    }
}

static void list_filled(Table *table)
{
    table->n_filled = 0;
    for (int64_t low = 1; low < table->side; low++)
        for (int64_t cell = low * (table->side + 1); cell < (low + 1) * table->side; cell++)
            if (table->count[cell])
                table->filled[table->n_filled++] = (uint32_t)cell;
}

static void empty(Table *table, int sparse)
{
    if (sparse)
        for (int64_t at = 0; at < table->n_filled; at++)
            table->count[table->filled[at]] = 0;
    else
        memset(table->count, 0, (size_t)(table->side * table->side) * sizeof(uint32_t));
    table->n_filled = 0;
}

static void add(const Table *table, Table *merged, int sparse)
{
    if (sparse)
        for (int64_t at = 0; at < table->n_filled; at++) {
            const uint32_t cell = table->filled[at];
            if (!merged->count[cell])
                merged->filled[merged->n_filled++] = cell;
            merged->count[cell] += table->count[cell];
        }
    else
        for (int64_t cell = table->side; cell < table->side * table->side; cell++)
            merged->count[cell] += table->count[cell];
}

/* What features need of one symmetric matrix. Its entries are c / (2 * pairs), with c = 2 * pairs of a cell on the diagonal,
   and c = pairs of a cell beside it, which then stands for two. */
static void summarise(const Table *table, const int32_t *level, int64_t *pairs, int64_t *marginal, int64_t *difference,
                      int64_t *sum, double *joint)
{
    int64_t total = 0;
    for (int64_t at = 0; at < table->n_filled; at++)
        total += table->count[table->filled[at]];
    *pairs = total;
    if (!total)
        return;
    const double whole = 2.0 * (double)total;
    int64_t common[COMMON] = {0};
    uint64_t largest = 0;
    double squares = 0.0, entropy = 0.0;
    int64_t low = 0;
    for (int64_t at = 0; at < table->n_filled; at++) {
        const int64_t cell = table->filled[at];
        if (cell < low * table->side || cell >= (low + 1) * table->side)
            low = cell / table->side;
        const int64_t high = cell - low * table->side, found = table->count[cell];
        marginal[low - 1] += found;
        marginal[high - 1] += found;
        difference[level[high - 1] - level[low - 1]] += found;
        sum[level[high - 1] + level[low - 1]] += found;
        const uint64_t count = (uint64_t)(low == high ? 2 * found : found);
        const int64_t cells = low == high ? 1 : 2;
        if (count > largest)
            largest = count;
        if (count < COMMON) {
            common[count] += cells;
        } else {
            const double p = (double)count / whole;
            squares += (double)cells * p * p;
            entropy -= (double)cells * p * binary_logarithm(p);
        }
    }
    for (int64_t count = 1; count < COMMON; count++) {
        if (!common[count])
            continue;
        const double p = (double)count / whole;
        squares += (double)common[count] * p * p;
        entropy -= (double)common[count] * p * binary_logarithm(p);
    }
    joint[0] = (double)largest / whole;
    joint[1] = squares;
    joint[2] = entropy;
}

/* Where the ranks of a region lie in memory. */
typedef struct {
    const uint16_t *ranks;
    int64_t rows, columns, pitch, area;
} Layout;

/* Count the pairs of one direction from voxels of the planes `first` up to `end`. */
static void count_direction(const Layout *layout, int64_t first, int64_t end, Step step, int sparse, Table *table)
{
    const int64_t offset = step.plane * layout->area + step.row * layout->pitch + step.column;
    for (int64_t plane = first; plane < end; plane++)
        for (int64_t row = 0; row < layout->rows; row++) {
            const uint16_t *here = layout->ranks + (plane + 1) * layout->area + (row + 1) * layout->pitch + 1;
            const Span span = span_of(here, layout->columns);
            here += span.first;
            if (sparse)
                count_sparsely(here, here + offset, span.end - span.first, table);
            else if (table->side <= 256)
                count_narrow(here, here + offset, span.end - span.first, table);
            else
                count_wide(here, here + offset, span.end - span.first, table);
        }
}

/* Co-occurrences of each direction (the first `n_directions` of DIRECTIONS) and, last, of all of them together; for each plane
   by itself, or for all planes. `level` are the ranks' levels less the lowest one, of which `breadth` is the number up to the
   highest. Results, zero beforehand, have the shape (planes or 1, n_directions + 1, …): pairs (); marginal (n_ranks);
   difference (breadth); sum (2 * breadth - 1); joint (3): largest entry, sum of squares, entropy in bits.
   Room: `counts` for 2 tables of (n_ranks + 1)^2, zero beforehand; `filled` for 2 lists of `n_cells`, as many cells as can be
   filled, and one more each. `sparse`: there are far more cells than pairs. */
EXPORT void co_occurrences(const uint16_t *ranks, int64_t planes, int64_t rows, int64_t columns, int64_t n_ranks,
                           const int32_t *level, int64_t breadth, int64_t n_directions, int64_t by_plane,
                           int64_t sparse, uint32_t *counts, uint32_t *filled, int64_t n_cells, int64_t *pairs,
                           int64_t *marginal, int64_t *difference, int64_t *sum, double *joint)
{
    const Layout layout = {ranks, rows, columns, columns + 2, (rows + 2) * (columns + 2)};
    const int64_t side = n_ranks + 1;
    Table table = {side, 0, counts, filled}, merged = {side, 0, counts + side * side, filled + n_cells + 1};
    for (int64_t group = 0; group < (by_plane ? planes : 1); group++) {
        empty(&merged, (int)sparse);
        for (int64_t d = 0; d <= n_directions; d++) {
            Table *found = d < n_directions ? &table : &merged;
            if (d < n_directions) {
                empty(&table, (int)sparse);
                count_direction(&layout, by_plane ? group : 0, by_plane ? group + 1 : planes, DIRECTIONS[d],
                                (int)sparse, &table);
                add(&table, &merged, (int)sparse);
            }
            if (!sparse)
                list_filled(found);
            summarise(found, level, pairs, marginal, difference, sum, joint);
            pairs++;
            marginal += n_ranks;
            difference += breadth;
            sum += 2 * breadth - 1;
            joint += 3;
        }
    }
}

/* What lies around the voxels of one block of a row: by voxel, the sum of the neighbours' levels, their number, and how
   many voxels have the same rank as the one in the middle, itself among them. */
typedef struct {
    int32_t sum[BLOCK];
    uint16_t number[BLOCK];
    uint16_t same[BLOCK];
} Surroundings;

static void look_around(const uint16_t *here, const uint16_t *level, int64_t size, int64_t pitch, int64_t area,
                        int64_t flat, Surroundings *found)
{
    int32_t sum[BLOCK + 2] = {0};
    uint16_t number[BLOCK + 2] = {0};
    memset(found->same, 0, sizeof found->same);
    for (int64_t plane = flat ? 0 : -1; plane <= (flat ? 0 : 1); plane++) {
        for (int64_t row = -1; row <= 1; row++) {
            const uint16_t *there = here + plane * area + row * pitch;
            const uint16_t *values = level + plane * area + row * pitch;
            for (int64_t i = 0; i < size + 2; i++) sum[i] += values[i - 1];
            for (int64_t i = 0; i < size + 2; i++) number[i] = (uint16_t)(number[i] + (there[i - 1] != 0));
            for (int64_t i = 0; i < size; i++) {
                const uint16_t own = here[i];
                found->same[i] =
                    (uint16_t)(found->same[i] + (there[i - 1] == own) + (there[i] == own) + (there[i + 1] == own));
            }
        }
    }
    for (int64_t i = 0; i < size; i++) found->sum[i] = sum[i] + sum[i + 1] + sum[i + 2] - level[i];
    for (int64_t i = 0; i < size; i++) found->number[i] = (uint16_t)(number[i] + number[i + 1] + number[i + 2] - 1);
}

/* Tone differences and dependences; for each plane by itself (`by_plane`) or for all, with neighbours in the same plane only
   (`flat`) or in all directions. `level` has the shape of `ranks`: levels less a constant, 0 outside the region.
   Results, zero beforehand, have the shape (planes or 1, n_ranks, …): voxels (): those with a neighbour; distance (): sum of
   their distances from the mean of their neighbours; dependence (reach): number of voxels with 1, 2, … voxels of their own
   level around them, themselves among them, where reach is 9 if `flat`, else 27.
   Distances are summed as whole numbers by number of neighbours, in `parts` (n_ranks, reach): no order of voxels changes the
   result by a bit. */
EXPORT void neighbours(const uint16_t *ranks, const uint16_t *level, int64_t planes, int64_t rows, int64_t columns,
                       int64_t n_ranks, int64_t flat, int64_t by_plane, int64_t *parts, int64_t *voxels,
                       double *distance, int64_t *dependence)
{
    const int64_t pitch = columns + 2, area = (rows + 2) * pitch, reach = flat ? 9 : 27;
    Surroundings around;
    for (int64_t plane = 0; plane < planes; plane++) {
        if (by_plane && plane) {
            voxels += n_ranks;
            distance += n_ranks;
            dependence += n_ranks * reach;
        }
        for (int64_t row = 0; row < rows; row++) {
            const int64_t place = (plane + 1) * area + (row + 1) * pitch + 1;
            const Span span = span_of(ranks + place, columns);
            for (int64_t start = span.first; start < span.end; start += BLOCK) {
                const int64_t size = span.end - start < BLOCK ? span.end - start : BLOCK;
                const uint16_t *here = ranks + place + start, *values = level + place + start;
                look_around(here, values, size, pitch, area, flat, &around);
                for (int64_t i = 0; i < size; i++) {
                    if (!here[i]) continue;
                    const int64_t rank = here[i] - 1, number = around.number[i];
                    const int32_t numerator = (int32_t)(values[i] * number) - around.sum[i];
                    dependence[rank * reach + around.same[i] - 1]++;
                    parts[rank * reach + number] += numerator < 0 ? -numerator : numerator;
                    voxels[rank] += number != 0;
                }
            }
        }
        if (!by_plane && plane + 1 < planes) continue;
        for (int64_t rank = 0; rank < n_ranks; rank++) {
            for (int64_t number = 1; number < reach; number++) {
                distance[rank] += (double)parts[rank * reach + number] / (double)number;
                parts[rank * reach + number] = 0;
            }
            parts[rank * reach] = 0;
        }
    }
}
