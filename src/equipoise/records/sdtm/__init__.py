"""SDTM at the edge: records written as SDTM datasets, Parquet or CSV, and read back to the same records.

``variables`` is the table that drives both ways; docs/sdtm.md shows it and says what SDTM cannot hold.
"""

from equipoise.records.sdtm.reading import read_sdtm
from equipoise.records.sdtm.writing import write_sdtm

__all__ = ["read_sdtm", "write_sdtm"]
