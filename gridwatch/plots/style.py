"""The style sheet of the plots, for readers with a light and with a dark preference."""

from __future__ import annotations

#: Goes into a page once. The colours are distinct for the colour-blind, too: levels differ in lightness, one
#: from the next, and stand out from the page the more the higher they are.
STYLE = """
:root {
  --plot-ink: #55616d; --plot-grid: #8b98a633; --plot-paper: #fff; --plot-reading: #2f6fb0;
  --plot-late: #e69f00; --plot-too-late: #8c1d18; --plot-refused: #7a5fa8; --plot-open: #d33a2c;
  --plot-filled: #2f9e55; --plot-unknown: #8b98a6; --plot-processed: #2b8a83;
  --plot-2: #c4571b; --plot-4: #8a5bb5;
  --level-0: #fff3cf; --level-1: #fedf85; --level-2: #fdb63c;
  --level-none: #eef1f4; --level-3: #ef7818; --level-4: #c23b08; --level-5: #6d1a05;
}
@media (prefers-color-scheme: dark) {
  :root {
    --plot-ink: #a3afbb; --plot-grid: #a3afbb2e; --plot-paper: #11161c; --plot-reading: #5fa3e6;
    --plot-late: #f2b84b; --plot-too-late: #ff8a82; --plot-refused: #b59be0; --plot-open: #ff6b60;
    --plot-filled: #6cc98a; --plot-unknown: #a3afbb; --plot-processed: #5cc4bb;
    --plot-2: #f09b62; --plot-4: #c09be6;
    --level-0: #33270f; --level-1: #5e400d; --level-2: #95600b;
    --level-none: #1b222a; --level-3: #d3851a; --level-4: #ffb04a; --level-5: #ffe7b0;
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
.plot .bar.spike { fill: var(--plot-open); } .plot .bar.drop { fill: var(--plot-reading); }
.plot .bar.level-shift { fill: var(--plot-refused); } .plot .bar.reverse-flow { fill: var(--plot-filled); }
.plot .bar.run { fill: var(--plot-unknown); } .plot .bar.supply { fill: var(--plot-late); }
.plot .span.spike { color: var(--plot-open); } .plot .span.drop { color: var(--plot-reading); }
.plot .span.level-shift { color: var(--plot-refused); }
.plot .span.reverse-flow { color: var(--plot-filled); }
.plot .span.run { color: var(--plot-unknown); } .plot .span.supply { color: var(--plot-late); }
.plot .span .under { fill: transparent; } .plot .span path { fill: currentColor; }
.plot .span .range { stroke: currentColor; stroke-width: 2.5; }
.plot .span .begin { stroke: currentColor; stroke-width: 1; stroke-dasharray: 2 3; }
.plot .span text { fill: var(--plot-ink); font-size: 10px; }
.plot .usual { fill: var(--plot-refused); fill-opacity: .26; }
.plot .usual-mean { fill: none; stroke: var(--plot-refused); stroke-width: 1.2; stroke-dasharray: 4 3; }
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
.plot .band { fill: var(--plot-reading); fill-opacity: .22; }
.plot .hover { fill: transparent; }
.plot .hover:hover { fill: var(--plot-ink); fill-opacity: .1; }
.plot .level { stroke: var(--plot-ink); stroke-width: 1; stroke-dasharray: 6 4; }
.plot .level.warn { stroke: var(--plot-late); }
.plot .level.bad { stroke: var(--plot-open); stroke-dasharray: none; }
.strip, .small-line { display: block; width: 100%; }
.strip { height: 1.5rem; background: var(--level-none); }
.strip .level-0 { fill: var(--level-0); } .strip .level-1 { fill: var(--level-1); }
.strip .level-2 { fill: var(--level-2); }
.strip .level-3 { fill: var(--level-3); } .strip .level-4 { fill: var(--level-4); }
.strip .level-5 { fill: var(--level-5); }
.strip .unsure { fill: var(--plot-unknown); fill-opacity: .25; }
.strip rect:hover { stroke: var(--plot-ink); stroke-width: 1.5; }
.strip path { fill: none; pointer-events: none; vector-effect: non-scaling-stroke; }
.strip .hatch { stroke: var(--plot-unknown); stroke-width: 1; }
.strip .partial { stroke: var(--plot-processed); stroke-width: 4; }
.small-line { height: 1.75rem; min-width: 7rem; }
.small-line .line { fill: none; stroke: var(--plot-reading); stroke-width: 1.6; }
.small-line .line { vector-effect: non-scaling-stroke; }
"""
