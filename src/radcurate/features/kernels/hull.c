/* The convex hull of points with whole coordinates, by quickhull in exact arithmetic: no tolerance, the same everywhere.

   Every face keeps the points that see it from outside. While there are any, the one furthest off becomes a corner: the
   faces that it sees are taken away, and the hole is closed by triangles from its rim to the new corner. A face that a
   point only touches with its plane counts as not seen; so no triangle is ever flat, and large facets are several. */
#include "kernels.h"

#define NONE (-1)

typedef struct {
    int64_t corners[3];    /* against the clock, seen from outside */
    int64_t neighbours[3]; /* beyond the edge from corner i to corner i + 1 */
    int64_t seers;         /* first of the points that see it */
    int64_t seen;          /* in which round; NONE: not in use */
    int64_t waiting;       /* whether it is on the list of those to be looked at */
} hull_face;

typedef struct {
    const int64_t *points;
    hull_face *faces;
    int64_t n_faces;  /* in use, or used before */
    int64_t spare;    /* first face to use again, chained by `seers` */
    int64_t *chain;   /* point: the next one that sees the same face */
    int64_t *start_at; /* point: the edge of the rim that starts there */
    int64_t *waiting; /* faces to be looked at */
    int64_t n_waiting;
    int64_t *stack;   /* of one round: faces seen, edges of the rim, new faces */
} hull_work;

/* Six times the volume of the tetrahedron of a face and a point: > 0 where the point sees the face */
static int64_t above(const int64_t *points, const int64_t *corners, int64_t point) {
    const int64_t *a = points + 3 * corners[0], *p = points + 3 * point;
    int64_t u[3], v[3], w[3];
    for (int axis = 0; axis < 3; axis++) {
        u[axis] = points[3 * corners[1] + axis] - a[axis];
        v[axis] = points[3 * corners[2] + axis] - a[axis];
        w[axis] = p[axis] - a[axis];
    }
    return (u[1] * v[2] - u[2] * v[1]) * w[0] + (u[2] * v[0] - u[0] * v[2]) * w[1] + (u[0] * v[1] - u[1] * v[0]) * w[2];
}

static int64_t new_face(hull_work *work, int64_t a, int64_t b, int64_t c) {
    const int64_t before = work->n_faces;
    int64_t place = work->spare;
    if (place == NONE) {
        place = work->n_faces++;
    } else {
        work->spare = work->faces[place].seers;
    }
    hull_face *face = work->faces + place;
    const int64_t waiting = place < before ? face->waiting : 0;
    *face = (hull_face){{a, b, c}, {NONE, NONE, NONE}, NONE, 0, 1};
    if (!waiting) work->waiting[work->n_waiting++] = place;
    return place;
}

/* Give the points of a chain to the first of some faces that they see; the others lie inside */
static void share_out(hull_work *work, int64_t point, const int64_t *faces, int64_t n) {
    while (point != NONE) {
        const int64_t next = work->chain[point];
        for (int64_t i = 0; i < n; i++) {
            hull_face *face = work->faces + faces[i];
            if (above(work->points, face->corners, point) <= 0) continue;
            work->chain[point] = face->seers;
            face->seers = point;
            break;
        }
        point = next;
    }
}

static int64_t furthest(const hull_work *work, const hull_face *face) {
    int64_t best = face->seers, most = 0;
    for (int64_t point = face->seers; point != NONE; point = work->chain[point]) {
        const int64_t height = above(work->points, face->corners, point);
        if (height > most || (height == most && point < best)) {
            most = height;
            best = point;
        }
    }
    return best;
}

/* Two points that differ, one off their line, one off their plane; 0 where all points lie in a plane */
static int first_corners(const int64_t *points, int64_t n, int64_t *corners) {
    int64_t most = 0;
    corners[0] = 0;
    for (int64_t i = 1; i < n; i++) {
        int64_t square = 0;
        for (int axis = 0; axis < 3; axis++) {
            const int64_t step = points[3 * i + axis] - points[axis];
            square += step * step;
        }
        if (square > most) {
            most = square;
            corners[1] = i;
        }
    }
    if (!most) return 0;
    most = 0;
    for (int64_t i = 1; i < n; i++) {
        int64_t u[3], v[3], size = 0;
        for (int axis = 0; axis < 3; axis++) {
            u[axis] = points[3 * corners[1] + axis] - points[axis];
            v[axis] = points[3 * i + axis] - points[axis];
        }
        for (int axis = 0; axis < 3; axis++) {
            const int64_t part = u[(axis + 1) % 3] * v[(axis + 2) % 3] - u[(axis + 2) % 3] * v[(axis + 1) % 3];
            size += part < 0 ? -part : part;
        }
        if (size > most) {
            most = size;
            corners[2] = i;
        }
    }
    if (!most) return 0;
    most = 0;
    for (int64_t i = 1; i < n; i++) {
        const int64_t height = above(points, corners, i), size = height < 0 ? -height : height;
        if (size > most) {
            most = size;
            corners[3] = i;
        }
    }
    if (most && above(points, corners, corners[3]) > 0) {
        const int64_t swap = corners[1];
        corners[1] = corners[2];
        corners[2] = swap;
    }
    return most > 0;
}

static void tetrahedron(hull_work *work, const int64_t *c, int64_t n) {
    const int64_t faces[4] = {new_face(work, c[0], c[1], c[2]), new_face(work, c[0], c[3], c[1]),
                              new_face(work, c[1], c[3], c[2]), new_face(work, c[2], c[3], c[0])};
    for (int i = 0; i < 3; i++) {
        work->faces[faces[0]].neighbours[i] = faces[1 + i];
        work->faces[faces[1 + i]].neighbours[2] = faces[0];
        work->faces[faces[1 + i]].neighbours[0] = faces[1 + (i + 2) % 3];
        work->faces[faces[1 + i]].neighbours[1] = faces[1 + (i + 1) % 3];
    }
    for (int64_t i = 0; i < n; i++) work->chain[i] = i + 1 < n ? i + 1 : NONE;
    share_out(work, 0, faces, 4);
}

/* Take away what `point` sees, from `face` on, and close the hole. */
static void add_corner(hull_work *work, int64_t face, int64_t point, int64_t round) {
    int64_t n_seen = 1, seers = NONE, rim = NONE;
    work->stack[0] = face;
    work->faces[face].seen = round;
    for (int64_t i = 0; i < n_seen; i++) {
        const hull_face *seen = work->faces + work->stack[i];
        for (int edge = 0; edge < 3; edge++) {
            hull_face *beyond = work->faces + seen->neighbours[edge];
            if (beyond->seen == round) continue;
            if (above(work->points, beyond->corners, point) > 0) {
                beyond->seen = round;
                work->stack[n_seen++] = seen->neighbours[edge];
            }
        }
    }
    /* the edges of the rim: where each ends, and the face beyond it */
    int64_t n_rim = 0;
    int64_t *const ends = work->stack + n_seen;
    for (int64_t i = 0; i < n_seen; i++) {
        const hull_face *seen = work->faces + work->stack[i];
        for (int edge = 0; edge < 3; edge++) {
            if (work->faces[seen->neighbours[edge]].seen == round) continue;
            rim = seen->corners[edge];
            work->start_at[rim] = n_rim;
            ends[2 * n_rim] = seen->corners[(edge + 1) % 3];
            ends[2 * n_rim + 1] = seen->neighbours[edge];
            n_rim++;
        }
    }
    for (int64_t i = 0; i < n_seen; i++) {
        hull_face *seen = work->faces + work->stack[i];
        for (int64_t p = seen->seers, next; p != NONE; p = next) {
            next = work->chain[p];
            if (p == point) continue;
            work->chain[p] = seers;
            seers = p;
        }
        seen->seen = NONE;
        seen->seers = work->spare;
        work->spare = work->stack[i];
    }
    int64_t first = NONE, before = NONE, corner = rim, n_new = 0;
    int64_t *const made = ends + 2 * n_rim;
    for (; n_new < n_rim; n_new++) {
        const int64_t *end = ends + 2 * work->start_at[corner];
        const int64_t place = new_face(work, corner, end[0], point);
        hull_face *beyond = work->faces + end[1];
        for (int edge = 0; edge < 3; edge++)
            if (beyond->corners[edge] == end[0] && beyond->corners[(edge + 1) % 3] == corner)
                beyond->neighbours[edge] = place;
        work->faces[place].neighbours[0] = end[1];
        work->faces[place].neighbours[2] = before;
        if (before == NONE) {
            first = place;
        } else {
            work->faces[before].neighbours[1] = place;
        }
        made[n_new] = place;
        before = place;
        corner = end[0];
    }
    work->faces[before].neighbours[1] = first;
    work->faces[first].neighbours[2] = before;
    share_out(work, seers, made, n_new);
}

/* The triangles of the hull of n points (point, 3), as places of their corners. `triangles`: 3 * 2 n; `faces`: 9 * 2 n;
   `scratch`: 9 n. Returns how many triangles there are; 0 where all points lie in a plane. */
EXPORT int64_t radcurate_hull(const int64_t *points, int64_t n, int64_t *triangles, int64_t *faces, int64_t *scratch) {
    int64_t corners[4] = {0, 0, 0, 0};
    if (n < 4 || !first_corners(points, n, corners)) return 0;
    hull_work work = {points, (hull_face *)faces, 0, NONE, scratch, scratch + n, scratch + 2 * n, 0, scratch + 4 * n};
    tetrahedron(&work, corners, n);
    int64_t round = 0;
    while (work.n_waiting) {
        const int64_t place = work.waiting[--work.n_waiting];
        hull_face *face = work.faces + place;
        face->waiting = 0;
        if (face->seen != NONE && face->seers != NONE) add_corner(&work, place, furthest(&work, face), ++round);
    }
    int64_t found = 0;
    for (int64_t face = 0; face < work.n_faces; face++) {
        if (work.faces[face].seen == NONE) continue;
        for (int i = 0; i < 3; i++) triangles[3 * found + i] = work.faces[face].corners[i];
        found++;
    }
    return found;
}
