"""Write the recipes' synthetic data into the current directory.

python scripts/example_data.py flats        # flats.csv and new_flats.csv: prices of flats
python scripts/example_data.py sales        # sales.csv: daily sales of two shops
python scripts/example_data.py payments     # payments.csv: one payment in 30 is a fraud
python scripts/example_data.py shapes       # shapes/circle/0.png, …: drawings of three shapes
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

SEED = 0
NEW = 4  # flats without a price


def flats() -> None:
    """Prices by size, district, age and floor; some sizes of balconies are missing."""
    rng, n = np.random.default_rng(SEED), 500
    size = rng.normal(70, 22, n).clip(20).round()
    district = rng.choice(["Centre", "Harbour", "Hill", "North"], n, p=[0.2, 0.2, 0.25, 0.35])
    factor = np.array([{"Centre": 5.2, "Harbour": 4.1, "Hill": 4.6, "North": 3.0}[name] for name in district])
    built = rng.integers(1900, 2021, n)
    lift = rng.choice(["yes", "no"], n)
    floor = rng.integers(0, 7, n)
    balcony = rng.gamma(2, 3, n).round(1)
    stairs = np.where(lift == "no", 6 * floor, 0)
    price = size * factor + 0.4 * (built - 1900) + 3 * balcony - stairs + rng.normal(0, 12, n)
    columns = {
        "flat": [f"F{k:04}" for k in range(n)],
        "size": size,
        "district": district,
        "built": built,
        "floor": floor,
        "lift": lift,
        "balcony": [None if rng.random() < 0.1 else value for value in balcony],
        "price": price.round(1),
    }
    frame = pl.DataFrame(columns)
    frame[:-NEW].write_csv("flats.csv")
    frame[-NEW:].drop("price").write_csv("new_flats.csv")


def sales() -> None:
    """Daily sales of two shops, with a weekly season and a slow trend."""
    rng, days = np.random.default_rng(SEED), 500
    t = np.arange(days)
    parts = []
    for shop, level in (("Main Street", 120), ("Station", 80)):
        week = np.array([0, 2, 3, 5, 14, 30, -20])[t % 7]
        sold = level + 0.05 * t + week + 8 * np.sin(t / 20) + rng.normal(0, 4, days)
        dates = [date(2024, 1, 1) + timedelta(days=int(k)) for k in t]
        parts.append(pl.DataFrame({"day": dates, "shop": [shop] * days, "sales": sold.round()}))
    pl.concat(parts).write_csv("sales.csv")


def payments() -> None:
    """Payments; about one in 30 is a fraud: a large one at night, from a new device."""
    rng, n = np.random.default_rng(SEED), 3000
    amount = rng.lognormal(3.5, 1, n).round(2)
    hour = rng.integers(0, 24, n)
    device = rng.choice(["known", "new"], n, p=[0.8, 0.2])
    score = 0.9 * np.log(amount) + 1.5 * (hour < 6) + 1.8 * (device == "new") + rng.normal(0, 0.5, n)
    fraud = np.where(score > np.quantile(score, 1 - 1 / 30), "yes", "no")
    pl.DataFrame({"amount": amount, "hour": hour, "device": device, "fraud": fraud}).write_csv("payments.csv")


def shapes() -> None:
    """Grey drawings of 16 × 16 pixels, in one folder per class."""
    from PIL import Image, ImageDraw

    rng = np.random.default_rng(SEED)
    for name in ("circle", "square", "triangle"):
        folder = Path("shapes", name)
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(100):
            image = Image.fromarray(rng.integers(0, 60, (16, 16)).astype(np.uint8))
            radius = rng.uniform(3, 6)
            x, y = rng.uniform(radius, 15 - radius, 2)
            box, draw, ink = (x - radius, y - radius, x + radius, y + radius), ImageDraw.Draw(image), 220
            if name == "circle":
                draw.ellipse(box, fill=ink)
            elif name == "square":
                draw.rectangle(box, fill=ink)
            else:
                draw.polygon([(x, box[1]), (box[0], box[3]), (box[2], box[3])], fill=ink)
            image.save(folder / f"{k}.png")


TABLES: dict[str, Callable[[], None]] = {f.__name__: f for f in (flats, sales, payments, shapes)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=TABLES, help="data to write")
    TABLES[parser.parse_args().name]()
