"""Visits: events of one visitor with no pause of half an hour among them and no other campaign, or those a tracker has put together.

All functions take and give a SELECT (Spark's dialect). The columns they know: event_id, event_type, event_at, received_at, visitor_id,
session_id (the tracker's), page_view_id, campaign, user_agent, created_at and sent_at (both by the sender's clock).
"""

from __future__ import annotations

from lakehouse.web_analytics.bots import is_bot

GAP_MINUTES = 30
LATE_DAYS = 3
LONGEST_DAYS = 3
COUNTED = ("page_view", "page_ping")


def counted(events: str, *, late_days: int = LATE_DAYS) -> str:
    """Events that count: each once (the first received), on a page, no robot's, sent within `late_days` of happening."""
    return f"""SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY received_at, event_at) AS _delivery FROM ({events}) e
    ) d WHERE _delivery = 1 AND page_view_id IS NOT NULL AND NOT {is_bot("user_agent")}
      AND (sent_at IS NULL OR created_at IS NULL OR sent_at <= created_at + INTERVAL {late_days} DAY)"""


def in_sessions(events: str, *, by_tracker: bool = False, gap_minutes: int = GAP_MINUTES, longest_days: int = LONGEST_DAYS) -> str:
    """Each event with `visit`, which names its visit; what comes later than `longest_days` after a visit's first event is left out.

    A visit ends after a pause of `gap_minutes`, or where an event names another campaign than the visit's. `by_tracker` takes
    the tracker's session instead, where a tracker keeps one. Events of nobody known (no visitor, or no tracker's session) are left out.
    """
    if by_tracker:
        visits = f"SELECT *, session_id AS visit FROM ({events}) e WHERE session_id IS NOT NULL"
    else:
        order = "OVER (PARTITION BY visitor_id ORDER BY event_at, event_id)"
        known = "OVER (PARTITION BY visitor_id ORDER BY event_at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
        visits = f"""SELECT *, concat_ws('-', visitor_id, CAST(_number AS string)) AS visit FROM (
            SELECT *, sum(CASE WHEN _before IS NULL OR event_at > _before + INTERVAL {gap_minutes} MINUTE
                               OR campaign IS NOT NULL AND coalesce(_campaign, '') <> campaign THEN 1 ELSE 0 END) {order} AS _number
            FROM (SELECT *, lag(event_at) {order} AS _before, last_value(campaign) IGNORE NULLS {known} AS _campaign
                  FROM ({events}) e WHERE visitor_id IS NOT NULL) l
        ) n"""
    return f"""SELECT * FROM (SELECT *, min(event_at) OVER (PARTITION BY visit) AS visit_started_at FROM ({visits}) v) s
        WHERE event_at <= visit_started_at + INTERVAL {longest_days} DAY"""


def sessions(visits: str) -> str:
    """One row per visit with a page seen: visitor_id (of its first event), started_at, ended_at, page_views, events, campaign."""
    kinds = ", ".join(f"'{kind}'" for kind in COUNTED)
    return f"""SELECT visit, min_by(visitor_id, event_at) AS visitor_id, min(event_at) AS started_at, max(event_at) AS ended_at,
               count(DISTINCT CASE WHEN event_type IN ({kinds}) THEN page_view_id END) AS page_views, count(*) AS events,
               min_by(campaign, CASE WHEN campaign IS NOT NULL THEN event_at END) AS campaign
        FROM ({visits}) v GROUP BY visit HAVING count(CASE WHEN event_type IN ({kinds}) THEN 1 END) > 0"""
