"""Unused bits, judged sample by sample by an oracle that knows nothing of numpy."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.deidentify.hidden import judge_bits
from radcurate.deidentify.layout import Layout
from radcurate.dicom.problems import Unsafe


def honest(sample: int, shape: Layout) -> bool:
    """Zero, the sign repeated above, or padding."""
    below = (1 << shape.high + 1 - shape.stored) - 1
    above = (1 << shape.bits) - (1 << shape.high + 1)
    extra = sample & (below | above)
    negative = shape.signed and sample >> shape.high & 1
    return extra == 0 or bool(negative and extra == above) or sample in shape.padding


@st.composite
def images(draw: st.DrawFn) -> tuple[Layout, list[int], bool]:
    bits = draw(st.sampled_from((8, 16, 32)))
    stored = draw(st.integers(1, bits))
    high = draw(st.integers(stored - 1, bits - 1))
    signed, little = draw(st.booleans()), draw(st.booleans())
    values = st.integers(0, (1 << stored) - 1).map(lambda value: value << high + 1 - stored)
    odd = st.integers(0, (1 << bits) - 1)
    sign = (1 << bits) - (1 << high)
    samples = draw(st.lists(st.one_of(values, values.map(lambda value: value | sign), odd), min_size=1, max_size=19))
    padding = frozenset(draw(st.lists(st.one_of(st.sampled_from(samples), st.integers(0, 65535)), max_size=2)))
    return Layout(1, len(samples), 1, 1, bits, "MONOCHROME2", stored, high, signed, padding), samples, little


@given(images())
@settings(max_examples=500, deadline=None)
def test_exactly_what_hides_nothing_is_accepted(image: tuple[Layout, list[int], bool]) -> None:
    shape, samples, little = image
    data = b"".join(sample.to_bytes(shape.bits // 8, "little" if little else "big") for sample in samples)
    try:
        judge_bits(data, shape, little)
        accepted = True
    except Unsafe as verdict:
        assert verdict.reason == "unused_bits"
        accepted = False
    assert accepted == all(honest(sample, shape) for sample in samples)
