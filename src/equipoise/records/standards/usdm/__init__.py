"""A protocol as USDM 4.0: CDISC's Unified Study Definitions Model, as JSON, checked against the model's structure."""

from equipoise.records.standards.usdm.checks import USDM_RULES, usdm_objections
from equipoise.records.standards.usdm.document import usdm_bytes, usdm_document

__all__ = ["USDM_RULES", "usdm_bytes", "usdm_document", "usdm_objections"]
