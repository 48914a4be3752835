"""Groups of customers: by recency, frequency and value, by clusters where there is structure, by rules."""

from lakehouse.science.segmentation.rfm import rfm, rfm_scores, value_tiers

__all__ = ["rfm", "rfm_scores", "value_tiers"]
