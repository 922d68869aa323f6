"""How classifiers are trained: what the catalogue may change (`settings: training:`), and what a command adds."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hnl import analysis as searches
from hnl.datasets import model
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.model import Real, Whole
from hnl.ml.displaced import features as feature_table
from hnl.ml.displaced.features import FeatureError
from hnl.selections.displaced.categories import LEPTONS
from hnl.selections.displaced.hypotheses import HYPOTHESES

Share = Annotated[Real, Field(gt=0, le=1)]
_UNSET = "; XGBoost's own default"


class Parameters(model.Settings):
    """Hyper-parameters by their names in XGBoost. Without a value, XGBoost's own default holds."""

    # Our choice: shallow trees, since the samples are small and every feature is a physical quantity.
    eta: Real = Field(default=0.1, gt=0, le=1, description="learning rate; our choice, for small samples")
    max_depth: Whole = Field(default=4, ge=1, le=20, description="of a tree; our choice, for small samples")
    min_child_weight: Real = Field(default=5.0, ge=0, description="least sum of hessians in a leaf; our choice")
    subsample: Share = Field(default=0.8, description="share of the events that a tree sees; our choice")
    colsample_bytree: Share = Field(default=0.6, description="share of the features that a tree sees; our choice")
    lambda_: Real = Field(default=3.0, ge=0, alias="lambda", description="L2 term on the weights of leaves; our choice")
    alpha: Real | None = Field(default=None, ge=0, description="L1 term on the weights of leaves" + _UNSET)
    gamma: Real | None = Field(default=None, ge=0, description="least gain of a split" + _UNSET)
    max_delta_step: Real | None = Field(default=None, ge=0, description="largest step of a leaf, 0 for any" + _UNSET)
    colsample_bylevel: Share | None = Field(default=None, description="share of the features at a depth" + _UNSET)
    colsample_bynode: Share | None = Field(default=None, description="share of the features at a split" + _UNSET)
    max_leaves: Whole | None = Field(default=None, ge=0, description="of a tree, 0 for any number" + _UNSET)
    max_bin: Whole | None = Field(default=None, ge=2, description="bins of a feature" + _UNSET)
    grow_policy: Literal["depthwise", "lossguide"] | None = Field(
        default=None, description="which leaf is split" + _UNSET
    )
    num_parallel_tree: Whole | None = Field(default=None, ge=1, description="trees a round" + _UNSET)

    @property
    def for_xgboost(self) -> dict[str, Any]:
        """Those with a value."""
        return self.model_dump(by_alias=True, exclude_none=True)


class TrainingSettings(model.Settings):
    """How to train."""

    max_rounds: Whole = Field(
        default=400, ge=1, description="most trees of a model; our choice, early stopping comes before"
    )
    patience: Whole = Field(
        default=20, ge=1, description="rounds without improvement before it stops (four epochs in section 5)"
    )
    seed: Whole = Field(default=21011, ge=0, description="of the sampling of events and features; our choice")
    parameters: Parameters = Field(default=Parameters(), description="of XGBoost")
    features: dict[str, tuple[str, ...]] = Field(
        default={},
        description="by training (electron_low, electron_high, muon_low, muon_high): the features that it has; "
        "by default all of docs/classifier.md (section 5)",
    )

    @field_validator("features")
    @classmethod
    def _known(cls, by_training: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        known = {f"{flavour}_{hypothesis}": flavour for flavour in LEPTONS for hypothesis in HYPOTHESES}
        for training, names in by_training.items():
            if training not in known:
                raise ValueError(f"unknown training '{training}'; known: {', '.join(known)}")
            if not names:
                raise ValueError(f"{training}: a training needs a feature")
            try:
                chosen = feature_table.named(names)
            except FeatureError as error:
                raise ValueError(f"{training}: {error}") from None
            if other := [feature.name for feature in chosen if known[training] not in feature.flavours]:
                raise ValueError(f"{training}: an l2 of this flavour has no feature '{other[0]}'")
        return by_training


class Settings(TrainingSettings):
    """How to train, with what a command adds.

    Attributes:
        device: 'cpu' or 'cuda'.
        without: names of features that are not used.
    """

    device: str = "cpu"
    without: tuple[str, ...] = ()

    @classmethod
    def of_catalogue(cls, catalogue: Catalogue, device: str = "cpu") -> Self:
        """As a catalogue wants it, on a device."""
        return cls(**dict(searches.part(catalogue, TrainingSettings)), device=device)

    @model_validator(mode="after")
    def _exist(self) -> Self:
        feature_table.named(self.without)
        return self

    def uses(self, flavour: str, hypothesis: str, feature: str) -> bool:
        """Whether a training has a feature."""
        chosen = self.features.get(f"{flavour}_{hypothesis}")
        return feature not in self.without and (chosen is None or feature in chosen)

    def for_xgboost(self) -> dict[str, Any]:
        """All of XGBoost's parameters.

        One thread a model: the sums of histograms, and so the trees, would depend on the number of threads.
        """
        return {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "nthread": 1,
            "verbosity": 0,
            "seed": self.seed,
            "device": self.device,
        } | self.parameters.for_xgboost

    def as_dict(self) -> dict[str, Any]:
        """For cards, which have the features of their training beside it."""
        own = ("max_rounds", "patience", "seed", "device")
        return {name: getattr(self, name) for name in own} | {
            "parameters": self.parameters.for_xgboost,
            "without": self.without,
        }
