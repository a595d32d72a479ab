"""What is judged for anomalies, and by what."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from gridwatch.domain.policy import MINUTE

AnomalyOn = Literal["15m", "1m", "reading", "none"]
_LENGTHS: Final[dict[str, int | None]] = {"15m": 15 * MINUTE, "1m": MINUTE, "reading": None}


class Anomalies(BaseModel):
    """What is judged for anomalies: docs/anomalies.md."""

    anomaly_on: AnomalyOn = Field(
        "15m",
        description="the windows that are judged for anomalies: of `15m`, `1m`, or each `reading`; or `none`",
    )
    nominal_voltage: float = Field(
        230.0, ge=1, le=1_000_000, description="the voltage that meters should have, V"
    )
    nominal_frequency: float = Field(50.0, ge=1, le=1000, description="the frequency of the grid, Hz")

    @property
    def judging(self) -> dict[str, Any]:
        """The same as fields of the policy."""
        return {
            "judges": self.anomaly_on != "none",
            "judged_window": _LENGTHS.get(self.anomaly_on),
            "nominal_voltage": self.nominal_voltage,
            "nominal_frequency": self.nominal_frequency,
        }
