"""What the variations of a nuisance parameter are called."""

NOMINAL = "nominal"  # the variation that is none
JER = "jer"  # the nuisance of the jet energy resolution


def up_down(nuisance: str) -> tuple[str, str]:
    """The names of its two variations."""
    return f"{nuisance}_up", f"{nuisance}_down"
