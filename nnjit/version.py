"""The version of nnjit."""

VERSION = "0.1.0"
