"""The worker's pages: health, meters, gaps and partitions, for people (HTML) and machines (JSON).

server.py       addresses and formats, on Faust's own web server
pages.py        each page: a question answered as plain data
state.py        meters, gaps and partitions, read from committed state
gap_search.py   gaps across all meters, page by page
watch.py        what this worker knows of itself and the others
routing.py      which worker has which partition, and asking it
health.py       ready or not, and why not
prometheus.py   every metric of `/metrics/`
html.py         templates and style; meter_plot.py, plot.py and plot_axes.py draw
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridwatch.settings import Settings
    from gridwatch.streaming.pipeline import Pipeline

#: How often the progress of each partition is noted, so that a stall is timed from its beginning, seconds.
LOOK_SECONDS = 5.0


def register(app: Any, settings: Settings, pipeline: Pipeline) -> None:
    """Put the pages on a worker's web server."""
    # Late, so that plots and templates can be had without Faust.
    from gridwatch.views.pages import Pages
    from gridwatch.views.server import serve
    from gridwatch.views.watch import Watch

    watch = Watch(app, settings, pipeline)
    serve(app, Pages(settings, pipeline, watch), watch)

    @app.timer(LOOK_SECONDS, name="look_at_progress")  # type: ignore[untyped-decorator, unused-ignore]
    async def look_at_progress() -> None:
        """Look at brokers and other workers, and note how far each partition has come."""
        await watch.look()

    app.after_stop.append(watch.close)
