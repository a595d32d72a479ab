"""The style sheet of the plots, for readers with a light and with a dark preference."""

from __future__ import annotations

#: Goes into a page once. The colours are distinct for the colour-blind, too.
STYLE = """
:root {
  --plot-ink: #55616d; --plot-grid: #8b98a633; --plot-paper: #fff; --plot-reading: #2f6fb0;
  --plot-late: #e69f00; --plot-too-late: #8c1d18; --plot-refused: #7a5fa8; --plot-open: #d33a2c;
  --plot-filled: #2f9e55; --plot-unknown: #8b98a6; --plot-processed: #2b8a83;
  --plot-2: #c4571b; --plot-4: #8a5bb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --plot-ink: #a3afbb; --plot-grid: #a3afbb2e; --plot-paper: #11161c; --plot-reading: #5fa3e6;
    --plot-late: #f2b84b; --plot-too-late: #ff8a82; --plot-refused: #b59be0; --plot-open: #ff6b60;
    --plot-filled: #6cc98a; --plot-unknown: #a3afbb; --plot-processed: #5cc4bb;
    --plot-2: #f09b62; --plot-4: #c09be6;
  }
}
.plot { display: block; width: 100%; height: auto; overflow: visible; font: 11px system-ui, sans-serif; }
.plot text { fill: var(--plot-ink); }
.plot .grid { stroke: var(--plot-grid); stroke-width: 1; }
.plot .axis { stroke: var(--plot-ink); stroke-width: 1; }
.plot .bar { fill: var(--plot-reading); }
.plot .bar.late, .plot .sign.late { fill: var(--plot-late); }
.plot .bar.too-late, .plot .sign.too-late { fill: var(--plot-too-late); }
.plot .bar.refused { fill: var(--plot-refused); }
.plot .bar.missing { fill: var(--plot-open); }
.plot .bar.processed { fill: var(--plot-processed); }
.plot .bar:hover { filter: brightness(1.2); }
.plot .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.plot .s0 { stroke: var(--plot-reading); } .plot .s1 { stroke: var(--plot-2); }
.plot .s2 { stroke: var(--plot-filled); } .plot .s3 { stroke: var(--plot-4); }
.plot .key-s0 { fill: var(--plot-reading); } .plot .key-s1 { fill: var(--plot-2); }
.plot .key-s2 { fill: var(--plot-filled); } .plot .key-s3 { fill: var(--plot-4); }
.plot .region.open { fill: var(--plot-open); fill-opacity: .38; }
.plot .region.missing { fill: var(--plot-open); fill-opacity: .16; }
.plot .region.filled { fill: var(--plot-filled); fill-opacity: .22; }
.plot .region.unknown { fill: var(--plot-unknown); fill-opacity: .16; }
.plot .mark { stroke: var(--plot-ink); stroke-width: 1; stroke-dasharray: 3 3; }
"""
