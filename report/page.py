"""The page of a run for the browser: results, cutflow and figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from hnl import layout, provenance

if TYPE_CHECKING:  # for types only: report does not run the selection
    from hnl.processors.selection import Selection

PAGE = jinja2.Environment(autoescape=True).from_string(
    """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>hnl report</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.15rem .7rem;text-align:right}
td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#f4f4f4}img{max-width:100%}
.partial{background:#fff3cd;padding:.5rem 1rem}.scroll{overflow-x:auto}</style></head><body>
<h1>Search for {{ title }}</h1>
<p>{{ "{:,}".format(events) }} events were read.</p><pre>
{% for line in summary %}{{ line }}
{% endfor %}</pre>
{% if partial %}<div class="partial"><b>Partial result:</b> left out<ul>{% for reason in partial %}<li>{{ reason }}</li>
{% endfor %}</ul></div>{% endif %}
<h2>Events after each requirement</h2><div class="scroll"><table>
<tr><th>requirement</th>{% for process in processes %}<th>{{ process }}</th>{% endfor %}</tr>
{% for stage, counts in rows %}<tr><td>{{ stage }}</td>{% for count in counts %}<td>{{ count }}</td>{% endfor %}</tr>
{% endfor %}</table></div>
<p>Unweighted. Weighted counts, counts by category and with all requirements but one: <code>cutflow.json</code>.</p>
{% for figure in figures %}<h2>{{ figure.title }}</h2><img src="{{ figure.file }}" alt="{{ figure.title }}">{% endfor %}
<h2>Provenance</h2><table>{% for key, value in provenance.items() %}<tr><td>{{ key }}</td><td>{{ value }}</td></tr>
{% endfor %}</table></body></html>
"""
)


def cutflow_by_process(selection: "Selection") -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Unweighted events after each requirement.

    Returns:
        Processes in the order of the catalogue, and (requirement, events of each process).
    """
    processes = list(dict.fromkeys(dataset.process for dataset in selection.catalogue.datasets))
    rows: dict[str, dict[str, int]] = {}
    for dataset in selection.catalogue.datasets:
        for stage, counts in selection.tables[dataset.name].cutflow.items():
            row = rows.setdefault(stage, dict.fromkeys(processes, 0))
            row[dataset.process] += int(counts["all"]["events"])
    return processes, [(stage, list(row.values())) for stage, row in rows.items()]


def write(selection: "Selection", summary: Sequence[str], figures: Sequence[tuple[str, Path]]) -> Path:
    """Writes OUT/report.html.

    Args:
        selection: selection of the run.
        summary: lines, see `report.summary`.
        figures: (title, PNG) of each figure in OUT/plots.

    Returns:
        The path of the page.
    """
    processes, rows = cutflow_by_process(selection)
    path = selection.folder / layout.REPORT
    page = PAGE.render(
        title=selection.analysis.title,
        events=sum(manifest.events for group in selection.manifests.values() for manifest in group),
        partial=selection.partial,
        summary=summary,
        processes=processes,
        rows=rows,
        figures=[{"title": title, "file": f"{layout.PLOTS}/{file.name}"} for title, file in figures],
        provenance=provenance.record(),
    )
    provenance.write_text(path, page)
    return path
