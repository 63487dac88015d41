"""A catalogue of kinds of findings."""

from keyturn_credentials.domain.diagnosis import Diagnosis, Severity


class Catalogue:
    """Collects the kinds of findings that are made with it, in order."""

    def __init__(self) -> None:
        self.diagnoses: list[Diagnosis] = []

    def problem(self, code: str, means: str, advice: str) -> Diagnosis:
        return self._added(Diagnosis(code, Severity.PROBLEM, means, advice))

    def warning(self, code: str, means: str, advice: str) -> Diagnosis:
        return self._added(Diagnosis(code, Severity.WARNING, means, advice))

    def include(self, *diagnoses: Diagnosis) -> None:
        """Add kinds of findings that others make too."""
        self.diagnoses += diagnoses

    def _added(self, diagnosis: Diagnosis) -> Diagnosis:
        self.diagnoses.append(diagnosis)
        return diagnosis
