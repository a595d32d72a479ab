"""The worker's pages, for people (HTML) and machines (JSON).

server.py        addresses and formats, on Faust's own web server; queries.py: what a request asks for
pages.py         every page by its address; reply.py: what a page gives back
overview.py      the overview; rates.py: what its plots are made of
lists.py         meters and gaps in any order: survey.py looks, rankings.py orders
meter_page.py    one meter; history.py: its last readings; meter_plot.py draws them
dead_letters.py  the newest of them; log_tail.py: the ends of topics
state.py         meters and partitions, read from committed state
watch.py         the partitions of the readings, of this worker and the others; what is wrong elsewhere
routing.py       which worker has what, and asking it
html.py          templates, style (style.css) and script (live.js); plot.py, plot_canvas.py, plot_axes.py: SVG
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridwatch.settings import Settings
    from gridwatch.streaming.stage.worker import Worker

#: How often the progress of each partition is noted, so that a stall is timed from its beginning, seconds.
LOOK_SECONDS = 5.0


def register(worker: Worker, settings: Settings) -> None:
    """Put the pages on a worker's web server."""
    # Late, so that plots and templates can be had without Faust.
    from gridwatch.tables.readings import METERS
    from gridwatch.views.pages import Pages
    from gridwatch.views.server import serve
    from gridwatch.views.watch import Watch

    app: Any = worker.app
    watch = Watch(worker, settings)
    pages = Pages(settings, worker.pipelines[METERS.stage], watch)
    serve(app, pages, watch)

    @app.timer(LOOK_SECONDS, name="look_at_progress")  # type: ignore[untyped-decorator, unused-ignore]
    async def look_at_progress() -> None:
        """Look at brokers and other workers, and note how far each partition has come."""
        await watch.look()

    app.after_stop += [pages.close, watch.close]
