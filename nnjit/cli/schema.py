"""`nnjit schema`: print the JSON Schema of a config."""

from __future__ import annotations

import json

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import say


def schema() -> None:
    """Print the JSON Schema of a config, for editors.

    With it, an editor completes and checks a config.
    Save it, nnjit schema > nnjit.schema.json, and begin a config with the line
    # yaml-language-server: $schema=nnjit.schema.json
    """
    with exit_status():
        from nnjit import config

        say(json.dumps(config.schema(), indent=2))
