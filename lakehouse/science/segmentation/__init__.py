"""Groups of customers: by recency, frequency and value, by clusters where there is structure, by rules."""

from lakehouse.science.segmentation.clusters import dbscan, hdbscan, hierarchical, k_means, silhouette
from lakehouse.science.segmentation.inputs import Scales, regions, survey_scales, weighted_blocks
from lakehouse.science.segmentation.migration import keep_labels, migration
from lakehouse.science.segmentation.profiles import profiles
from lakehouse.science.segmentation.rfm import rfm, rfm_scores, value_tiers
from lakehouse.science.segmentation.rules import Rule, assign, hybrid, segment_rules, told_apart, tree_rules
from lakehouse.science.segmentation.structure import Segments, find_segments, jaccard_stability

__all__ = [
    "Rule",
    "Scales",
    "Segments",
    "assign",
    "dbscan",
    "find_segments",
    "hdbscan",
    "hierarchical",
    "hybrid",
    "jaccard_stability",
    "k_means",
    "keep_labels",
    "migration",
    "profiles",
    "regions",
    "rfm",
    "rfm_scores",
    "segment_rules",
    "silhouette",
    "survey_scales",
    "told_apart",
    "tree_rules",
    "value_tiers",
    "weighted_blocks",
]
