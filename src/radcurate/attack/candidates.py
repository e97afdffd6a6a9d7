"""M(d): the people of a registry who may be the patient d of a release.

Sex equal, |age difference| <= delta_a, |date difference| <= delta_t, institution alike. A coarsened value matches what it
may stand for; what either side doesn't tell matches everything. All rows of a patient carry one code, so they are read
together: somebody is a candidate when each row of the patient matches some row of that person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from radcurate.attack.plane import Plane

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
UNKNOWN = -1
_PAIRS = 2_000_000  # pairs of a patient and a candidate that are looked at together


@dataclass(frozen=True)
class Shown:
    """What the rows of patients show, shape (row,) each.

    Attributes:
        patient: whose row, numbers from 0; every patient has a row.
        sex: code, or `UNKNOWN`.
        site: number of the institution's name (row of `alike`), or `UNKNOWN`.
        age_low, age_high: years, both ends included; infinite where open.
        day_low, day_high: days, both ends included; infinite where open.
        block: rows match only within a block (registries that were drawn one by one).
    """

    patient: Ints
    sex: Ints
    site: Ints
    age_low: Reals
    age_high: Reals
    day_low: Reals
    day_high: Reals
    block: Ints

    def rows(self, places: Ints | Flags) -> Shown:
        """Some of the rows, patients' numbers unchanged."""
        return Shown(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return int(self.patient.max(initial=-1)) + 1


@dataclass(frozen=True)
class Registry:
    """What an attacker holds, shape (row,) each.

    Attributes:
        person: whose row, numbers from 0.
        sex: code, or `UNKNOWN`.
        site: number of the institution's name (column of `alike`), or `UNKNOWN`.
        age: years, NaN unknown.
        day: whole days, NaN unknown.
        block: as in `Shown`.
    """

    person: Ints
    sex: Ints
    site: Ints
    age: Reals
    day: Reals
    block: Ints

    def rows(self, places: Ints | Flags) -> Registry:
        """Some of the rows, people's numbers unchanged."""
        return Registry(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    @property
    def n_people(self) -> int:
        """Number of people."""
        return int(self.person.max(initial=-1)) + 1


@dataclass(frozen=True)
class Limits:
    """What an attacker overlooks: years of age, days; and `alike`, shape (name shown, name in the registry)."""

    age: float
    days: int
    alike: Flags


@dataclass(frozen=True)
class Candidates:
    """M(d) of each patient, shape (patient,) each.

    Attributes:
        people: how many people; where there are more than `ENOUGH` rows, the least number of people they can belong to.
        sole: the person where there is exactly one, else -1.
    """

    people: Ints
    sole: Ints


ENOUGH = 256  # rows of a registry that are looked at person by person


def candidates(shown: Shown, registry: Registry, limits: Limits) -> Candidates:
    """Count M(d) for each patient and name the sole candidate where there is one.

    The narrowest row of a patient is looked up by counting in rectangles of age and day; only where that leaves few
    rows, or the patient has further rows, are people listed.
    """
    search = _Search(shown, registry, limits)
    per_course = search.run()
    return Candidates(per_course.people[search.course_of], per_course.sole[search.course_of])


def fits(shown: Shown, registry: Registry, limits: Limits, person: Ints) -> Flags:
    """Whether the person named for each patient, shape (patient,), is in M(d); `UNKNOWN` is not."""
    search = _Search(shown, registry, limits)
    known = np.flatnonzero(person >= 0)
    found = np.zeros(person.size, dtype=bool)
    found[known] = search.holds(search.course_of[known], person[known], first=0)
    return found


@dataclass
class _Segments:
    """Rectangles of one plane: for `query`, shape (segment,), `count` points from number `before` on."""

    plane: Plane
    row: Ints  # row of the registry of each point
    query: Ints
    start: Ints
    end: Ints
    before: Ints
    count: Ints


class _Search:
    """Distinct queries (rows shown), distinct courses (sets of queries), and the registry's rows by person."""

    def __init__(self, shown: Shown, registry: Registry, limits: Limits) -> None:
        self.registry, self.limits = registry, limits
        which = _number([getattr(shown, name) for name in Shown.__dataclass_fields__ if name != "patient"])
        self.queries = shown.rows(np.unique(which, return_index=True)[1])
        self.course_of, self.starts, self.members = _courses(shown.patient, which)
        order = np.argsort(registry.person, kind="stable")
        self.rows_of = np.bincount(registry.person, minlength=1).astype(np.int64)
        self.first_row = np.cumsum(self.rows_of) - self.rows_of
        self.by_person = order
        # a name that the other side doesn't tell matches all
        self.alike = np.pad(limits.alike, ((0, 1), (0, 1)), constant_values=True)

    def run(self) -> Candidates:
        """`Candidates` of each course."""
        segments = list(self._segments())
        count = np.zeros(self.queries.sex.size, dtype=np.int64)
        for part in segments:
            count += np.bincount(part.query, weights=part.count, minlength=count.size).astype(np.int64)
        lengths = np.diff(self.starts)
        self._narrowest_first(count, lengths)
        rows = count[self.members[self.starts[:-1]]] if lengths.size else np.zeros(0, dtype=np.int64)
        most = max(int(self.rows_of.max(initial=1)), 1)
        people, sole = -(-rows // most), np.full(rows.size, -1, dtype=np.int64)
        listed = np.flatnonzero((rows > 0) & ((lengths > 1) | (rows <= max(ENOUGH, most))))
        for courses in _portions(listed, rows[listed]):
            of, person = self._people(segments, courses)
            keep = self.holds(of, person, first=1)
            of, person = of[keep], person[keep]
            people[courses] = np.bincount(of, minlength=rows.size)[courses]
            alone = people[of] == 1
            sole[of[alone]] = person[alone]
        return Candidates(people, sole)

    def _narrowest_first(self, count: Ints, lengths: Ints) -> None:
        course = np.repeat(np.arange(lengths.size), lengths)
        self.members = self.members[np.lexsort((count[self.members], course))]

    def _people(self, segments: list[_Segments], courses: Ints) -> tuple[Ints, Ints]:
        """Distinct pairs of a course and a person who matches its first query, sorted."""
        query = self.members[self.starts[courses]]
        order = np.argsort(query, kind="stable")
        found = []
        for part in segments:
            low = np.searchsorted(query[order], part.query, side="left")
            high = np.searchsorted(query[order], part.query, side="right")
            wanted = np.flatnonzero((high > low) & (part.count > 0))
            # a query may be the first of several courses
            segment, nth_course = _spread(wanted, (high - low)[wanted])
            course = courses[order[low[segment] + nth_course]]
            at, nth = _spread(np.arange(segment.size), part.count[segment])
            point = part.plane.pick(part.start[segment[at]], part.end[segment[at]], part.before[segment[at]] + nth)
            found.append(course[at] * max(self.registry.n_people, 1) + self.registry.person[part.row[point]])
        pairs = _distinct(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
        return pairs // max(self.registry.n_people, 1), pairs % max(self.registry.n_people, 1)

    def holds(self, course: Ints, person: Ints, first: int) -> Flags:
        """Whether the person, shape (pair,), matches all queries of the course from number `first` on."""
        good = np.ones(course.size, dtype=bool)
        lengths = np.diff(self.starts)
        for nth in range(first, int(lengths.max(initial=0))):
            open_ = np.flatnonzero(good & (lengths[course] > nth))
            pair, step = _spread(open_, self.rows_of[person[open_]])
            row = self.by_person[self.first_row[person[pair]] + step]
            match = self._match(self.members[self.starts[course[pair]] + nth], row)
            good[open_] = np.bincount(pair, weights=match, minlength=course.size)[open_] > 0
        return good

    def _match(self, query: Ints, row: Ints) -> Flags:
        """Whether rows of the registry match queries, shape (pair,)."""
        shown, held = self.queries.rows(query), self.registry.rows(row)
        sex = (shown.sex == held.sex) | (shown.sex == UNKNOWN) | (held.sex == UNKNOWN)
        years = (held.age >= shown.age_low - self.limits.age) & (held.age <= shown.age_high + self.limits.age)
        time = (held.day >= shown.day_low - self.limits.days) & (held.day <= shown.day_high + self.limits.days)
        return np.asarray(
            (shown.block == held.block)
            & sex
            & (years | np.isnan(held.age))
            & (time | np.isnan(held.day))
            & self.alike[shown.site, held.site]
        )

    def _segments(self) -> Iterator[_Segments]:
        """Rectangles for each pattern of what both sides tell."""
        for row, held in _patterns([self.registry.sex, self.registry.site, self.registry.age, self.registry.day]):
            for query, told in _patterns([self.queries.sex, self.queries.site]):
                told_both = _Both(held[0] and told[0], held[1] and told[1], held[2], held[3])
                yield _Layer(self.registry.rows(row), self.limits, told_both).segments(self.queries, query, row)


@dataclass(frozen=True)
class _Both:
    """What both sides tell."""

    sex: bool
    site: bool
    age: bool
    day: bool


@dataclass
class _Layer:
    """A plane over rows of a registry that tell the same things: (block, sex, institution, age) by day."""

    held: Registry
    limits: Limits
    both: _Both
    years: Reals = field(init=False)
    n_sites: int = field(init=False)
    n_sexes: int = field(init=False)

    def __post_init__(self) -> None:
        held = self.held
        self.n_sites = self.limits.alike.shape[1] if self.both.site else 1
        self.n_sexes = int(held.sex.max(initial=0)) + 1 if self.both.sex else 1
        self.years, age = _ranks(held.age if self.both.age else np.zeros(held.person.size))
        day = held.day if self.both.day else np.zeros(held.person.size)
        self.earliest = float(day.min(initial=np.inf)) if day.size else 0.0
        sex = held.sex if self.both.sex else np.zeros(held.person.size, dtype=np.int64)
        site = held.site if self.both.site else np.zeros(held.person.size, dtype=np.int64)
        self.plane = Plane(self._key(held.block, sex, site, age), (day - self.earliest).astype(np.int64))

    def _key(self, block: Ints, sex: Ints, site: Ints, age: Ints) -> Ints:
        return ((block * self.n_sexes + sex) * self.n_sites + site) * (self.years.size + 1) + age

    def segments(self, queries: Shown, which: Ints, row: Ints) -> _Segments:
        """The rectangles of the queries `which`; `row` numbers the rows of this layer in the whole registry."""
        query, site = self._sites(queries, which)
        asked = queries.rows(query)
        sex = asked.sex if self.both.sex else np.zeros(query.size, dtype=np.int64)
        inside = sex < self.n_sexes
        query, site, sex, asked = query[inside], site[inside], sex[inside], asked.rows(inside)
        low, high = self._age_ranks(asked)
        start, end = self.plane.places(
            self._key(asked.block, sex, site, low), self._key(asked.block, sex, site, np.maximum(high, low - 1))
        )
        first, last = self._day_ranks(asked)
        before = self.plane.below(start, end, first)
        count = np.maximum(self.plane.below(start, end, last + 1) - before, 0)
        return _Segments(self.plane, row, query, start, end, before, count)

    def _sites(self, queries: Shown, which: Ints) -> tuple[Ints, Ints]:
        """Pairs of a query and an institution that it may mean."""
        if not self.both.site:
            return which, np.zeros(which.size, dtype=np.int64)
        number = self.limits.alike.sum(axis=1)
        name, other = np.nonzero(self.limits.alike)
        begin = np.searchsorted(name, np.arange(number.size))
        at, nth = _spread(np.arange(which.size), number[queries.site[which]])
        return which[at], other[begin[queries.site[which[at]]] + nth].astype(np.int64)

    def _age_ranks(self, asked: Shown) -> tuple[Ints, Ints]:
        if not self.both.age:
            return np.zeros(asked.sex.size, dtype=np.int64), np.zeros(asked.sex.size, dtype=np.int64)
        low = np.searchsorted(self.years, asked.age_low - self.limits.age, side="left")
        return low, np.searchsorted(self.years, asked.age_high + self.limits.age, side="right") - 1

    def _day_ranks(self, asked: Shown) -> tuple[Ints, Ints]:
        if not self.both.day:
            return np.zeros(asked.sex.size, dtype=np.int64), np.zeros(asked.sex.size, dtype=np.int64)
        ends = asked.day_low - self.limits.days - self.earliest, asked.day_high + self.limits.days - self.earliest
        low, high = (np.clip(end, -1.0, 2.0**40) for end in ends)
        return np.ceil(np.maximum(low, 0)).astype(np.int64), np.floor(high).astype(np.int64)


def _ranks(values: Reals) -> tuple[Reals, Ints]:
    """Distinct values, sorted, and each value's number among them; quick for whole years."""
    whole = values.astype(np.int64)
    if values.size and whole.min() >= 0 and whole.max() < 1000 and (whole == values).all():
        found = np.flatnonzero(np.bincount(whole))
        number = np.zeros(1000, dtype=np.int64)
        number[found] = np.arange(found.size)
        return found.astype(np.float64), number[whole]
    years, rank = np.unique(values, return_inverse=True)
    return years, rank.astype(np.int64)


def _patterns(columns: list[npt.NDArray[np.generic]]) -> Iterator[tuple[Ints, list[bool]]]:
    """Rows by which of the columns they tell: row numbers, and a flag per column."""
    told = [~np.isnan(one) if one.dtype.kind == "f" else one != UNKNOWN for one in columns]
    code = np.zeros(columns[0].size, dtype=np.int64)
    for flags in told:
        code = code * 2 + flags
    for pattern in np.flatnonzero(np.bincount(code)):
        rows = np.flatnonzero(code == pattern)
        yield rows, [bool(pattern >> (len(columns) - 1 - place) & 1) for place in range(len(columns))]


def _number(columns: list[npt.NDArray[np.generic]]) -> Ints:
    """Equal rows get equal numbers, from 0 without gaps."""
    joint = np.zeros(columns[0].size, dtype=np.int64)
    for column in columns:
        values, number = np.unique(column, return_inverse=True)
        joint = np.unique(joint * max(values.size, 1) + number, return_inverse=True)[1].astype(np.int64)
    return joint


def _courses(patient: Ints, query: Ints) -> tuple[Ints, Ints, Ints]:
    """Distinct sets of queries: (patient,) number of the set, (set + 1,) where each starts, its queries one by one."""
    width = int(query.max(initial=0)) + 1
    pairs = _distinct(patient * width + query)
    owner, query = pairs // width, pairs % width
    lengths = np.bincount(owner).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    if patient.size and lengths.max() == 1:  # the sets are the queries themselves
        return query, np.arange(width + 1, dtype=np.int64), np.arange(width, dtype=np.int64)
    known: dict[bytes, int] = {}
    course = np.array(
        [known.setdefault(query[a : a + n].tobytes(), len(known)) for a, n in zip(starts, lengths, strict=True)],
        dtype=np.int64,
    )
    example = np.unique(course, return_index=True)[1]
    at, nth = _spread(example, lengths[example])
    return course, np.concatenate([[0], np.cumsum(lengths[example])]).astype(np.int64), query[starts[at] + nth]


def _distinct(values: Ints) -> Ints:
    """Distinct values, sorted. By sorting: numpy's own hashes, which takes ten times as long for millions."""
    ordered = np.sort(values)
    first = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def _spread(items: Ints, times: Ints) -> tuple[Ints, Ints]:
    """Each item as often as `times` says, and 0, 1, … beside each of its copies."""
    repeated = np.repeat(items, times)
    ends = np.cumsum(times)
    return repeated, np.arange(repeated.size) - np.repeat(ends - times, times)


def _portions(items: Ints, size: Ints) -> Iterator[Ints]:
    """Items in portions of about `_PAIRS` of `size` together."""
    part = np.cumsum(size) // _PAIRS
    for number in np.unique(part):
        yield items[part == number]


def in_blocks(registry: Registry, block: int) -> Registry:
    """The same registry as a block of several."""
    return replace(registry, block=np.full(registry.person.size, block, dtype=np.int64))
