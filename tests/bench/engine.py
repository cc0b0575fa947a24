"""The engine's scorecard: accuracy, coverage, false alarms and speed, beside the libraries people use.

    python -m tests.bench.engine [--full] [--part charts|forecasts|effects|alarms|speed] [--seed N]

Small by default. Peers are measured where they are installed (requirements-bench.txt). Every
share is printed with its own 95% interval; a target is missed when that lies outside it.
"""

import argparse
import csv
import hashlib
import resource
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from itertools import groupby
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from rmo.domain.engine.alarms import alarms
from rmo.domain.engine.chart import Flag, process_charts
from rmo.domain.engine.detection import newest_innovation, surprise
from rmo.domain.engine.effect import effect
from rmo.domain.engine.forecast import forecast
from rmo.domain.engine.student_t import normal_cdf, normal_quantile
from rmo.domain.values import Floats
from tests.bench import noise

DATA = Path(__file__).parents[1] / "data"
HORIZON = 12
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
SHARES = (0.9, 1.0, 1.1)  # of the last year's total, whose chances are scored
PEER_SERIES = {False: 10, True: 60}  # that slow peers are given in each setting
PEERS = ("AutoETS", "DynamicOptimizedTheta", "AutoTheta", "SeasonalNaive")


def share(hits: int, of: int, target: tuple[float, float] | None = None) -> str:
    """Return a share with its 95% interval (Wilson), and whether it misses a target."""
    p, z = hits / of, 1.96
    middle, half = (
        (p + z * z / (2 * of)) / (1 + z * z / of),
        z * sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of),
    )
    missed = target is not None and (middle + half < target[0] or middle - half > target[1])
    return f"{100 * p:5.1f}% [{100 * (middle - half):.1f}, {100 * (middle + half):.1f}]{' MISSED' if missed else ''}"


def mean(numbers: Floats) -> str:
    """Return a mean with its 95% interval over series."""
    return f"{numbers.mean():.3f} ± {1.96 * numbers.std(ddof=1) / sqrt(numbers.size):.3f}"


def timed(work: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[float, Any]:
    """Return how many seconds a piece of work took, and what it gave."""
    start = time.perf_counter()
    result = work(*arguments, **options)
    return time.perf_counter() - start, result


# --- charts


def charts(*, full: bool) -> None:
    """Count the series whose flags are all those of the NHS package."""
    with (DATA / "spc_reference.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    equal: defaultdict[str, int] = defaultdict(int)
    seconds: defaultdict[str, float] = defaultdict(float)
    count = 0
    contestants = {"rmo": _own_flags, **_chart_peers()}
    for (_, variant), grouped in groupby(rows, key=lambda row: (row["series"], row["variant"])):
        points = list(grouped)
        if variant not in ("default", "noscreen"):
            continue
        count += 1
        values = np.array([float(point["value"]) for point in points])
        wanted = [point["flag"] != "common" for point in points]
        for name, flags in contestants.items():
            took, found = timed(
                lambda flags=flags, values=values, variant=variant: flags(values, variant == "default")
            )
            equal[name] += found == wanted
            seconds[name] += took
    print("\n## Charts: special causes equal to NHSRplotthedots on every point\n")
    print("| | series of all | seconds a 1,000 series, one after another |\n|---|---|---|")
    for name in contestants:
        print(f"| {name} | {equal[name]} of {count} | {1000 * seconds[name] / count:.2f} |")
    batch = np.random.default_rng(0).normal(size=(100_000 if full else 10_000, 60))
    took = min(timed(process_charts, batch)[0] for _ in range(3))
    stream = min(timed(batch.sum)[0] for _ in range(3))
    print(
        f"\nAs one batch: {1000 * took / len(batch):.4f} s a 1,000 of {len(batch):,} series of 60; {took / stream:.0f} times a sum of the numbers."
    )


def _own_flags(values: Floats, screen: bool) -> list[bool]:
    flags = process_charts(values[None], screen=screen).flags[0]
    return [bool(code != Flag.COMMON) for code in flags]


def _chart_peers() -> dict[str, Callable[[Floats, bool], list[bool]]]:
    try:
        pd, abspc, rules = (import_module(name) for name in ("pandas", "abspc", "pyqicharts.xmr_rules"))
    except ImportError:
        return {}

    def with_abspc(values: Floats, screen: bool) -> list[bool]:
        limits = abspc.calculate_control_limits(pd.DataFrame({"value": values}), "xmr")
        return [bool(flag) for flag in abspc.detect_special_causes(limits)["special_cause"]]

    def with_pyqicharts(values: Floats, screen: bool) -> list[bool]:
        moves = np.abs(np.diff(values))
        kept = moves[moves < 3.267 * moves.mean()] if screen else moves
        reach = 2.66 * kept.mean()
        found = rules.xmr_signals(
            pd.Series(values),
            values.mean(),
            values.mean() - reach,
            values.mean() + reach,
            config=rules.XmrRuleConfig(7, 7),
        )
        return [bool(flag) for flag in found["special_cause"]]

    return {"abspc 1.1.0": with_abspc, "pyqicharts 2.0.0, 7/7 and our limits": with_pyqicharts}


# --- forecasts


def _m1(odd: bool) -> list[Floats]:
    """Return the M1 series, tuned on (odd) or held back (even), history and future together."""
    parts: defaultdict[str, list[float]] = defaultdict(list)
    with (DATA / "forecast_tuning_m1_monthly.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            parts[row["series_id"]].append(float(row["value"]))
    return [np.array(values) for at, values in enumerate(parts.values(), start=1) if at % 2 == odd]


class Score:
    """Forecasts against what came: per series, so that each figure has its interval."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.numbers: defaultdict[str, list[float]] = defaultdict(list)
        self.held: defaultdict[str, list[int]] = defaultdict(list)

    def add(
        self,
        history: Floats,
        actual: Floats,
        at: dict[float, Floats],
        total: dict[float, float],
        chances: Floats,
    ) -> None:
        scale = np.abs(history[12:] - history[:-12]).mean()
        middle, low, high = at[0.5], at[0.025], at[0.975]
        self.numbers["sMAPE"].append(
            float(np.mean(200 * np.abs(actual - middle) / (np.abs(actual) + np.abs(middle))))
        )
        self.numbers["MASE"].append(float(np.abs(actual - middle).mean() / scale))
        outside = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
        self.numbers["MSIS95"].append(float((high - low + 40 * outside).mean() / scale))
        whole, last = actual.sum(), history[-HORIZON:].sum()
        self.numbers["Brier"] += [
            float((p - (whole >= k * last)) ** 2) for p, k in zip(chances, SHARES, strict=True)
        ]
        for name, (lower, upper) in {"80": (0.1, 0.9), "95": (0.025, 0.975)}.items():
            self.held[f"months {name}"] += (
                ((at[lower] <= actual) & (actual <= at[upper])).astype(int).tolist()
            )
            self.held[f"totals {name}"].append(int(total[lower] <= whole <= total[upper]))


def forecasts(*, full: bool) -> None:
    """Score months and totals on the even series of M1, from rolling origins."""
    every = _m1(odd=False)
    whole = every if full else every[:40]
    origins = (0, 3, 6, 9) if full else (0,)
    scores: defaultdict[str, Score] = defaultdict(Score)
    for origin in origins:
        cut = [
            (values[: values.size - HORIZON - origin], values[values.size - HORIZON - origin :])
            for values in whole
        ]
        pairs = [(history, after[:HORIZON]) for history, after in cut]
        _score_own(scores["rmo"], pairs)
        _score_peers(scores, pairs)
    print(f"\n## Forecasts: {len(whole)} even series of M1, {len(origins)} origins, {HORIZON} months ahead\n")
    print("| | sMAPE | MASE | MSIS95 | Brier | s a 1,000 |\n|---|---|---|---|---|---|")
    for name, score in scores.items():
        cells = [mean(np.array(score.numbers[key])) for key in ("sMAPE", "MASE", "MSIS95", "Brier")]
        print(f"| {name} | {' | '.join(cells)} | {1000 * score.seconds / (len(whole) * len(origins)):.2f} |")
    print("\n| | months 80% | months 95% | totals 80% | totals 95% |\n|---|---|---|---|---|")
    for name, score in scores.items():
        targets = {"80": (0.76, 0.88), "95": (0.92, 0.98)} if name == "rmo" else {}
        held = [
            share(sum(score.held[key]), len(score.held[key]), targets.get(key[-2:]))
            for key in ("months 80", "months 95", "totals 80", "totals 95")
        ]
        print(f"| {name} | {' | '.join(held)} |")
    if "AutoETS" in scores:
        for key in ("MASE", "MSIS95", "Brier"):
            ratio = np.mean(scores["rmo"].numbers[key]) / np.mean(scores["AutoETS"].numbers[key])
            print(f"\n{key} is {ratio:.3f} of that of AutoETS.", end="")
        print()


def _score_own(score: Score, pairs: list[tuple[Floats, Floats]]) -> None:
    longest = max(history.size for history, _ in pairs)
    values = np.array([np.concatenate([np.full(longest - h.size, np.nan), h]) for h, _ in pairs])
    forecast(values, horizon=HORIZON, season=12)  # fills the caches
    took, found = timed(forecast, values, horizon=HORIZON, season=12)
    score.seconds += took
    months = {p: found.months.quantile(p) for p in QUANTILES}
    total = {p: found.total.quantile(p) for p in QUANTILES}
    last = np.array([history[-HORIZON:].sum() for history, _ in pairs])
    chances = np.array([found.total.chance_of_at_least(k * last) for k in SHARES])
    for row, (history, actual) in enumerate(pairs):
        at = {p: months[p][row] for p in QUANTILES}
        score.add(history, actual, at, {p: total[p][row] for p in QUANTILES}, chances[:, row])


def _score_peers(scores: defaultdict[str, Score], pairs: list[tuple[Floats, Floats]]) -> None:
    """Score statsforecast; a total is normal, with the months' variances added up, since paths are not offered."""
    try:
        pd, statsforecast, models = (
            import_module(name) for name in ("pandas", "statsforecast", "statsforecast.models")
        )
    except ImportError:
        return
    frame = pd.DataFrame(
        [(row, t, y) for row, (history, _) in enumerate(pairs) for t, y in enumerate(history)],
        columns=["unique_id", "ds", "y"],
    )
    for name in PEERS:
        tool = statsforecast.StatsForecast(models=[getattr(models, name)(season_length=12)], freq=1, n_jobs=1)
        took, found = timed(tool.forecast, df=frame, h=HORIZON, level=[80, 95])
        scores[name].seconds += took
        column = {0.5: "", 0.1: "-lo-80", 0.9: "-hi-80", 0.025: "-lo-95", 0.975: "-hi-95"}
        months = {p: found[name + suffix].to_numpy().reshape(-1, HORIZON) for p, suffix in column.items()}
        for row, (history, actual) in enumerate(pairs):
            at = {p: months[p][row] for p in QUANTILES}
            centre = at[0.5].sum()
            spread = sqrt((((at[0.9] - at[0.1]) / (2 * normal_quantile(0.9))) ** 2).sum())
            total = {p: centre + spread * normal_quantile(p) for p in QUANTILES}
            last = history[-HORIZON:].sum()
            chances = normal_cdf((centre - np.array(SHARES) * last) / max(spread, 1e-9))
            scores[name].add(history, actual, at, total, chances)


# --- effects


def effects(*, full: bool, seed: int) -> None:
    """Cover the truth, and cry wolf seldom, with and without a step of two standard deviations."""
    count = 2000 if full else 200
    print(f"\n## Effects: {count} series a setting, step 0 or 2, 95% intervals, seed {seed}\n")
    peers, few = _effect_peers(), PEER_SERIES[full]
    names = "".join(f" {name}: covered |" for name in ("straight line", *peers))
    print(f"| noise | periods | covered | false positives | power | root of mean square |{names}")
    print("|---" * (7 + len(peers)) + "|")
    for kind in noise.EFFECT_KINDS:
        for periods in (24, 36, 60):
            values = noise.series(kind, np.random.default_rng(seed + periods), count, periods)
            profile = np.broadcast_to((np.arange(periods) >= periods * 2 // 3) * 1.0, values.shape)
            low, high = effect(values, profile, season=12).interval()
            with_step = effect(values + 2 * profile, profile, season=12)
            low2, high2 = with_step.interval()
            covered = int(((low <= 0) & (high >= 0)).sum() + ((low2 <= 2) & (high2 >= 2)).sum())
            wolf = count - int(((low <= 0) & (high >= 0)).sum())
            power = int((low2 > 0).sum() + (high2 < 0).sum())
            error = sqrt(float(((with_step.estimate - 2) ** 2).mean()))
            beside = "".join(
                f" {share(sum(bool(covers(row, profile[0])) for row in values[:few]), few)} |"
                for covers in peers.values()
            )
            print(
                f"| {kind} | {periods} | {share(covered, 2 * count, (0.93, 1))} | {share(wolf, count, (0, 0.07))} "
                f"| {100 * power / count:.0f}% | {error:.2f} | {100 * _straight_line(values, profile):.0f}% |{beside}"
            )


def _straight_line(values: Floats, profile: Floats) -> float:
    """Return how often ordinary least squares with a trend and a step covers a step of 0."""
    periods = values.shape[1]
    x = np.column_stack([np.ones(periods), np.arange(periods), profile[0]])
    inverse = np.linalg.inv(x.T @ x)
    beta = values @ x @ inverse
    rest = values - beta @ x.T
    error = np.sqrt((rest**2).sum(axis=1) / (periods - 3) * inverse[2, 2])
    return float((np.abs(beta[:, 2]) <= 2.03 * error).mean())


def _effect_peers() -> dict[str, Callable[[Floats, Floats], bool]]:
    """Return what tells whether statsmodels' 95% interval of a step covers 0."""
    try:
        api = import_module("statsmodels.api")
    except ImportError:
        return {}

    def newey_west(values: Floats, profile: Floats) -> bool:
        x = np.column_stack([np.ones(values.size), np.arange(values.size), profile])
        low, high = api.OLS(values, x).fit(cov_type="HAC", cov_kwds={"maxlags": 4}).conf_int()[2]
        return bool(low <= 0 <= high)

    def local_level(values: Floats, profile: Floats) -> bool:
        fitted = api.tsa.UnobservedComponents(values, "local level", exog=profile).fit(disp=False)
        low, high = fitted.conf_int()[-1]
        return bool(low <= 0 <= high)

    return {"Newey-West": newey_west, "UnobservedComponents": local_level}


# --- false alarms


def false_alarms(*, full: bool, seed: int) -> None:
    """Count the newest readings that are flagged though nothing happened, and those that are when one jumps."""
    count = 2000 if full else 300
    print(
        f"\n## Newest reading: {count} series a setting, seed {seed}; flagged though nothing happened, and after a jump of 3\n"
    )
    print(
        "| noise | periods | surprise p < 0.01 | chart | surprise, jump | chart, jump |\n|---|---|---|---|---|---|"
    )
    for kind in noise.KINDS:
        for periods in (24, 36, 60):
            values = noise.series(kind, np.random.default_rng(seed + periods), count, periods)
            jumped = values.copy()
            jumped[:, -1] += 3
            calm, told = (
                int((surprise(newest_innovation(each, season=12)) < 0.01).sum()) for each in (values, jumped)
            )
            flagged, flagged_jump = (
                int((process_charts(each).flags[:, -1] > 0).sum()) for each in (values, jumped)
            )
            print(
                f"| {kind} | {periods} | {share(calm, count, (0.005, 0.02))} | {100 * flagged / count:.1f}% "
                f"| {100 * told / count:.0f}% | {100 * flagged_jump / count:.0f}% |"
            )


# --- speed


def mix(rng: np.random.Generator, count: int) -> Floats:
    """Return 70% complete series, 20% with 12 different starts or ends, 10% with gaps of their own."""
    values = 100 + np.cumsum(rng.normal(size=(count, 60)), axis=1) / 2 + 2 * rng.normal(size=(count, 60))
    for row in range(int(count * 0.7), int(count * 0.9)):
        kind = row % 12
        values[row, slice(0, 3 * (kind + 1)) if kind < 6 else slice(60 - (kind - 5), 60)] = np.nan
    for row in range(int(count * 0.9), count):
        values[row, rng.choice(60, rng.integers(1, 6), replace=False)] = np.nan
    return values


def whole_engine(values: Floats) -> bytes:
    """Put series through alarms, chart, forecast, effect and surprise, and return a hash of what came out."""
    profile = (np.arange(values.shape[1]) >= 40) * np.ones((len(values), 1))
    charted = process_charts(values, direction=1, target=100.0)
    found = forecast(values, horizon=HORIZON, season=12)
    change = effect(values, profile, season=12)
    numbers = [
        charted.upper,
        found.months.x,
        found.total.x,
        change.spread.x,
        newest_innovation(values, season=12),
    ]
    digest = hashlib.sha256(alarms(values).kind.tobytes() + charted.flags.tobytes())
    for each in numbers:
        digest.update(np.ascontiguousarray(each).tobytes())
    return digest.digest()


def speed(*, full: bool, seed: int) -> None:
    """Time the whole engine, and compare the bytes of one batch with those of another."""
    print(f"\n## Speed: alarms, chart, forecast, effect, surprise; 60 periods, seed {seed}\n")
    print("| series | complete, s | mixed, s | peak memory, MiB |\n|---|---|---|---|")
    rng = np.random.default_rng(seed)
    for count in (1000, 10_000) if full else (200,):
        complete, mixed = rng.normal(100, 5, (count, 60)), mix(rng, count)
        whole_engine(mixed[:: max(1, count // 200)])  # fills the caches
        seconds = [timed(whole_engine, each)[0] for each in (complete, mixed)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {count:,} | {seconds[0]:.2f} | {seconds[1]:.2f} | {peak:.0f} |")
    one = mix(rng, 1)
    whole_engine(one)
    print(f"\nOne series: {1000 * min(timed(whole_engine, one)[0] for _ in range(5)):.1f} ms.")
    few = mix(rng, 60)
    alone = [forecast(few[[row]], horizon=HORIZON, season=12).total.x for row in range(60)]
    same = np.array_equal(
        np.concatenate(alone), forecast(few, horizon=HORIZON, season=12).total.x, equal_nan=True
    )
    print(f"The same bytes alone and in a batch: {'yes' if same else 'NO'}.")


def main() -> None:
    """Print the scorecard, or a part of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--part", choices=["charts", "forecasts", "effects", "alarms", "speed"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "charts": lambda: charts(full=asked.full),
        "forecasts": lambda: forecasts(full=asked.full),
        "effects": lambda: effects(full=asked.full, seed=asked.seed),
        "alarms": lambda: false_alarms(full=asked.full, seed=asked.seed),
        "speed": lambda: speed(full=asked.full, seed=asked.seed),
    }
    for name, part in parts.items():
        if asked.part in (None, name):
            part()


if __name__ == "__main__":
    main()
