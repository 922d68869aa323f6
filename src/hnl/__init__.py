"""Search for long-lived heavy neutral leptons: from NanoAOD to exclusion limits, in columnar Python."""

__version__ = "0.1.0"
