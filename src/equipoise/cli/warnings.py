"""Warnings on the terminal: the first of each rule, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

import click

from equipoise.errors import Problem

MOST_WARNINGS = 10
"""Warnings of one rule that are told one by one."""


def tell_warnings(warnings: Sequence[Problem]) -> None:
    """The first warnings of each rule, and how many more there are."""
    told: dict[str, int] = {}
    for warning in warnings:
        told[warning.rule] = told.get(warning.rule, 0) + 1
        if told[warning.rule] <= MOST_WARNINGS:
            click.echo(f"warning: {warning}", err=True)
    for rule, count in told.items():
        if count > MOST_WARNINGS:
            click.echo(f"warning: and {count - MOST_WARNINGS} more [{rule}]", err=True)
