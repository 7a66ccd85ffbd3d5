"""Notices as text: what changes a decision in full, the rest counted."""

from infer_bench.report.common import Notice
from infer_bench.reporters import registry
from infer_bench.reporters.text.notices import draw_notices, list_plainly, spell_out_notes, write_notices
from tests import reports

WARNING = Notice("threads", "4 threads on 1.5 effective cores", "--threads 1")
NOTES = (
    Notice("cold-row", "cold start leaves out pandas", "a service imports it", level="note"),
    Notice("busy-machine", "the load average was 3 on 4 CPUs", level="note"),
)


def test_a_terminal_shows_warnings_and_counts_notes() -> None:
    report = reports.report(notices=(WARNING, *NOTES))
    assert draw_notices(report, list_plainly, 80, color=False) == [
        "note: 4 threads on 1.5 effective cores",
        "hint: --threads 1",
        "2 notes: --notes shows them",
    ]
    one = reports.report(notices=NOTES[:1])
    assert draw_notices(one, list_plainly, 80, color=False) == ["1 note: --notes shows it"]
    assert draw_notices(reports.report(), list_plainly, 80, color=False) == []


def test_all_notes_are_spelt_out_on_demand() -> None:
    lines = draw_notices(spell_out_notes(reports.report(notices=NOTES)), list_plainly, None, color=False)
    assert lines == [
        "note: cold start leaves out pandas",
        "hint: a service imports it",
        "note: the load average was 3 on 4 CPUs",
    ]


def test_markdown_folds_the_notes_and_a_page_shows_them() -> None:
    report = reports.report(notices=(WARNING, *NOTES))
    assert write_notices(report, list_plainly) == [
        "> **Note:** 4 threads on 1.5 effective cores<br>--threads 1",
        "<details><summary>2 notes</summary>\n\n- cold start leaves out pandas: a service imports it\n"
        "- the load average was 3 on 4 CPUs\n\n</details>",
    ]
    page = registry.render(report, "html")
    assert all(notice.message in page for notice in report.notices)
