"""The output folder of a run, to be read from Python. `hnl.open` makes one:

    out = hnl.open("out/mine")
    out.candidates("ttbar")                     # awkward array, one record per candidate
    out.table("signal").to_pandas()             # the same columns, as a table
    out.histogram("m_l1_sv")                    # hist.Hist with named axes
    out.limits().scans                          # what limits.json holds, typed

Figures are made of what is read here by functions of `hnl.plots`, such as `hnl.plots.distributions.by_panel`.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import awkward as ak
import hist
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

from hnl import analysis as searches
from hnl import candidate_tables, layout, provenance, records
from hnl.analysis import Analysis
from hnl.candidate_tables import ALL, check
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.variations import NOMINAL
from hnl.errors import InputError
from hnl.histograms import files as histogram_files
from hnl.histograms.fill import Histograms
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.abcd.rows import YieldRow
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import FitFile, StrengthsFile
from hnl.ml import scoring
from hnl.processors import selection
from hnl.processors.selection import Selection
from hnl.processors.selection_files import DatasetCutflow
from hnl.records import File

TREE = "candidates"  # name of the RNTuple of `Output.export`


class NotMadeError(InputError):
    """The stage that makes what is asked for has not been run; the message names its command."""


class Output:
    """The output folder of a run. What is asked for is read then, and candidates are kept in memory.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        """Opens a folder.

        Raises:
            InputError: it is none, or has no finished selection.
        """
        self.folder = Path(folder)
        layout.finished(self.folder)

    def __repr__(self) -> str:
        return f"hnl.open({str(self.folder)!r})"

    @cached_property
    def catalogue(self) -> Catalogue:
        """Eras and datasets of the run."""
        return selection.read_catalogue(self.folder)

    @cached_property
    def analysis(self) -> Analysis:
        """The search of the run: its columns with units and meanings, its stages."""
        return searches.of_catalogue(self.catalogue)

    @cached_property
    def selection(self) -> Selection:
        """Candidates as numpy arrays, weights and sums of weights.

        Raises:
            SelectionError: it was made by other code or settings.
            PartError, ClosureError: it is not complete.
        """
        return selection.load(self.folder)

    def table(
        self,
        datasets: str | Sequence[str] | None = None,
        *,
        variation: str = NOMINAL,
        columns: Sequence[str] | None = None,
        weights: str | Sequence[str] = (),
        lists: bool = False,
        blinded: bool = True,
    ) -> pa.Table:
        """Candidates as a table of pyarrow, which has `to_pandas`. Names are dictionary-encoded strings.

        The columns are those of the search, `category` by its name, and
        - `dataset`, `process`, `kind` and `era`: of the catalogue;
        - `variation`: of jet energies; (dataset, run, luminosity_block, event, variation) is unique;
        - `score_low`, `score_high`: between 0 and 1, if the stage score was run; NaN without a classifier;
        - `final_weight`: events expected in the luminosity of the era, with all corrections; 1 for data;
        - lists, if asked for: of the particles of the jet and of the vertices in it, such as `particle_pt`
          (`processors.displaced.constituents.LISTS`); null for a file that keeps no particles.

        Args:
            datasets: a dataset, several, or a kind: signal, background, data; all by default.
            variation: of jet energies: nominal, the name of one, or all. Data are nominal alone.
            columns: those wanted, in their order; all by default.
            weights: variations of weights, such as pileup_up, or all: a column `final_weight_NAME` each, the nominal
                weight where a dataset has none of that name.
            lists: whether to read all lists; those named in `columns` are read anyway.
            blinded: leave out of data what is not to be looked at before `hnl abcd --unblind`: region A of the SR, or
                all with N(jets) = 1 as long as the stage abcd is not up to date. A search that hides nothing of data in
                figures hides nothing here.

        Raises:
            UnknownNameError: no such dataset, variation or column.
            NoScoresError: a score is asked for before `hnl score`.
            NoListsError: lists are asked for of a dataset none of whose files keeps particles.
            HNLError: see `selection`, and `ml.scoring.read`: scores of other candidates.
        """
        chosen = self._datasets(datasets)
        if variation != ALL:
            check([variation], [NOMINAL, *(v for d in chosen for v in self.selection.variations(d.name))], "variation")
        scored = self._has_scores(columns or ())
        known_lists = [column.name for column in self.analysis.processor.lists]
        wanted_lists = known_lists if lists else [name for name in columns or () if name in known_lists]
        pieces = [
            candidate_tables.read(self.selection, dataset, variation, scored=scored, lists=wanted_lists)
            for dataset in chosen
        ]
        if blinded:
            pieces = [piece.where(~candidate_tables.hidden(piece, self.selection)) for piece in pieces]
        known = list(dict.fromkeys(name for piece in pieces for name in piece.weights if name != NOMINAL))
        wanted = known if weights == ALL else [weights] if isinstance(weights, str) else list(weights)
        check(wanted, known, "variation of weights")
        result = pa.concat_tables([candidate_tables.table(piece, self.analysis, wanted) for piece in pieces])
        result = result.unify_dictionaries()
        if columns is not None:
            check(columns, result.column_names, "column")
            result = result.select(list(columns))
        return result

    def candidates(
        self,
        datasets: str | Sequence[str] | None = None,
        *,
        variation: str = NOMINAL,
        columns: Sequence[str] | None = None,
        weights: str | Sequence[str] = (),
        lists: bool = False,
        blinded: bool = True,
    ) -> ak.Array:
        """Candidates as an awkward array with one record each; see `table` for arguments, columns and errors."""
        return ak.from_arrow(
            self.table(datasets, variation=variation, columns=columns, weights=weights, lists=lists, blinded=blinded)
        )

    def export(
        self,
        path: str | Path,
        datasets: str | Sequence[str] | None = None,
        *,
        variation: str = NOMINAL,
        weights: str | Sequence[str] = ALL,
        blinded: bool = True,
    ) -> int:
        """Writes `table` into one file, for other tools.

        Args:
            path: of the file, replaced if it is there. FILE.root has the RNTuple `candidates`, which uproot and
                ROOT.RDataFrame (from ROOT 6.36) read; the other format is FILE.parquet.
            datasets, variation, weights, blinded: see `table`.

        Returns:
            The number of candidates.

        Raises:
            UnknownNameError: the name of the file ends otherwise; see `table`.
        """
        path = Path(path)
        check([path.suffix], [".root", ".parquet"], f"format of {path},")
        table = self.table(datasets, variation=variation, weights=weights, blinded=blinded)

        def fill(temporary: Path) -> None:
            if path.suffix == ".parquet":
                pq.write_table(table, temporary, compression="zstd")
                return
            fields = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]
            with uproot.recreate(temporary) as file:
                file.mkrntuple(TREE, ak.from_arrow(table.cast(pa.schema(fields))))

        provenance.write(path, fill)
        return len(table)

    @property
    def histograms(self) -> Histograms:
        """All histograms: by variable those of the stage histogram, `regions` and `plane` of the stage abcd.

        Axes have names: dataset, the search's own (selection, category), the variable. Nominal weights, normalised to
        the luminosity.

        Raises:
            NotMadeError: the stage histogram was not run.
        """
        result = histogram_files.read_json(self._existing(layout.HISTOGRAMS, "hnl histogram"))
        regions = self.folder / layout.REGIONS
        return result | (histogram_files.read_json(regions) if regions.is_file() else {})

    def histogram(self, name: str) -> hist.Hist:
        """One of `histograms`.

        Raises:
            UnknownNameError: there is none of this name.
        """
        every = self.histograms
        check([name], every, "histogram")
        return every[name]

    def cutflow(self) -> dict[str, DatasetCutflow]:
        """Events after each requirement, by dataset."""
        content = json.loads(self._existing(layout.CUTFLOW, "hnl select").read_text(encoding="utf-8"))
        return {name: records.from_record(DatasetCutflow, record) for name, record in content.items()}

    def yields(self) -> tuple[YieldRow, ...]:
        """Events in the regions A to D of each category and bin, and the prediction for A.

        Raises:
            AnalysisError: the search has no stage abcd; its yields are in `fits`.
            NotMadeError: the stage was not run.
        """
        self.analysis.stage("abcd")
        return self._read(layout.ESTIMATE, EstimateFile).tables.yields

    def limits(self, luminosity: float | None = None) -> LimitsFile | StrengthsFile:
        """Limits on |V|^2, or on the signal strengths of a search without a scan.

        Args:
            luminosity: of a projection, /fb; without it those of data.

        Raises:
            NotMadeError: the stage limits was not run.
        """
        folder = layout.limits(luminosity)
        if (self.folder / folder / layout.STRENGTHS_FILE).is_file():
            return self._read(f"{folder}/{layout.STRENGTHS_FILE}", StrengthsFile)
        return self._read(f"{folder}/{layout.LIMITS_FILE}", LimitsFile)

    def fits(self, luminosity: float | None = None) -> FitFile:
        """Fits: pulls, impacts, goodness of fit, fitted yields; see `limits`."""
        return self._read(f"{layout.fit(luminosity)}/{layout.FIT_FILE}", FitFile)

    def _read(self, name: str, kind: type[File]) -> File:
        return records.read(self._existing(name, kind.COMMAND), kind)

    def _existing(self, name: str, command: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise NotMadeError(f"{self.folder} holds no {name}: run {command} {self.folder} first")
        return path

    def _datasets(self, names: str | Sequence[str] | None) -> list[Dataset]:
        """Those that are named, or of a kind, in the order of the catalogue."""
        every = self.catalogue.datasets
        wanted = [d.name for d in every] if names is None else [names] if isinstance(names, str) else list(names)
        check(wanted, [*(d.name for d in every), *(d.kind for d in every)], "dataset")
        return [d for d in every if d.name in wanted or d.kind in wanted]

    def _has_scores(self, wanted: Sequence[str]) -> bool:
        """Whether there are scores; if some are wanted, reading tells what is missing."""
        possible = any(stage.name == "score" for stage in self.analysis.stages)
        made = any((self.folder / layout.SCORES).glob("*.parquet"))
        return possible and (made or not set(scoring.COLUMNS).isdisjoint(wanted))
