"""`gridwatch doctor`: what is reachable, what is wrong, and how to fix it."""

from __future__ import annotations

import json
from typing import Any

import click

from gridwatch.settings import load_settings

_COLUMNS = ("partition", "watermark", "committed", "end", "lag", "owner")


@click.command(epilog="Example:  gridwatch doctor --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check what is reachable, what is wrong, and how to fix it; exit 1 if anything is wrong.

    Checks versions, broker, topics, lag, the worker and the watermark of each partition, the database with
    its schema and clock, the sink, and the registry. Changes nothing, and takes at most 30 seconds.
    """
    from gridwatch.cli.doctor import diagnose

    found = diagnose(load_settings())
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        for finding in found.findings:
            mark = click.style("ok   ", fg="green") if finding.ok else click.style("WRONG", fg="red")
            click.echo(f"{mark} {finding.check:<15} {finding.message}")
            if not finding.ok:
                click.echo(f"{'':21} remedy: {finding.remedy}")
        for line in table(found.partitions):
            click.echo(line)
    context.exit(0 if found.ok else 1)


def table(partitions: list[dict[str, Any]]) -> list[str]:
    """The partitions as lines in columns; none for none."""
    if not partitions:
        return []
    rows = [_COLUMNS, *(tuple(_cell(row.get(name)) for name in _COLUMNS) for row in partitions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return [
        "",
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
    ]


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)
