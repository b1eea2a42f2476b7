"""`python -m nnjit.train --config FILE`: the same as `nnjit train`."""

from nnjit.cli.app import single
from nnjit.cli.train import train

if __name__ == "__main__":
    single(train, name="python -m nnjit.train")
