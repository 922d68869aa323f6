"""What processes are called in figures."""

from collections.abc import Sequence

from hnl.datasets.catalogue import Dataset

# Names of processes of the demo and of the templates of eras. Some have one title: they are drawn together.
TITLES = {
    "ttbar": r"$t\bar{t}$",
    "st_tchannel": "single t",
    "st_tw": "single t",
    "singletop": "single t",
    "wjets": "W+jets",
    "wjets_e": r"W(e$\nu$)+jets",
    "wjets_mu": r"W($\mu\nu$)+jets",
    "wjets_tau": r"W($\tau\nu$)+jets",
    "wgamma": r"W$\gamma$",
    "dy": r"Z/$\gamma^*$+jets",
    "zjets": r"Z/$\gamma^*$+jets",
    "zpair": r"Z/$\gamma^*$+jets",  # of which one lepton looks displaced
    "zjets_ee": r"Z$\to$ee+jets",
    "zjets_mumu": r"Z$\to\mu\mu$+jets",
    "zjets_tau": r"Z$\to\tau\tau$+jets",
    "zgamma": r"Z$\gamma$",
    "diboson": "VV",
    "qcd": "multijet",
}


def title(dataset: Dataset) -> str:
    """Of the process of a dataset: the catalogue's, ours of a known name, or the name itself.

    >>> from hnl.datasets.catalogue import Dataset
    >>> one = {"name": "z", "era": "2018", "kind": "background", "files": ("z.root",), "cross_section": 1.0}
    >>> title(Dataset(process="zjets_tau", **one)), title(Dataset(process="odd_name", **one))
    ('Z$\\\\to\\\\tau\\\\tau$+jets', 'odd name')
    """
    return dataset.title or TITLES.get(dataset.process, dataset.process.replace("_", " "))


def signals(datasets: Sequence[Dataset]) -> dict[str, list[Dataset]]:
    """What is drawn of the signals: HNLs of the lowest, a middle and the highest mass, and other signals by process."""
    masses = sorted({dataset.signal.mass for dataset in datasets if dataset.signal})
    some = sorted({masses[0], masses[len(masses) // 2], masses[-1]}) if masses else []
    groups = {f"$m_N$ = {mass:g} GeV": [d for d in datasets if d.signal and d.signal.mass == mass] for mass in some}
    for dataset in datasets:
        if dataset.signal is None:
            groups.setdefault(title(dataset), []).append(dataset)
    return groups
