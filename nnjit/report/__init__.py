"""The pictures and the page that a run leaves for people, made from the files of its folder alone."""

from nnjit.report.page import write_report

__all__ = ["write_report"]
