"""The worker's pages, for people (HTML) and machines (JSON).

server.py        the pages on Faust's own web server
pages.py         every page by its address
overview.py      the overview; rates.py: what its plots are made of
lists/           meters and gaps in any order
meter/           one meter: its state, its last readings, their plot
dead_letters.py  the newest of them; log_tail.py: the ends of topics
state.py         meters and partitions, read from committed state
watch.py         the partitions of the readings, of this worker and the others; what is wrong elsewhere
rendering.py     templates/: the worker's pages as HTML

What other servers share is in `gridwatch/http/`, plots in `gridwatch/plots/`, and which worker owns what in
`gridwatch/cluster.py`.
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
