"""`python -m dashboards`, or `make dashboards`: writes the dashboards' JSON to `dashboards/json/`."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import anomalies, drill_down, fleet, grid, health, home, overview

FOLDER = Path(__file__).with_name("json")


def built() -> dict[str, str]:
    """File name → JSON text of every dashboard."""
    texts = {}
    for module in (overview, grid, anomalies, drill_down, fleet, home, health):
        dashboard = module.build().build()
        # Links and tests refer to panels by id: ids are assigned in the order of the panels.
        for number, panel in enumerate(dashboard.panels or [], start=1):
            panel.id_val = number
        texts[f"{dashboard.uid}.json"] = (
            JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(dashboard) + "\n"
        )
    return texts


if __name__ == "__main__":
    for name, text in built().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
