"""`hnl demo`: a whole search in samples that come with hnl."""

from pathlib import Path

import hnl
from hnl.cli.app import app
from hnl.cli.options import JsonOption, OutOption, WorkersOption
from hnl.cli.run import run
from hnl.terminal import note

FOLDER = Path(hnl.__file__).parent / "datasets" / "demo"


@app.command()
def demo(output: OutOption, workers: WorkersOption = None, as_json: JsonOption = False) -> None:
    """Run the whole search on simulated samples that come with hnl, ending in OUT/report.html.

    In a checkout these are the samples of datasets/demo. An installed package has a part of them: fewer signals, and
    the events with candidates of the signal selection alone.
    """
    catalogue = next(path for path in (FOLDER / "demo.yaml", FOLDER / "small" / "small.yaml") if path.is_file())
    note(f"samples: {catalogue.resolve()}")
    run(catalogue.resolve(), output, workers=workers, as_json=as_json)
