"""The shared pages of every server: what is shown is escaped, whose they are stands at the foot."""

from __future__ import annotations

from gridwatch.http.rendering import environment

EVIL = "\"><script>alert(1)</script>'&/../é"


def test_a_problem_page_shows_its_reasons_as_text() -> None:
    pages = environment("gridwatch.http", "Sink", [(EVIL, EVIL)])
    page = pages.get_template("problem.html").render(
        status=404, phrase="Not Found", reasons=[EVIL], here="", own_url=EVIL
    )
    assert "<script>" not in page
    assert "404 Not Found" in page
    assert "<footer>Sink &#34;&gt;" in page
