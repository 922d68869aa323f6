"""What the signal samples of all eras describe: any |V|^2 where they can be reweighted, else their own lifetime.

The rule: a mass can be reweighted if every era that has samples of it has one with truth. Samples without truth are
then left out. At other masses they describe the point of their generated lifetime, where no truth is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hnl.corrections import lifetime, masses
from hnl.corrections.lifetime import Point, PointError, Sample


@dataclass(frozen=True)
class Reach:
    """The samples by era."""

    eras: Mapping[str, Sequence[Sample]]

    def masses(self, coupling: str, nature: str) -> tuple[list[float], list[float]]:
        """GeV, of the samples that serve a coupling and nature: those that can be reweighted, and the others."""
        serving = [[s for s in samples if s.applies_to(coupling, nature)] for samples in self.eras.values()]
        every = sorted({s.point.mass for samples in serving for s in samples})
        free = []
        for mass in every:
            of_eras = [[s.truth for s in samples if s.point.mass == mass] for samples in serving]
            if all(any(known) for known in of_eras if known):
                free.append(mass)
        return free, [mass for mass in every if mass not in free]

    def fixed(self, coupling: str, nature: str) -> list[Sample]:
        """The samples without truth that are used at their generated lifetime: one of each mass and lifetime."""
        others = self.masses(coupling, nature)[1]
        found: list[Sample] = []
        for sample in self._every():
            mine = not sample.truth and sample.applies_to(coupling, nature) and sample.point.mass in others
            if mine and not any(s.point.mass == sample.point.mass and s.generated_at(sample.ctau) for s in found):
                found.append(sample)
        return found

    def left_out(self) -> list[str]:
        """The samples without truth that are not used, since others of their mass are reweighted."""
        return [s.name for s in self._every() if not s.truth and self.is_free(s.point)]

    def is_free(self, point: Point) -> bool:
        """Whether there are samples of the mass of a point that can be reweighted to it."""
        return point.mass in self.masses(point.coupling, point.nature)[0]

    def shares(self, point: Point) -> dict[float, float]:
        """The masses whose samples are reweighted to a point, see `masses.shares`: none is without truth.

        Raises:
            PointError: the mass is outside of what can be reweighted, or in a gap that is too wide.
        """
        free, others = self.masses(point.coupling, point.nature)
        return masses.shares(free, point.mass, others)

    def group(self, era: str, point: Point, ctau: float) -> list[Sample]:
        """The samples of an era that stand for a point at a mass of theirs, see `lifetime.usable`.

        Raises:
            PointError: it has none, others have.
        """
        found = lifetime.samples_for(self.eras[era], point, ctau)
        if not found:
            raise PointError(f"{point}: the era {era} has no sample of this mass, coupling and lifetime, others have")
        return found

    def _every(self) -> list[Sample]:
        return [sample for samples in self.eras.values() for sample in samples]
