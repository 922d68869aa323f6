"""Files made of a model give the same model back, and what is not of our models is refused by name."""

import copy
import json
from dataclasses import replace

import pyhf
import pytest
import search_models
from hypothesis import given, settings
from hypothesis import strategies as st

from hnl.errors import InputError
from hnl.inference import channels, combine, pyhf_model
from hnl.inference.model import Cell, Model
from hnl.inference.model_errors import BinningError, HiddenDataError, MissingRegionError, NoSignalError
from hnl.inference.templates import TemplateChannel

number = st.floats(1e-3, 1e6)
factor = st.floats(0.5, 2)
four = st.tuples(*[st.one_of(st.just(0.0), number)] * 4)
factors = st.tuples(*[st.one_of(st.just(1.0), factor)] * 4)


@st.composite
def random_models(draw):
    cells = []
    for category in ("ee_OS", "mumu_SS")[: draw(st.integers(1, 2))]:
        for i in range(draw(st.integers(1, 3))):
            signal = (draw(number), *draw(four)[1:])
            nuisances = draw(st.dictionaries(st.sampled_from(["lumi", "jes"]), factors))
            cells.append(Cell(category, i, draw(four), signal, draw(factors), nuisances, draw(factor), draw(factor)))
    closure = {cell.category: draw(st.sampled_from([1.0, 1.2, 1.3])) for cell in cells}
    return Model(tuple(cells), closure, draw(st.booleans()))


@st.composite
def random_templates(draw):
    bins = draw(st.integers(1, 3))
    values, kappas = (st.lists(kind, min_size=bins, max_size=bins).map(tuple) for kind in (number, factor))
    processes = ("dy", "qcd")[: draw(st.integers(1, 2))]
    nuisances = st.dictionaries(st.sampled_from([*processes, "signal"]), kappas)
    return TemplateChannel(
        draw(st.sampled_from(["mass", "mass_b0"])),
        draw(values),
        draw(values),
        {process: draw(values) for process in processes},
        draw(st.dictionaries(st.sampled_from(["lumi", "jes"]), nuisances)),
        tuple(draw(st.sets(st.sampled_from(processes)))),
        draw(kappas),
        draw(kappas),
    )


@given(random_models(), random_templates())
@settings(max_examples=20, deadline=None)
def test_both_files_give_templates_back(cells, channel):
    for model in (Model(templates=(channel,)), replace(cells, templates=(channel,))):
        assert pyhf_model.read(json.loads(json.dumps(pyhf_model.export(model)))) == model
        assert combine.read(combine.export(model)) == model


def test_empty_bins_of_a_process_come_back():
    """Without yield there is no factor; a channel may also have no background where nothing is seen."""
    empty = TemplateChannel("mass", (3, 0), (1, 2), {"dy": (2, 0), "qcd": (1, 0)}, {"jes": {"dy": (1.1, 1.2)}}, ("dy",))
    bare = TemplateChannel("bare", (0,), (1,), {})
    model = Model(templates=(empty, bare))
    assert pyhf_model.read(pyhf_model.export(model)) == model
    assert combine.read(combine.export(model)) == model


@given(random_models())
@settings(max_examples=40, deadline=None)
def test_both_files_give_the_model_back(model):
    assert pyhf_model.read(json.loads(json.dumps(pyhf_model.export(model)))) == model
    assert combine.read(combine.export(model)) == model


@pytest.mark.parametrize("correlated", [True, False])
def test_the_full_model_comes_back(correlated):
    model = search_models.full(correlated=correlated)
    assert pyhf_model.read(pyhf_model.export(model)) == model
    assert combine.read(combine.export(model)) == model


def test_blinded_data_are_not_exported():
    model = search_models.some(1)
    cell = model.cells[0]
    hidden = Model((Cell(cell.category, 0, (None, *cell.observed[1:]), cell.signal),), model.closure)
    for export in (pyhf_model.export, combine.export):
        with pytest.raises(HiddenDataError, match="hidden"):
            export(hidden)
        export(hidden.asimov())


@pytest.fixture
def workspace():
    return copy.deepcopy(pyhf_model.export(search_models.some(2)))


def modifier(workspace, channel, sample, kind):
    found = next(c for c in workspace["channels"] if c["name"] == channel)["samples"][sample]["modifiers"]
    return next(m for m in found if m["type"] == kind)


def test_workspace_is_valid(workspace):
    pyhf.schema.validate(workspace, "workspace.json")
    assert len(workspace["channels"]) == 8


def _lose_region(w):
    del w["channels"][1], w["observations"][1]


def _no_signal(w):
    for channel in w["channels"]:
        channel["samples"][0]["data"] = [0.0]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda w: w.pop("version"), pyhf_model.WorkspaceError, "version"),
        (_lose_region, MissingRegionError, "mumu_OS_b0: no channel for region B"),
        (_no_signal, NoSignalError, "no signal"),
        (lambda w: w["channels"][0].update(name="SR"), channels.ChannelError, "SR"),
        (lambda w: w["channels"][0]["samples"].pop(), pyhf_model.WorkspaceError, "mumu_OS_b0_A"),
        (lambda w: w["channels"][0]["samples"][0].update(data=[1.0, 2.0]), pyhf_model.WorkspaceError, "2 bins"),
        (
            lambda w: modifier(w, "mumu_OS_b0_A", 0, "normsys")["data"].update(lo=0.7),
            pyhf_model.WorkspaceError,
            "lo = 1 / hi",
        ),
        (
            lambda w: modifier(w, "mumu_OS_b0_B", 1, "normfactor").update(name="fC_mumu_OS_b0"),
            pyhf_model.WorkspaceError,
            "not an ABCD model",
        ),
        (
            lambda w: modifier(w, "mumu_OS_b0_B", 0, "normfactor").update(name="other"),
            pyhf_model.WorkspaceError,
            "scaled by mu",
        ),
        (
            lambda w: modifier(w, "mumu_OS_b0_A", 1, "normsys").update(name="other"),
            channels.ChannelError,
            "not of our models",
        ),
    ],
)
def test_workspaces_refused(workspace, change, error, words):
    change(workspace)
    with pytest.raises(error, match=words) as raised:
        pyhf_model.read(workspace)
    assert isinstance(raised.value, InputError)


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("rate ", "rates ", combine.CardError, "not a line of our cards: 'rates"),
        ("observation ", "observation 7 ", combine.CardError, "rows do not match 8 bins"),
        ("(@0*@1/@2)", "(@0*@1)", combine.CardError, "mumu_OS_b0_A: not an ABCD model"),
        ("nB_mumu_OS_b0 rateParam", "nX rateParam", combine.CardError, "mumu_OS_b0_B"),
        ("process sig bkg", "process sig qcd", combine.CardError, "needs the columns sig and bkg"),
        ("mumu_OS_b0_B", "SR", channels.ChannelError, "'SR'"),
        ("lnN 1.04", "lnN x", channels.ChannelError, "'x' is not a finite number"),
        ("lnN 1.04", "gmN 1.04", combine.CardError, "gmN"),
        ("closure_mumu_OS", "other", channels.ChannelError, "not of our models"),
    ],
)
def test_cards_refused(old, new, error, words):
    text = combine.export(search_models.some(2))
    assert old in text
    with pytest.raises(error, match=words):
        combine.read(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        (
            "norm_falling rateParam count_bin0",
            "other rateParam count_bin0",
            combine.CardError,
            "not a free normalisation",
        ),
        ("count_bin0", "count_bin1", BinningError, r"count: the bins are \[1\], not 0 to 0"),
        (
            "norm_falling rateParam spectrum_bin1",
            "# no",
            channels.ChannelError,
            "spectrum_bin1 has other processes, or free",
        ),
        ("mc_spectrum_bin0_background lnN", "mc_spectrum_bin1_background lnN", combine.CardError, "is there twice"),
        ("process sig bkg", "process bkg sig", combine.CardError, "sig first"),
        (
            "rateParam count_bin0 falling",
            "rateParam count_bin0 rising",
            combine.CardError,
            "no column: count_bin0/rising",
        ),
    ],
)
def test_cards_of_templates_refused(old, new, error, words):
    text = combine.export(search_models.mixed())
    assert old in text
    with pytest.raises(error, match=words):
        combine.read(text.replace(old, new))


def test_the_statistical_error_of_a_sum_is_in_all_of_it():
    first, *others = channels.counts(Model(templates=(search_models.spectrum(2),)))
    flat = first.backgrounds["flat"]
    alone = first._replace(backgrounds={**first.backgrounds, "flat": flat._replace(factors={})})
    with pytest.raises(channels.ChannelError, match="spectrum_bin0: the MC statistical error is of the sum"):
        channels.model([alone, *others])


def test_a_card_of_templates_is_spelled_as_combine_wants_it():
    factors = {"lumi": {"signal": (1.02, 1.02), "dy": (1.02, 1.02)}, "jes": {"qcd": (1.1, 0.9)}}
    channel = TemplateChannel(
        "mass", (7, 3), (2, 1), {"qcd": (4, 2), "dy": (1, 0)}, factors, ("qcd",), None, (1.1, 1.2)
    )
    lines = [line.split() for line in combine.export(Model(templates=(channel,))).splitlines()]
    for line in (
        "imax 2",
        "jmax 2",
        "kmax 4",
        "bin mass_bin0 mass_bin1",
        "observation 7.0 3.0",
        "bin mass_bin0 mass_bin0 mass_bin0 mass_bin1 mass_bin1 mass_bin1",
        "process sig dy qcd sig dy qcd",
        "process 0 1 2 0 1 2",
        "rate 2.0 1.0 4.0 1.0 0.0 2.0",
        "lumi lnN 1.02 1.02 - 1.02 - -",
        "jes lnN - - 1.1 - - 0.9",
        "mc_mass_bin0_background lnN - 1.1 1.1 - - -",
        "mc_mass_bin1_background lnN - - - - - 1.2",
        "norm_qcd rateParam mass_bin0 qcd 1.0 [0,16.6667]",
        "norm_qcd rateParam mass_bin1 qcd 1.0 [0,16.6667]",
    ):
        assert line.split() in lines


def test_a_card_is_spelled_as_combine_wants_it():
    text = combine.export(Model((Cell("ee_OS", 1, (3, 20, 10, 100), (1, 0.5, 0, 0), c_ab=1.5),), {"ee_OS": 1.25}))
    lines = [line.split() for line in text.splitlines()]
    for line in (
        "imax 4",
        "jmax 1",
        "kmax 1",
        "bin ee_OS_b1_A ee_OS_b1_B ee_OS_b1_C ee_OS_b1_D",
        "observation 3.0 20.0 10.0 100.0",
        "rate 1.0 1.5 0.5 1.0 0.0 1.0 0.0 1.0",
        "closure_ee_OS lnN - 1.25 - - - - - -",
        "nB_ee_OS_b1 rateParam ee_OS_b1_B bkg 20.0 [0,200]",
        "nD_ee_OS_b1 rateParam ee_OS_b1_D bkg 100.0 [0.001,1000]",
        "nA_ee_OS_b1 rateParam ee_OS_b1_A bkg (@0*@1/@2) nB_ee_OS_b1,nC_ee_OS_b1,nD_ee_OS_b1",
    ):
        assert line.split() in lines
