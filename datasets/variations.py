"""Names of the variations of a nuisance parameter."""

NOMINAL = "nominal"  # no variation
JER = "jer"  # nuisance of the jet energy resolution


def up_down(nuisance: str) -> tuple[str, str]:
    """Names of the two variations of a nuisance."""
    return f"{nuisance}_up", f"{nuisance}_down"
