/* What Moran's I and Geary's C need: sums over all pairs of voxels, weighted by the inverse of their distance.

   With weights w = 1 / distance, sums such as sum_ij w_ij y_i y_j are (1 / K) sum_k |Y_k|^2 W_k over the K frequencies of
   transforms twice as long as the data, so that no pair meets another one round the corner. Nothing is padded: the even
   frequencies of the double length are the transform of the data, the odd ones that of the data turned by half a step.
   Lines are transformed LANES at a time, side by side. Data are real, so only half of the frequencies along columns are
   kept; each block of LANES of them is then finished on its own, so memory is bounded by the blocks held at once. */
#include "kernels.h"

#include <string.h>

#define LANES 8
#define ALIGNED 64
#define PI 3.14159265358979323846

typedef struct {
    int64_t shape[3];
} Box;

typedef struct {
    const double *values;
    int64_t strides[2]; /* of planes and rows of values, in values */
    const uint8_t *mask;
    double mean, scale, spacing[3];
} Data;

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

typedef double Vector __attribute__((vector_size(16)));
#define PARTS ((int)(LANES * sizeof(double) / 16))
#define WIDTH ((int)(16 / sizeof(double)))

/* LANES complex numbers, and LANES real ones */
typedef struct {
    Vector re[PARTS], im[PARTS];
} Bunch;
typedef struct {
    Vector re[PARTS];
} Reals;

/* How to transform a line of n; turns[j] = e^(-2 pi i j / n), halves[j] = e^(-pi i j / n) as (re, im) */
typedef struct {
    int64_t n;
    int radices[64];
    double *turns, *halves;
} Plan;

static void plan_make(Plan *plan, int64_t n, double *memory) {
    plan->n = n;
    plan->turns = memory;
    plan->halves = memory + 2 * n;
    for (int64_t j = 0; j < n; j++) {
        double re, im;
        turn_by(j, 2 * n, &re, &im);
        plan->halves[2 * j] = re;
        plan->halves[2 * j + 1] = im;
        turn_by(j, n, &re, &im);
        plan->turns[2 * j] = re;
        plan->turns[2 * j + 1] = im;
    }
    int found = 0;
    for (; n % 4 == 0; n /= 4) plan->radices[found++] = 4;
    for (; n % 2 == 0; n /= 2) plan->radices[found++] = 2;
    for (; n % 3 == 0; n /= 3) plan->radices[found++] = 3;
    for (; n % 5 == 0; n /= 5) plan->radices[found++] = 5;
    plan->radices[found] = 0;
}

/* One pass of Stockham's transform: `length` is what is left to do, `done` how often; y = x in new order */
#define TURN(k) const double c##k = turns[2 * (k) * p * done], s##k = turns[2 * (k) * p * done + 1];
static void pass2(int64_t length, int64_t done, const double *turns, const Bunch *x, Bunch *y) {
    const int64_t part = length / 2;
    for (int64_t p = 0; p < part; p++) {
        TURN(1)
        for (int64_t q = 0; q < done; q++) {
            const Bunch *a = x + q + done * p, *b = a + done * part;
            Bunch *out = y + q + done * 2 * p;
            for (int h = 0; h < PARTS; h++) {
                out[0].re[h] = a->re[h] + b->re[h];
                out[0].im[h] = a->im[h] + b->im[h];
                Vector r = a->re[h] - b->re[h], i = a->im[h] - b->im[h];
                out[done].re[h] = r * c1 - i * s1;
                out[done].im[h] = r * s1 + i * c1;
            }
        }
    }
}

static void pass3(int64_t length, int64_t done, const double *turns, const Bunch *x, Bunch *y) {
    const int64_t part = length / 3;
    const double half = 0.5, sine = 0.86602540378443864676;
    for (int64_t p = 0; p < part; p++) {
        TURN(1) TURN(2)
        for (int64_t q = 0; q < done; q++) {
            const Bunch *a = x + q + done * p, *b = a + done * part, *c = b + done * part;
            Bunch *out = y + q + done * 3 * p;
            for (int h = 0; h < PARTS; h++) {
                Vector sr = b->re[h] + c->re[h], si = b->im[h] + c->im[h];
                Vector dr = (b->re[h] - c->re[h]) * sine, di = (b->im[h] - c->im[h]) * sine;
                Vector mr = a->re[h] - sr * half, mi = a->im[h] - si * half;
                out[0].re[h] = a->re[h] + sr;
                out[0].im[h] = a->im[h] + si;
                Vector r1 = mr + di, i1 = mi - dr, r2 = mr - di, i2 = mi + dr;
                out[done].re[h] = r1 * c1 - i1 * s1;
                out[done].im[h] = r1 * s1 + i1 * c1;
                out[2 * done].re[h] = r2 * c2 - i2 * s2;
                out[2 * done].im[h] = r2 * s2 + i2 * c2;
            }
        }
    }
}

static void pass4(int64_t length, int64_t done, const double *turns, const Bunch *x, Bunch *y) {
    const int64_t part = length / 4;
    for (int64_t p = 0; p < part; p++) {
        TURN(1) TURN(2) TURN(3)
        for (int64_t q = 0; q < done; q++) {
            const Bunch *a = x + q + done * p, *b = a + done * part, *c = b + done * part, *d = c + done * part;
            Bunch *out = y + q + done * 4 * p;
            for (int h = 0; h < PARTS; h++) {
                Vector acr = a->re[h] + c->re[h], aci = a->im[h] + c->im[h];
                Vector bdr = b->re[h] + d->re[h], bdi = b->im[h] + d->im[h];
                Vector acr_ = a->re[h] - c->re[h], aci_ = a->im[h] - c->im[h];
                Vector bdr_ = b->re[h] - d->re[h], bdi_ = b->im[h] - d->im[h];
                Vector r1 = acr_ + bdi_, i1 = aci_ - bdr_, r3 = acr_ - bdi_, i3 = aci_ + bdr_;
                Vector r2 = acr - bdr, i2 = aci - bdi;
                out[0].re[h] = acr + bdr;
                out[0].im[h] = aci + bdi;
                out[done].re[h] = r1 * c1 - i1 * s1;
                out[done].im[h] = r1 * s1 + i1 * c1;
                out[2 * done].re[h] = r2 * c2 - i2 * s2;
                out[2 * done].im[h] = r2 * s2 + i2 * c2;
                out[3 * done].re[h] = r3 * c3 - i3 * s3;
                out[3 * done].im[h] = r3 * s3 + i3 * c3;
            }
        }
    }
}

static void pass5(int64_t length, int64_t done, const double *turns, const Bunch *x, Bunch *y) {
    const int64_t part = length / 5;
    const double cos1 = 0.30901699437494742410, cos2 = -0.80901699437494742410;
    const double sin1 = 0.95105651629515357212, sin2 = 0.58778525229247312917;
    for (int64_t p = 0; p < part; p++) {
        TURN(1) TURN(2) TURN(3) TURN(4)
        for (int64_t q = 0; q < done; q++) {
            const Bunch *a = x + q + done * p;
            const Bunch *b = a + done * part, *c = b + done * part, *d = c + done * part, *e = d + done * part;
            Bunch *out = y + q + done * 5 * p;
            for (int h = 0; h < PARTS; h++) {
                Vector ber = b->re[h] + e->re[h], bei = b->im[h] + e->im[h];
                Vector ber_ = b->re[h] - e->re[h], bei_ = b->im[h] - e->im[h];
                Vector cdr = c->re[h] + d->re[h], cdi = c->im[h] + d->im[h];
                Vector cdr_ = c->re[h] - d->re[h], cdi_ = c->im[h] - d->im[h];
                out[0].re[h] = a->re[h] + ber + cdr;
                out[0].im[h] = a->im[h] + bei + cdi;
                Vector m1r = a->re[h] + ber * cos1 + cdr * cos2, m1i = a->im[h] + bei * cos1 + cdi * cos2;
                Vector m2r = a->re[h] + ber * cos2 + cdr * cos1, m2i = a->im[h] + bei * cos2 + cdi * cos1;
                Vector d1r = ber_ * sin1 + cdr_ * sin2, d1i = bei_ * sin1 + cdi_ * sin2;
                Vector d2r = ber_ * sin2 - cdr_ * sin1, d2i = bei_ * sin2 - cdi_ * sin1;
                Vector r1 = m1r + d1i, i1 = m1i - d1r, r4 = m1r - d1i, i4 = m1i + d1r;
                Vector r2 = m2r + d2i, i2 = m2i - d2r, r3 = m2r - d2i, i3 = m2i + d2r;
                out[done].re[h] = r1 * c1 - i1 * s1;
                out[done].im[h] = r1 * s1 + i1 * c1;
                out[2 * done].re[h] = r2 * c2 - i2 * s2;
                out[2 * done].im[h] = r2 * s2 + i2 * c2;
                out[3 * done].re[h] = r3 * c3 - i3 * s3;
                out[3 * done].im[h] = r3 * s3 + i3 * c3;
                out[4 * done].re[h] = r4 * c4 - i4 * s4;
                out[4 * done].im[h] = r4 * s4 + i4 * c4;
            }
        }
    }
}

/* Transform `line` (n bunches); the result is where the returned pointer says, in `line` or in `other` */
static Bunch *transform(const Plan *plan, Bunch *line, Bunch *other) {
    int64_t length = plan->n, done = 1;
    for (const int *radix = plan->radices; *radix; radix++) {
        switch (*radix) {
        case 2: pass2(length, done, plan->turns, line, other); break;
        case 3: pass3(length, done, plan->turns, line, other); break;
        case 4: pass4(length, done, plan->turns, line, other); break;
        default: pass5(length, done, plan->turns, line, other);
        }
        length /= *radix;
        done *= *radix;
        Bunch *swap = line;
        line = other;
        other = swap;
    }
    return line;
}

/* Into `line`, n of them and zeros behind: data that lie `stride` apart; for odd frequencies turned by half a step */
static void fetch(const Plan *plan, const Bunch *data, int64_t n, int64_t stride, int odd, Bunch *line) {
    for (int64_t j = 0; j < n; j++) {
        const Bunch *from = data + j * stride;
        if (!odd) {
            line[j] = *from;
            continue;
        }
        const double c = plan->halves[2 * j], s = plan->halves[2 * j + 1];
        for (int h = 0; h < PARTS; h++) {
            Vector re = from->re[h], im = from->im[h];
            line[j].re[h] = re * c - im * s;
            line[j].im[h] = re * s + im * c;
        }
    }
    memset(line + n, 0, (size_t)(plan->n - n) * sizeof(Bunch));
}

/* The same for a line of the even weights, lags 0 to n: `first` becomes the real part, `second` the imaginary one. Its
   transform is real, so that both lines come out apart. */
static void fetch_even(const Plan *plan, const Reals *first, const Reals *second, int64_t stride, int odd,
                             Bunch *line) {
    const int64_t n = plan->n;
    for (int64_t j = 0; j < n; j++) {
        const Reals *a = first + j * stride, *a_ = first + (n - j) * stride;
        const Reals *b = second + j * stride, *b_ = second + (n - j) * stride;
        const double c = plan->halves[2 * j], s = plan->halves[2 * j + 1];
        for (int h = 0; h < PARTS; h++) {
            if (odd) {
                Vector re = a->re[h] - a_->re[h], im = b->re[h] - b_->re[h];
                line[j].re[h] = re * c - im * s;
                line[j].im[h] = re * s + im * c;
            } else {
                line[j].re[h] = a->re[h] + a_->re[h];
                line[j].im[h] = b->re[h] + b_->re[h];
            }
        }
    }
}

typedef struct {
    Box box;
    Plan plans[3];
    int64_t longest;  /* of the three transforms */
    Bunch *line, *other;
    Bunch *ends;      /* room for three transforms at once */
    Reals *raw;       /* columns of rows, or of lags, side by side */
    double *row_weights; /* weights of one row of lags */
    Bunch *spectra;   /* (signal, block, plane, row), of the blocks at hand */
    Reals *lags;      /* (block, plane lag, row lag) */
    Reals *half_way;  /* (row frequency, plane lag) of one block */
    Reals *weights;   /* (row frequency, plane frequency) of one block */
    Bunch *slabs;     /* (signal, plane, row frequency) of one block and parity */
} Work;

/* Columns of up to 2 * LANES rows of one signal, (column, half, lane); zeros where there are fewer rows */
static void gather_rows(const Work *work, const Data *data, int signal, const int64_t *rows,
                              int64_t n_rows) {
    const Box *box = &work->box;
    const int64_t n = box->shape[2];
    double *raw = (double *)work->raw;
    memset(raw, 0, (size_t)(n * 2 * LANES) * sizeof(double));
    for (int64_t r = 0; r < n_rows; r++) {
        const int64_t plane = rows[r] / box->shape[1], row = rows[r] % box->shape[1];
        const double *x = data->values + plane * data->strides[0] + row * data->strides[1];
        const uint8_t *inside = data->mask + rows[r] * n;
        double *to = raw + r;
        for (int64_t c = 0; c < n; c++) {
            if (!inside[c]) continue;
            const double y = (x[c] - data->mean) * data->scale;
            to[c * 2 * LANES] = signal == 0 ? y : signal == 1 ? 1.0 : y * y;
        }
    }
}

/* Column transforms of the rows gathered, two to a complex line: frequencies of blocks from `first` on are kept */
static void rows_to_blocks(Work *work, int signal, const int64_t *rows, int64_t n_rows, int64_t first,
                                 int64_t n_blocks) {
    const Plan *plan = &work->plans[2];
    const int64_t h2 = plan->n, lines = work->box.shape[0] * work->box.shape[1];
    const Bunch *found[2];
    for (int odd = 0; odd < 2; odd++) {
        Bunch *line = work->ends + 2 * odd * work->longest;
        fetch(plan, (const Bunch *)work->raw, work->box.shape[2], 1, odd, line);
        found[odd] = transform(plan, line, line + work->longest);
    }
    for (int64_t block = 0; block < n_blocks; block++) {
        double tile[2 * LANES][2 * LANES]; /* (row, part and frequency) */
        for (int64_t lane = 0; lane < LANES; lane++) {
            const int64_t k = (first + block) * LANES + lane, t = k / 2;
            if (k > h2) {
                for (int64_t r = 0; r < 2 * LANES; r++) tile[r][lane] = tile[r][LANES + lane] = 0;
                continue;
            }
            const double *z = (const double *)(found[k % 2] + t);
            const double *z_ = (const double *)(found[k % 2] + (k % 2 ? h2 - 1 - t : (h2 - t) % h2));
            for (int64_t r = 0; r < LANES; r++) {
                const double re = z[r], im = z[LANES + r], re_ = z_[r], im_ = z_[LANES + r];
                tile[r][lane] = 0.5 * (re + re_);
                tile[r][LANES + lane] = 0.5 * (im - im_);
                tile[LANES + r][lane] = 0.5 * (im + im_);
                tile[LANES + r][LANES + lane] = 0.5 * (re_ - re);
            }
        }
        Bunch *to = work->spectra + (signal * n_blocks + block) * lines;
        for (int64_t r = 0; r < n_rows; r++) memcpy(to + rows[r], tile[r], sizeof(Bunch));
    }
}

/* Weights of up to 2 * LANES rows of lags from `start` on, (half, lag, lane) */
static void gather_lags(const Work *work, int64_t start, int64_t n_rows, const double *spacing) {
    const int64_t h1 = work->plans[1].n, h2 = work->plans[2].n;
    const double step = spacing[2];
    double *raw = (double *)work->raw;
    memset(raw, 0, (size_t)((h2 + 1) * 2 * LANES) * sizeof(double));
    for (int64_t r = 0; r < n_rows; r++) {
        const double plane = (double)((start + r) / (h1 + 1)) * spacing[0];
        const double row = (double)((start + r) % (h1 + 1)) * spacing[1];
        const double across = plane * plane + row * row;
        double *weights = work->row_weights;
        for (int c = 0; c <= (int)h2; c++) weights[c] = 1 / sqrt(across + step * step * c * c);
        if (start + r == 0) weights[0] = 0; /* a voxel and itself */
        double *to = raw + r / LANES * (h2 + 1) * LANES + r % LANES;
        for (int64_t c = 0; c <= h2; c++) to[c * LANES] = weights[c];
    }
}

/* Column transforms of the weights at all lags of planes and rows */
static void lags_to_blocks(Work *work, int64_t first, int64_t n_blocks, const double *spacing) {
    const Plan *plan = &work->plans[2];
    const int64_t h2 = plan->n, lines = (work->plans[0].n + 1) * (work->plans[1].n + 1);
    for (int64_t start = 0; start < lines; start += 2 * LANES) {
        const int64_t n_rows = lines - start < 2 * LANES ? lines - start : 2 * LANES;
        gather_lags(work, start, n_rows, spacing);
        const Bunch *found[2];
        for (int odd = 0; odd < 2; odd++) {
            Bunch *line = work->ends + 2 * odd * work->longest;
            fetch_even(plan, work->raw, work->raw + h2 + 1, 1, odd, line);
            found[odd] = transform(plan, line, line + work->longest);
        }
        for (int64_t block = 0; block < n_blocks; block++) {
            double tile[2 * LANES][LANES]; /* (row, frequency) */
            for (int64_t lane = 0; lane < LANES; lane++) {
                const int64_t k = (first + block) * LANES + lane;
                const double *z = (const double *)(found[k % 2] + (k <= h2 ? k / 2 : 0));
                for (int64_t r = 0; r < 2 * LANES; r++) tile[r][lane] = k <= h2 ? z[r] : 0;
            }
            memcpy(work->lags + block * lines + start, tile, (size_t)n_rows * sizeof(Reals));
        }
    }
}

/* Even lines of weights along one axis, two at a time: `n_lines` lines, `apart` from each other, lags `stride` apart */
static void even_lines(Work *work, const Plan *plan, const Reals *from, int64_t n_lines, int64_t apart,
                             int64_t stride, Reals *to, int64_t to_apart, int64_t to_stride) {
    for (int64_t line = 0; line < n_lines; line += 2) {
        const int64_t next = line + 1 < n_lines ? line + 1 : line;
        for (int odd = 0; odd < 2; odd++) {
            fetch_even(plan, from + line * apart, from + next * apart, stride, odd, work->line);
            const Bunch *found = transform(plan, work->line, work->other);
            for (int64_t k = odd; k <= plan->n; k += 2) {
                memcpy(to + line * to_apart + k * to_stride, found[k / 2].re, sizeof(Reals));
                memcpy(to + next * to_apart + k * to_stride, next > line ? found[k / 2].im : found[k / 2].re,
                       sizeof(Reals));
            }
        }
    }
}

/* Add the frequencies of one line along planes: sums += weight * (|Y|^2, |M|^2, Re(Q conj M)) */
static void add_line(const Plan *plan, const Bunch *y, const Bunch *m, const Bunch *q, const Reals *weights,
                           int odd, double sums[3][LANES]) {
    for (int h = 0; h < PARTS; h++) {
        Vector yy = {0}, mm = {0}, qm = {0};
        for (int64_t t = 0; t < plan->n; t++) {
            const int64_t k = 2 * t + odd;
            const Vector weight = weights[k <= plan->n ? k : 2 * plan->n - k].re[h];
            yy += weight * (y[t].re[h] * y[t].re[h] + y[t].im[h] * y[t].im[h]);
            mm += weight * (m[t].re[h] * m[t].re[h] + m[t].im[h] * m[t].im[h]);
            qm += weight * (q[t].re[h] * m[t].re[h] + q[t].im[h] * m[t].im[h]);
        }
        for (int lane = 0; lane < WIDTH; lane++) {
            sums[0][h * WIDTH + lane] += (double)yy[lane];
            sums[1][h * WIDTH + lane] += (double)mm[lane];
            sums[2][h * WIDTH + lane] += (double)qm[lane];
        }
    }
}

/* The rest of one block of column frequencies: along rows, then along planes */
static void finish_block(Work *work, int64_t block, int64_t n_blocks, double sums[3][LANES]) {
    const int64_t n0 = work->box.shape[0], n1 = work->box.shape[1];
    const Plan *planes = &work->plans[0], *rows = &work->plans[1];
    const int64_t h0 = planes->n, h1 = rows->n;
    even_lines(work, rows, work->lags + block * (h0 + 1) * (h1 + 1), h0 + 1, h1 + 1, 1, work->half_way, 1, h0 + 1);
    even_lines(work, planes, work->half_way, h1 + 1, h0 + 1, 1, work->weights, h0 + 1, 1);
    for (int odd1 = 0; odd1 < 2; odd1++) {
        for (int signal = 0; signal < 3; signal++) {
            const Bunch *from = work->spectra + (signal * n_blocks + block) * n0 * n1;
            for (int64_t plane = 0; plane < n0; plane++) {
                fetch(rows, from + plane * n1, n1, 1, odd1, work->line);
                const Bunch *found = transform(rows, work->line, work->other);
                memcpy(work->slabs + (signal * n0 + plane) * h1, found, (size_t)h1 * sizeof(Bunch));
            }
        }
        for (int64_t t = 0; t < h1; t++) {
            const int64_t k = 2 * t + odd1;
            const Reals *weights = work->weights + (k <= h1 ? k : 2 * h1 - k) * (h0 + 1);
            for (int odd0 = 0; odd0 < 2; odd0++) {
                const Bunch *found[3];
                for (int signal = 0; signal < 3; signal++) {
                    Bunch *line = work->ends + 2 * signal * work->longest;
                    fetch(planes, work->slabs + signal * n0 * h1 + t, n0, h1, odd0, line);
                    found[signal] = transform(planes, line, line + work->longest);
                }
                add_line(planes, found[0], found[1], found[2], weights, odd0, sums);
            }
        }
    }
}

static int64_t carve(char **memory, int64_t count, int64_t size, void *where) {
    const int64_t bytes = (count * size + 63) / 64 * 64;
    if (*memory) {
        memcpy(where, memory, sizeof(char *));
        *memory += bytes;
    }
    return bytes;
}

/* Hand out memory for passes of n_blocks, or only count it where `memory` is NULL; returns the bytes */
static int64_t furnish(Work *work, int64_t n_blocks, char *memory) {
    const int64_t n0 = work->box.shape[0], n1 = work->box.shape[1];
    const int64_t h0 = work->plans[0].n, h1 = work->plans[1].n, h2 = work->plans[2].n;
    const int64_t lags = (h0 + 1) * (h1 + 1), bunch = sizeof(Bunch), reals = sizeof(Reals);
    int64_t bytes = 0;
    for (int axis = 0; axis < 3; axis++) {
        double *turns = NULL;
        bytes += carve(&memory, 4 * work->plans[axis].n, sizeof(double), &turns);
        if (turns) plan_make(&work->plans[axis], work->plans[axis].n, turns);
    }
    bytes += carve(&memory, work->longest, bunch, &work->line);
    bytes += carve(&memory, work->longest, bunch, &work->other);
    bytes += carve(&memory, 6 * work->longest, bunch, &work->ends);
    bytes += carve(&memory, 2 * (h2 + 1), reals, &work->raw);
    bytes += carve(&memory, h2 + 1, sizeof(double), &work->row_weights);
    bytes += carve(&memory, 3 * n_blocks * n0 * n1, bunch, &work->spectra);
    bytes += carve(&memory, n_blocks * lags, reals, &work->lags);
    bytes += carve(&memory, lags, reals, &work->half_way);
    bytes += carve(&memory, lags, reals, &work->weights);
    bytes += carve(&memory, 3 * n0 * h1, bunch, &work->slabs);
    return bytes;
}

/* Blocks `first` to `first + n_blocks` of column frequencies */
static void add_blocks(Work *work, const Data *data, int64_t first, int64_t n_blocks, double sums[3]) {
    const int64_t lines = work->box.shape[0] * work->box.shape[1], h2 = work->plans[2].n;
    int64_t rows[2 * LANES], n_rows = 0;
    for (int64_t row = 0; row < lines; row++) {
        if (memchr(data->mask + row * work->box.shape[2], 1, (size_t)work->box.shape[2])) {
            rows[n_rows++] = row;
        } else {
            for (int64_t part = 0; part < 3 * n_blocks; part++)
                memset(work->spectra + part * lines + row, 0, sizeof(Bunch));
        }
        if (n_rows && (n_rows == 2 * LANES || row == lines - 1)) {
            for (int signal = 0; signal < 3; signal++) {
                gather_rows(work, data, signal, rows, n_rows);
                rows_to_blocks(work, signal, rows, n_rows, first, n_blocks);
            }
            n_rows = 0;
        }
    }
    lags_to_blocks(work, first, n_blocks, data->spacing);
    for (int64_t block = 0; block < n_blocks; block++) {
        double found[3][LANES] = {{0}};
        finish_block(work, block, n_blocks, found);
        for (int64_t lane = 0; lane < LANES; lane++) {
            const int64_t k = (first + block) * LANES + lane;
            const double times = k > h2 ? 0 : k == 0 || k == h2 ? 1 : 2;
            for (int i = 0; i < 3; i++) sums[i] += times * found[i][lane];
        }
    }
}

static Work plan_work(const Box *box) {
    Work work = {.box = *box};
    for (int axis = 0; axis < 3; axis++) {
        work.plans[axis].n = smooth(box->shape[axis]);
        if (work.plans[axis].n > work.longest) work.longest = work.plans[axis].n;
    }
    return work;
}

/* Bytes for as many blocks at once as `most_bytes` hold, at least for one */
static int64_t bytes(const Box *box, int64_t most_bytes) {
    Work work = plan_work(box);
    int64_t at_once = work.plans[2].n / LANES + 1;
    while (at_once > 1 && furnish(&work, at_once, NULL) > most_bytes) at_once--;
    return furnish(&work, at_once, NULL);
}

static void pair_sums(const Box *box, const Data *data, char *memory, int64_t bytes,
                            double sums[3]) {
    Work work = plan_work(box);
    const int64_t n_blocks = work.plans[2].n / LANES + 1;
    int64_t at_once = n_blocks;
    while (furnish(&work, at_once, NULL) > bytes) at_once--;
    furnish(&work, at_once, memory);
    sums[0] = sums[1] = sums[2] = 0;
    for (int64_t first = 0; first < n_blocks; first += at_once)
        add_blocks(&work, data, first, n_blocks - first < at_once ? n_blocks - first : at_once, sums);
    const double frequencies = 8.0 * (double)work.plans[0].n * (double)work.plans[1].n * (double)work.plans[2].n;
    for (int i = 0; i < 3; i++) sums[i] /= frequencies;
}

/* Bytes that radcurate_pair_sums works in: up to about `most_bytes`, unless it needs more */
EXPORT int64_t radcurate_pair_sums_bytes(const int64_t *shape, int64_t most_bytes) {
    const Box box = {{shape[0], shape[1], shape[2]}};
    return ALIGNED + bytes(&box, most_bytes);
}

/* With y = (values - mean) * scale inside the mask and w = 1 / distance (0 for a voxel and itself), over pairs (i, j):
   sums = sum w y_i y_j, sum w, sum w y_i^2. `memory`: the bytes above. */
EXPORT void radcurate_pair_sums(const double *values, const int64_t *strides, const uint8_t *mask, const int64_t *shape,
                                const double *spacing, double mean, double scale, char *memory, int64_t n_bytes,
                                double *sums) {
    const Box box = {{shape[0], shape[1], shape[2]}};
    const Data data = {values, {strides[0], strides[1]},          mask, mean, scale,
                             {spacing[0], spacing[1], spacing[2]}};
    char *aligned = memory + (ALIGNED - (uintptr_t)memory % ALIGNED) % ALIGNED;
    pair_sums(&box, &data, aligned, n_bytes - ALIGNED, sums);
}
