"""Regressions of blocks under every structure of a grid at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.blocks import Block
from rmo.domain.engine.structure import Past
from rmo.domain.values import Floats

FLOOR = 1e-20  # of a sum of squares, for a series that never moves


@dataclass(frozen=True)
class Fit:
    """A regression of a block under every structure, on an intercept, on columns, and on a place for each hole."""

    log_weight: Floats  # shape (structures, b), up to a constant of the series
    coefficients: list[Floats]  # one per regressor, each (structures, b)
    root: list[list[Floats]]  # lower factor of the regressors' products
    pulled: Floats  # the inverses times the readings, shape (structures, length, b)
    spread: Floats  # the noise's variance, shape (structures, b)

    def solve(self, sides: Sequence[Floats]) -> list[Floats]:
        """Return the sides, one per regressor, divided by the root: their squares add up to a variance.

        Sides have the shape (structures, periods, b), or 1 for b.
        """
        root = [[pivot[:, None, :] for pivot in line] for line in self.root]
        return _forward(root, sides)


def fit(known: Past, block: Block, readings: Floats, columns: Sequence[Floats] = ()) -> Fit:
    """Regress a block under every structure.

    Args:
        known: The grid for the block's length.
        block: Which series, and where their holes are.
        readings: Shape (length, b), about their mean, 0 in the holes.
        columns: What else they are regressed on, each of that shape, 0 in the holes.
    """
    every, holes = np.arange(block.rows.size), block.holes
    pulled = known.times(readings)
    pulled_columns = [known.times(column) for column in columns]
    ones = known.of_ones
    sides = [
        ones @ readings,
        *(_dot(pulled, column) for column in columns),
        *(pulled[:, hole, every] for hole in holes),
    ]
    products = [[ones.sum(axis=1, keepdims=True)]]
    for row, column in enumerate(columns):
        products.append([ones @ column, *(_dot(pulled_columns[row], other) for other in columns[: row + 1])])
    for row, hole in enumerate(holes):
        beside = [each[:, hole, every] for each in pulled_columns]
        products.append(
            [ones[:, hole], *beside, *(known.inverse[:, hole, other] for other in holes[: row + 1])]
        )
    root = _root(products)
    half = _forward(root, sides)
    squares = _dot(pulled, readings)
    for part in half:
        squares = squares - part**2
    squares = np.maximum(squares, FLOOR)
    df = block.present - 1 - len(columns)
    log_product = sum((2 * np.log(line[-1]) for line in root), np.zeros(1))
    log_weight = -0.5 * (known.log_size[:, None] + log_product + df * np.log(squares))
    return Fit(log_weight, _back(root, half), root, pulled, squares / df)


def _dot(pulled: Floats, column: Floats) -> Floats:
    """Return products added up over the length: (structures, length, b) with (length, b)."""
    product_: Floats = np.einsum("gnb,nb->gb", pulled, column)
    return product_


def _root(products: list[list[Floats]]) -> list[list[Floats]]:
    """Return the lower factor of a matrix given by its lower half."""
    root: list[list[Floats]] = []
    for row, wanted in enumerate(products):
        line: list[Floats] = []
        for column, rest in enumerate(wanted):
            for inner in range(column):
                rest = rest - line[inner] * (root[column][inner] if column < row else line[inner])
            line.append(rest / root[column][column] if column < row else np.sqrt(rest))
        root.append(line)
    return root


def _forward(root: list[list[Floats]], sides: Sequence[Floats]) -> list[Floats]:
    """Solve the lower triangle."""
    solved: list[Floats] = []
    for row, rest in enumerate(sides):
        for column in range(row):
            rest = rest - root[row][column] * solved[column]
        solved.append(rest / root[row][row])
    return solved


def _back(root: list[list[Floats]], half: list[Floats]) -> list[Floats]:
    """Solve the upper triangle."""
    solved: list[Floats] = [np.zeros(0)] * len(half)
    for row in reversed(range(len(half))):
        rest = half[row]
        for later in range(row + 1, len(half)):
            rest = rest - root[later][row] * solved[later]
        solved[row] = rest / root[row][row]
    return solved
