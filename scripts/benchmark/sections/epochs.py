"""Time very many very short epochs, all of them in the history."""

from __future__ import annotations

from typing import Any

from scripts.benchmark.children import Child, Spec
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import number, verdict

EPOCHS, MOST = 100_000, 0.3


def run(settings: Settings) -> dict[str, Any]:
    """Train xor for 100,000 epochs of one step each."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    with Child(Spec("nnjit", "xor"), settings.logs / "epochs.log") as child:
        child.receive()
        seconds = child.ask("time_epochs", EPOCHS)
    is_reached = seconds["train"] <= MOST
    train, wall = number(seconds["train"]), number(seconds["wall"])
    print(f"\nEpochs: {EPOCHS:,} full-batch epochs of xor")
    print(f"  {train} s of training, at most {MOST}: {verdict(is_reached)}; {wall} s in all", flush=True)
    return {"epochs": EPOCHS, **seconds, "most": MOST, "reached": is_reached}
