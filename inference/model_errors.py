"""What is refused of a statistical model, by name."""

from hnl.errors import InputError


class ModelError(InputError):
    """Yields or uncertainties do not make a model; the message names the cell or channel. Base of the errors below."""


class MissingRegionError(ModelError):
    """A cell does not have a value for each of A, B, C, D."""


class NegativeYieldError(ModelError):
    """A yield is negative. Sums of negative weights have to be dealt with before."""


class NonFiniteError(ModelError):
    """A yield, an error or a factor is not a finite number."""


class FactorError(ModelError):
    """A log-normal factor is not positive, or is given for what cannot have it."""


class NoSignalError(ModelError):
    """No cell has signal in A, nor has a template signal: there is nothing to set a limit on."""


class BinningError(ModelError):
    """Arrays of yields or factors do not have the same bins, or a category's closure does not match."""


class DuplicateCellError(ModelError):
    """Two cells are the same bin of the same category, or two templates have the same name."""


class ForbiddenNameError(ModelError):
    """A category, channel, process or nuisance has a name that the exported files cannot hold, or that is reserved."""


class HiddenDataError(ModelError):
    """An observed result is asked of blinded data, or only a part of them is blinded."""


class EmptyBinError(ModelError):
    """A bin of a template has events but no background: without signal what is observed would be impossible."""


class ProcessError(ModelError):
    """A factor or a free normalisation is of a process that is not in the channel, or that has no events."""
