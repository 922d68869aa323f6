"""The points that the signal samples of all eras describe: any |V|^2 after reweighting, or the generated lifetime.

A mass can be reweighted if every era with samples of it has one with truth. Samples without truth are then left out. At
other masses they describe only the point of their generated lifetime, which needs no truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hnl.corrections import lifetime, masses
from hnl.corrections.lifetime import Point, PointError, SignalSample


@dataclass(frozen=True)
class Reach:
    """Signal samples by era."""

    eras: Mapping[str, Sequence[SignalSample]]

    def masses(self, pattern: str, nature: str) -> tuple[list[float], list[float]]:
        """Masses (GeV) of the samples for a ratio of couplings and a nature: those that can be reweighted, and the
        others."""
        serving = [lifetime.serving(samples, pattern, nature) for samples in self.eras.values()]
        every = sorted({s.point.mass for samples in serving for s in samples})
        free = []
        for mass in every:
            of_eras = [[s.truth for s in samples if s.point.mass == mass] for samples in serving]
            if all(any(known) for known in of_eras if known):
                free.append(mass)
        return free, [mass for mass in every if mass not in free]

    def fixed(self, pattern: str, nature: str) -> list[SignalSample]:
        """The samples without truth that are used at their generated lifetime: one per mass and lifetime."""
        fixed_masses = self.masses(pattern, nature)[1]
        result: list[SignalSample] = []
        for sample in (s for samples in self.eras.values() for s in lifetime.serving(samples, pattern, nature)):
            mine = not sample.truth and sample.point.mass in fixed_masses
            if mine and not any(s.point.mass == sample.point.mass and s.generated_at(sample.ctau) for s in result):
                result.append(sample)
        return result

    def left_out(self) -> list[str]:
        """Names of samples without truth that are not used, because other samples of their mass are reweighted."""
        return [s.name for s in self._every() if not s.truth and self.is_free(s.point)]

    def is_free(self, point: Point) -> bool:
        """Whether samples of the mass of a point can be reweighted to it."""
        return point.mass in self.masses(point.pattern, point.nature)[0]

    def shares(self, point: Point) -> dict[float, float]:
        """The masses whose samples are reweighted to a point, all with truth, see `masses.shares`.

        Raises:
            PointError: the mass is outside of the range that can be reweighted, or in a gap that is too wide.
        """
        free, fixed = self.masses(point.pattern, point.nature)
        return masses.shares(free, point.mass, fixed)

    def group(self, era: str, point: Point, ctau: float) -> list[SignalSample]:
        """The samples of an era that describe a point at their mass, see `lifetime.samples_for`.

        Raises:
            PointError: this era has none, but others have.
        """
        samples = lifetime.samples_for(self.eras[era], point, ctau)
        if not samples:
            raise PointError(f"{point}: the era {era} has no sample of this mass, coupling and lifetime, others have")
        return samples

    def _every(self) -> list[SignalSample]:
        return [sample for samples in self.eras.values() for sample in samples]
