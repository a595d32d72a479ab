"""The worker's pages, for people (HTML) and machines (JSON).

server.py        the pages on Faust's own web server
pages.py         every page by its address
overview.py      the overview; rates.py: the numbers behind its plots
lists/           meters and gaps in any order
regional/        regions and incidents
anomalies/       what meters used that was out of the ordinary
registry/        what the registry says: registered meters, regions, planned outages
meter/           one meter: its state, its last readings, their plot
dead_letters.py  the newest dead letters
log_tail.py      reads the newest records of a topic; following.py: keeps up with one while its pages are open
state.py         meters and partitions, read from committed state
watch.py         health and partitions of this worker and of the others
rendering.py     templates/: the worker's pages as HTML

What other servers share is in `gridwatch/http/`, plots in `gridwatch/plots/`, and which worker owns what in
`gridwatch/cluster.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridwatch.settings import Settings
    from gridwatch.streaming.stage.worker import Worker

#: How often the progress of each partition is recorded, so that a stall is timed from its start, seconds.
CHECK_SECONDS = 5.0


def register(worker: Worker, settings: Settings) -> None:
    """Put the pages on a worker's web server."""
    # Imported late, so that importing a page does not import Faust.
    from gridwatch.tables.readings import METERS
    from gridwatch.views.pages import Pages
    from gridwatch.views.server import serve
    from gridwatch.views.watch import Watch

    app: Any = worker.app
    watch = Watch(worker, settings)
    pages = Pages(settings, worker.pipelines[METERS.stage], watch)
    serve(app, pages, watch)

    @app.timer(CHECK_SECONDS, name="check_progress")  # type: ignore[untyped-decorator, unused-ignore]
    async def check_progress() -> None:
        """Ask the brokers and the other workers, and record the position of each partition."""
        await watch.check()

    app.after_stop += [pages.close, watch.close]
