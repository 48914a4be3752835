"""Whether a model or a campaign treats groups of people alike: gaps with intervals, limits, mitigation and its cost."""

from lakehouse.science.fairness.audit import Audit, audit
from lakehouse.science.fairness.campaigns import campaign_reach
from lakehouse.science.fairness.gaps import Gap, gaps, group_table, reach, reach_of_counts, with_others
from lakehouse.science.fairness.mitigation import Mitigation, mitigate

__all__ = [
    "Audit",
    "Gap",
    "Mitigation",
    "audit",
    "campaign_reach",
    "gaps",
    "group_table",
    "mitigate",
    "reach",
    "reach_of_counts",
    "with_others",
]
