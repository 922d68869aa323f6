"""Settings of the catalogue that say how and where files are read and jobs run; never what comes out."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hnl.datasets.model import CatalogueEntry

# Written by this package into every submit description, so not to be set by hand.
OWN_COMMANDS = frozenset(
    {
        "arguments", "container_image", "error", "executable", "log", "max_retries", "on_exit_hold",
        "on_exit_hold_reason", "output", "queue", "request_cpus", "request_disk", "request_memory", "retry_until",
        "should_transfer_files", "transfer_input_files", "transfer_output_files", "universe", "use_oauth_services",
        "use_x509userproxy", "when_to_transfer_output",
    }
)  # fmt: skip


class Remote(CatalogueEntry):
    """How files are read over the network."""

    redirectors: tuple[Annotated[str, Field(pattern=r"^[a-z]+://[^/\s]+/*$")], ...] = Field(
        default=(),
        description="servers such as root://xrootd-cms.infn.it, tried in order after the one that the URL names; "
        "HNL_REDIRECTORS (separated by commas) takes their place",
    )
    timeout: int = Field(default=60, ge=1, le=3600, description="seconds for one request")
    attempts: int = Field(default=4, ge=1, le=20, description="rounds over all servers")
    wait: float = Field(default=2.0, ge=0, le=600, description="seconds before the second round; then doubled")


class Batch(CatalogueEntry):
    """What a job of a batch system asks for, and where its input, its Python and its output are."""

    cpus: int = Field(default=1, ge=1, description="one file is read after the other: more do not help")
    memory: int = Field(default=2500, ge=500, description="MB; the selection needs about 1500")
    disk: int = Field(default=4000, ge=100, description="MB; add the size of transferred input")
    events_per_job: int = Field(default=2_000_000, ge=1, description="files are put together up to so many events")
    retries: int = Field(default=3, ge=0, le=20, description="further tries of a job after a temporary failure")
    local_files: Literal["transferred", "shared"] | None = Field(
        default=None,
        description="input files that are not URLs: 'transferred' with the job, or 'shared': every worker has them "
        "under the same path",
    )
    output: str = Field(
        default="transferred",
        pattern=r"^(transferred|/\S+|[a-z]+://\S+)$",
        description="results come back by HTCondor ('transferred'), or go to a folder that all workers have, or to a "
        "URL such as root://eosuser.cern.ch//eos/user/m/me/hnl",
    )
    container: str | None = Field(default=None, min_length=1, description="image with Python and the locked libraries")
    python: str | None = Field(
        default=None, pattern=r"^/\S+$", description="of all workers, with the locked libraries, e.g. on /cvmfs"
    )
    x509_proxy: bool = Field(default=False, description="send the VOMS proxy with the job")
    oauth_services: tuple[str, ...] = Field(default=(), description="token services of the site, e.g. cms")
    commands: dict[str, str] = Field(
        default_factory=dict,
        description='further lines of the submit description, e.g. {"+JobFlavour": \'"workday"\'}',
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.container and self.python:
            raise ValueError("a job runs in a container or with a python: give one of them")
        if own := sorted(name for name in self.commands if name.lower() in OWN_COMMANDS):
            raise ValueError(f"{', '.join(own)} cannot be set in commands")
        if broken := [line for pair in self.commands.items() for line in pair if "\n" in line]:
            raise ValueError(f"a command is one line, not {broken[0]!r}")
        return self
