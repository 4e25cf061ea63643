#!/usr/bin/env python3
"""Print the statistics of the monograph's log of 160 trainings: how much of the rewards is noise, and whether they rise.

    scripts/monograph_statistics.py LOG.csv            a table and a few sentences
    scripts/monograph_statistics.py LOG.csv --json     the same figures for programs

LOG.csv has the columns episode, child, layers, params, accuracy, reward, and the same number of children in every episode.
Within an episode all trainings are of one network, so the variance within episodes is training noise and the variance between
episodes is what the architecture is worth. One-way analysis of variance:

    F   = mean square between episodes / mean square within
    ICC = (between - within) / (between + (n - 1) within), the part of one training's variance that its network explains

The slope is that of the episodes' mean rewards, by least squares. Needs nothing but Python's standard library.
"""
import argparse
import csv
import json
import math
import statistics
import sys

COLUMNS = {"episode": int, "child": int, "layers": int, "params": int, "accuracy": float, "reward": float}


def read(path):
    """The children of each episode, by the episode's number."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = sorted(COLUMNS.keys() - set(reader.fieldnames or ()))
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}")
        episodes = {}
        for row in reader:
            try:
                child = {name: kind(row[name]) for name, kind in COLUMNS.items()}
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
            episodes.setdefault(child["episode"], []).append(child)
    sizes = {len(children) for children in episodes.values()}
    if len(episodes) < 3 or len(sizes) != 1 or sizes == {1}:
        raise ValueError(f"{path}: needs at least 3 episodes of equally many children, at least 2 each")
    return dict(sorted(episodes.items()))


def incomplete_beta(a, b, x):
    """The regularised incomplete beta function, by continued fraction (Lentz's method)."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d, fraction = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1)), 1.0 / (1.0 - (a + b) * x / (a + 1))
    for m in range(1, 1000):
        previous = fraction
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for numerator in (even, odd):
            c, d = 1.0 + numerator / c, 1.0 / (1.0 + numerator * d)
            fraction *= c * d
        if abs(fraction - previous) < 1e-15 * abs(fraction):
            break
    return front * fraction


def two_sided_p(t, freedom):
    """Two-sided p-value of Student's t."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def t_quantile(freedom):
    """The two-sided 95 % quantile of Student's t, by bisection."""
    low, high = 0.0, 1000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, freedom) > 0.05 else (low, middle)
    return high


def variance_components(groups):
    """F, its degrees of freedom and p-value, the intraclass correlation, and the pooled standard deviation within groups."""
    size, count = len(groups[0]), len(groups)
    between = size * statistics.variance([statistics.fmean(group) for group in groups])
    within = statistics.fmean([statistics.variance(group) for group in groups])
    freedom = (count - 1, count * (size - 1))
    f = between / within if within > 0 else math.inf
    p = incomplete_beta(freedom[1] / 2, freedom[0] / 2, freedom[1] / (freedom[1] + freedom[0] * f)) if f < math.inf else 0.0
    icc = (between - within) / (between + (size - 1) * within) if between + within > 0 else 0.0
    return {"f": f, "freedom": freedom, "p_value": p, "intraclass_correlation": icc, "deviation_within": math.sqrt(within)}


def slope(values):
    """Least squares of values over 1, 2, ...: slope, the ends of its 95 % interval, p-value."""
    places = range(1, len(values) + 1)
    middle, mean = statistics.fmean(places), statistics.fmean(values)
    spread = sum((x - middle) ** 2 for x in places)
    rise = sum((x - middle) * (y - mean) for x, y in zip(places, values)) / spread
    residual = sum((y - mean - rise * (x - middle)) ** 2 for x, y in zip(places, values))
    freedom = len(values) - 2
    error = math.sqrt(residual / freedom / spread)
    half = t_quantile(freedom) * error
    p = two_sided_p(rise / error, freedom) if error > 0 else float(rise == 0)
    return {"per_episode": rise, "ci95": (rise - half, rise + half), "p_value": p}


def describe(episodes):
    table = []
    for number, children in episodes.items():
        accuracies = [child["accuracy"] for child in children]
        table.append({
            "episode": number,
            "networks": len({(child["layers"], child["params"]) for child in children}),
            "layers": sorted({child["layers"] for child in children}),
            "params": sorted({child["params"] for child in children}),
            "mean_accuracy": statistics.fmean(accuracies),
            "deviation": statistics.stdev(accuracies),
            "best_accuracy": max(accuracies),
            "mean_reward": statistics.fmean(child["reward"] for child in children),
        })
    every = [child for children in episodes.values() for child in children]
    best = max(every, key=lambda child: child["accuracy"])
    groups = {name: [[child[name] for child in children] for children in episodes.values()] for name in ("accuracy", "reward")}
    return {
        "trainings": len(every),
        "episodes": table,
        "best": best,
        "reward": variance_components(groups["reward"]),
        "accuracy": variance_components(groups["accuracy"]),
        "reward_slope": slope([row["mean_reward"] for row in table]),
    }


def text(figures):
    lines = ["episode  layers    params  trainings' accuracy: mean  deviation    best   mean reward"]
    for row in figures["episodes"]:
        one = row["networks"] == 1
        layers, params = (str(row[name][0]) if one else "various" for name in ("layers", "params"))
        lines.append(f"{row['episode']:7}  {layers:>6}  {params:>8}  {row['mean_accuracy']:25.4f}  {row['deviation']:9.4f}"
                     f"  {row['best_accuracy']:.4f}  {row['mean_reward']:12.4f}")
    best, slope_ = figures["best"], figures["reward_slope"]
    own = next(row for row in figures["episodes"] if row["episode"] == best["episode"])
    low, high = (min(row["layers"][0] for row in figures["episodes"]), max(row["layers"][-1] for row in figures["episodes"]))
    lines += [
        "",
        f"{figures['trainings']} trainings in {len(figures['episodes'])} episodes, of {low} to {high} layers; "
        + ("each episode's are of one size (layers and parameters)." if all(row["networks"] == 1 for row in figures["episodes"])
           else "some episodes hold networks of several sizes."),
        f"Best: child {best['child']} of episode {best['episode']}, accuracy {best['accuracy']:.4f}, reward {best['reward']:.6f}; "
        f"its episode's mean is {own['mean_accuracy']:.4f}, standard deviation {own['deviation']:.4f}.",
    ]
    for name in ("reward", "accuracy"):
        parts = figures[name]
        lines.append(
            f"{name.capitalize()}: F({parts['freedom'][0]}, {parts['freedom'][1]}) = {parts['f']:.2f}, p = {parts['p_value']:.2g}; "
            f"intraclass correlation {parts['intraclass_correlation']:.3f} "
            f"({100 * (1 - parts['intraclass_correlation']):.0f} % of the variance is training noise); standard deviation within episodes "
            f"{parts['deviation_within']:.4f}.")
    lines.append(f"Slope of the mean reward: {slope_['per_episode']:+.4f} per episode (95 % interval {slope_['ci95'][0]:+.4f} to "
                 f"{slope_['ci95'][1]:+.4f}, p = {slope_['p_value']:.2g}).")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", metavar="LOG.csv")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    try:
        figures = describe(read(arguments.log))
    except (OSError, ValueError) as error:
        sys.exit(f"monograph_statistics: {error}")
    print(json.dumps(figures) if arguments.json else text(figures))


if __name__ == "__main__":
    main()
