"""A promised figure and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value against its goal; `at_most` or else at least."""

    name: str
    value: float
    goal: float
    unit: str
    at_most: bool = True

    @property
    def holds(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        word = "holds" if self.holds else "falls short"
        return f"{self.name} | {self.value:.3g} {self.unit} | {sign} {self.goal:g} {self.unit} | {word}"
