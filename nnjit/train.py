"""`python -m nnjit.train --config FILE`: the same as `nnjit train`."""

from nnjit.cli.entry import train

if __name__ == "__main__":
    train()
