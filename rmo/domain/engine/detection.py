"""Early signs: how surprising each reading was when it came, sums of slips, and which flags to believe."""

import numpy as np

from rmo.domain.engine.blocks import Block, align, blocks, readings_of
from rmo.domain.engine.forecast import forecast
from rmo.domain.engine.mixture import add_up, rounded, shares
from rmo.domain.engine.regression import FLOOR
from rmo.domain.engine.structure import Factors, caution, factors, grid, round_up
from rmo.domain.engine.student_t import fast_cdf, normal_cdf, probit
from rmo.domain.values import Flags, Floats

LEAST = 6  # earlier readings below which nothing is surprising
SEASONAL = 12  # readings below which no season is looked for
ALLOWANCE = 0.5  # of a standard deviation a period, that is let pass
ALARM = 4.77  # a one-sided sum above it happens by chance once in 741 periods
SURPRISING = 0.01
RATE = 0.1  # of false flags among those of a whole portfolio
RIDGE = 1e-12  # keeps a hole that has not come yet out of a regression


def innovations(values: Floats, *, season: int) -> Floats:
    """Return how far each reading lay from what the ones before it let expect, in standard deviations.

    The chance of staying at or under the reading, under the structures as the earlier
    readings weigh them, is turned into the normal quantile of the same chance.

    Args:
        values: Shape (series, periods), NaN for a missing reading.
        season: Periods of a season, 1 for none.

    Returns:
        Shape (series, periods); NaN where the reading or six earlier ones are missing.

    Source:
        Handbook, "How the numbers are worked out", section Early signs.
    """
    found = np.full(values.shape, np.nan)
    aligned = align(values)
    with np.errstate(invalid="ignore"):
        positive = np.nanmin(values, axis=1, initial=np.inf) > 0
    for block in blocks(values, aligned, least=LEAST + 1, extra=positive.astype(np.int64)):
        found[block.rows, block.columns] = _block(block, season, positive=bool(positive[block.rows[0]]))
    return rounded(found)


def _block(block: Block, season: int, *, positive: bool) -> Floats:
    """Return the innovations of a block, shape (length, b)."""
    here = ~np.isnan(block.readings)
    earlier = np.cumsum(here, axis=0) - here  # readings before each period
    structures = grid(seasonal=season > 1 and int(here[:, 0].sum()) >= SEASONAL)
    known = factors(structures, season, round_up(block.length), 12)
    scaled, _, size = readings_of(block)
    parts = [_one_step(known, block, scaled, earlier)]
    if positive:
        logs = np.log(block.readings / size)
        log_mean = np.nanmean(logs, axis=0)
        steps, log_weight = _one_step(known, block, np.nan_to_num(logs - log_mean), earlier)
        before = np.cumsum(np.where(here, logs, 0.0), axis=0) - np.where(here, logs, 0.0)
        jacobian = (earlier - 1) * before / np.maximum(earlier, 1)
        parts.append((steps, log_weight - jacobian))
    steps = np.concatenate([part[0] for part in parts])
    weights = np.concatenate([part[1] for part in parts])
    found = np.full(block.readings.shape, np.nan)
    for at in range(block.length):
        for count in np.unique(earlier[at][here[at] & (earlier[at] >= LEAST)]):
            now = here[at] & (earlier[at] == count)
            below = fast_cdf(steps[:, at, now], int(count) - 1)
            found[at, now] = add_up(below * shares(weights[:, at, now]))
    return probit(np.clip(found, 1e-12, 1 - 1e-12))


def _one_step(known: Factors, block: Block, readings: Floats, earlier: Floats) -> tuple[Floats, Floats]:
    """Return each step in its own standard deviations, and the log weights of the structures before it.

    Both have the shape (structures, length, b).
    """
    n = block.length
    y = known.whiten(_below(readings, known.width))[:, :n]
    constant = np.broadcast_to(known.constant[:, :n, None], y.shape)
    inverse = known.inverse.reshape(len(known.structures), known.width, known.width)[:, :n]
    columns = [constant, *(inverse[:, :, hole] for hole in block.holes)]
    root, log_product = _running_root(columns)
    solved_y = _divide(root, [_before(column * y) for column in columns])
    solved_x = _divide(root, columns)
    missed = y - sum((x * z for x, z in zip(solved_x, solved_y, strict=True)), np.zeros(1))
    doubt = 1.0 + sum((x**2 for x in solved_x), np.zeros(1))
    squares = _before(y * y) - sum((z**2 for z in solved_y), np.zeros(1))
    squares = np.maximum(squares, FLOOR)
    df = np.maximum(earlier - 1, 1)
    log_size = np.concatenate([np.zeros((len(known.structures), 1)), known.log_size[:, : n - 1]], axis=1)
    log_weight = -0.5 * (log_size[:, :, None] + log_product + df * np.log(squares))
    return missed / np.sqrt(doubt * squares / df), log_weight - caution(known.structures)[:, :, None]


def _below(readings: Floats, height: int) -> Floats:
    """Return readings with zeros below them."""
    whole = np.zeros((height, readings.shape[1]))
    whole[: len(readings)] = readings
    return whole


def _before(products: Floats) -> Floats:
    """Return sums over the periods before each one."""
    sums: Floats = np.cumsum(products, axis=1) - products
    return sums


def _running_root(columns: list[Floats]) -> tuple[list[list[Floats]], Floats]:
    """Return, for each period, the lower factor of the columns' products over the periods before it."""
    root: list[list[Floats]] = []
    log_product = np.zeros(1)
    for row, column in enumerate(columns):
        line: list[Floats] = []
        for other in range(row + 1):
            rest = _before(column * columns[other])
            for inner in range(other):
                rest = rest - line[inner] * (root[other][inner] if other < row else line[inner])
            line.append(rest / root[other][other] if other < row else np.sqrt(np.maximum(rest, RIDGE)))
        root.append(line)
        log_product = log_product + np.where(line[row] > 2 * np.sqrt(RIDGE), 2 * np.log(line[row]), 0.0)
    return root, log_product


def _divide(root: list[list[Floats]], sides: list[Floats]) -> list[Floats]:
    """Solve the lower triangle, for each period."""
    solved: list[Floats] = []
    for row, side in enumerate(sides):
        rest = side
        for column in range(row):
            rest = rest - root[row][column] * solved[column]
        solved.append(rest / root[row][row])
    return solved


def newest_innovation(values: Floats, *, season: int) -> Floats:
    """Return the innovation of each series' newest reading alone, shape (series,): much quicker than all of them."""
    aligned = align(values)
    periods = values.shape[1]
    columns = np.arange(periods) - aligned.lag[:, None]
    moved = np.where(columns >= 0, np.take_along_axis(values, np.maximum(columns, 0), axis=1), np.nan)
    expected = forecast(moved[:, :-1], horizon=1, season=season, widened=False)
    return rounded(expected.months.steps_to(moved[:, -1:])[:, 0])


def surprise(steps: Floats) -> Floats:
    """Return the two-sided chances of innovations; below 0.01 is a surprise.

    Source:
        Handbook, "How the numbers are worked out", section Early signs.
    """
    return 2.0 * normal_cdf(-np.abs(steps))


def slips(steps: Floats, *, allowance: float = ALLOWANCE) -> Floats:
    """Return the running sums of slips above what is let pass; above 4.77 is an alarm.

    Args:
        steps: Shape (series, periods), in standard deviations, upwards for worse; a missing
            one leaves the sum as it is.
        allowance: What is let pass in each period.

    Source:
        Handbook, "How the numbers are worked out", section Early signs.
        Page 1954; run lengths in Lucas & Saccucci 1990 and Montgomery, table 9.3.
    """
    sums = np.zeros_like(steps)
    sum_ = np.zeros(len(steps))
    moves = np.where(np.isnan(steps), 0.0, steps - allowance)
    for at in range(steps.shape[1]):
        sum_ = np.maximum(0.0, sum_ + moves[:, at])
        sums[:, at] = sum_
    return sums


def believed(chances: Floats, *, rate: float = RATE) -> Flags:
    """Return which of many flags to believe, so that at most a share of those believed is false.

    Args:
        chances: The chance of each flag if nothing had happened; NaN where nothing was tested.
        rate: The share.

    Source:
        Handbook, "How the numbers are worked out", section Early signs.
        Benjamini and Hochberg 1995.
    """
    tested = np.flatnonzero(~np.isnan(chances))
    order = tested[np.argsort(chances[tested], kind="stable")]
    under = np.flatnonzero(chances[order] <= rate * np.arange(1, order.size + 1) / max(order.size, 1))
    flags = np.zeros(chances.shape, dtype=np.bool_)
    if under.size:
        flags[order[: under[-1] + 1]] = True
    return flags
