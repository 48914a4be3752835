"""Which channel brought a visit: a table of rules over UTM tags, click ids and the referrer, the first that holds decides.

The rules follow the published definitions of Google Analytics' default channel group (support.google.com/analytics/answer/9756891), with
click ids beside: an ad click whose tags were lost still has the platform's own mark.
"""

from __future__ import annotations

from dataclasses import dataclass

SEARCH = "google|bing|duckduckgo|ecosia|yahoo|baidu|yandex|qwant|startpage|brave|naver|seznam"
SOCIAL = "facebook|instagram|meta|twitter|linkedin|pinterest|reddit|tiktok|snapchat|threads|mastodon|bluesky|xing|tumblr"
VIDEO = "youtube|vimeo|twitch|dailymotion"
SHOPPING = "amazon|ebay|etsy|idealo|alibaba|shopping"
PAID = "^(.*cp.*|ppc|retargeting|paid.*)$"


def _named(sites: str) -> str:
    """A site by its name or its host: google, google.com, m.facebook.com; not google-ad."""
    return f"(^|[.])({sites})([.]|$)"


@dataclass(frozen=True)
class Rule:
    """The channel of visits for which a condition holds; names in braces are the columns."""

    channel: str
    condition: str


RULES = (
    Rule("paid_shopping", f"regexp_like({{source}}, '{_named(SHOPPING)}') AND regexp_like({{medium}}, '{PAID}')"),
    Rule("paid_search", f"regexp_like({{source}}, '{_named(SEARCH)}') AND regexp_like({{medium}}, '{PAID}') AND {{medium}} <> 'cpm'"),
    Rule("paid_social", f"regexp_like({{source}}, '{_named(SOCIAL)}') AND regexp_like({{medium}}, '{PAID}')"),
    Rule("paid_social", "{medium} IN ('paid_social', 'paidsocial')"),
    Rule("paid_video", f"regexp_like({{source}}, '{_named(VIDEO)}') AND regexp_like({{medium}}, '{PAID}')"),
    Rule("display", "{medium} IN ('display', 'banner', 'expandable', 'interstitial', 'cpm')"),
    Rule("paid_search", "{click_id} IN ('gclid', 'gbraid', 'wbraid', 'msclkid') AND {medium} = ''"),
    Rule("paid_social", "{click_id} IN ('ttclid', 'li_fat_id', 'twclid', 'rdt_cid', 'sccid') AND {medium} = ''"),
    Rule("display", "{click_id} = 'dclid' AND {medium} = ''"),
    Rule("paid_other", f"regexp_like({{medium}}, '{PAID}')"),
    Rule("email", "regexp_like({source}, '^e[-_ ]?mail$|newsletter') OR regexp_like({medium}, '^e[-_ ]?mail$|newsletter')"),
    Rule("affiliate", "{medium} IN ('affiliate', 'affiliates')"),
    Rule("sms", "{source} = 'sms' OR {medium} = 'sms'"),
    Rule("push", "regexp_like({medium}, 'push$|mobile|notification') OR {source} = 'firebase'"),
    Rule("audio", "{medium} = 'audio'"),
    Rule("organic_social", "{medium} IN ('social', 'social-network', 'social-media', 'sm')"),
    Rule("organic_social", f"regexp_like({{source}}, '{_named(SOCIAL)}')"),
    Rule("organic", "{medium} = 'organic'"),
    Rule("referral", "{medium} IN ('referral', 'app', 'link')"),
    Rule("organic_social", f"{{medium}} = '' AND regexp_like({{referrer}}, '{_named(SOCIAL)}')"),
    Rule("organic_social", "{medium} = '' AND {referrer} IN ('t.co', 'lnkd.in', 'x.com')"),
    Rule("organic_video", f"{{medium}} = '' AND regexp_like({{referrer}}, '{_named(VIDEO)}')"),
    Rule("organic", f"{{medium}} = '' AND regexp_like({{referrer}}, '{_named(SEARCH)}')"),
    Rule("referral", "{medium} = '' AND {referrer} <> ''"),
    Rule("direct", "{medium} = '' AND {source} IN ('', '(direct)')"),
)
OTHERWISE = "unassigned"


def channel(*, source: str, medium: str, referrer: str, url: str = "''", own_host: str = "") -> str:
    """SQL that gives the channel. Arguments are SQL: UTM source and medium, the referring page, the page's address (for click ids).

    A referrer on `own_host` counts as none.
    """
    host = f"coalesce(regexp_extract(lower({referrer}), '^[a-z-]+://([^/:?#]+)', 1), '')"
    if own_host:
        host = f"CASE WHEN {host} = '{own_host}' OR {host} LIKE '%.{own_host}' THEN '' ELSE {host} END"
    marks = "gclid|gbraid|wbraid|msclkid|ttclid|li_fat_id|twclid|rdt_cid|sccid|dclid|fbclid"
    columns = {
        "source": f"coalesce(lower({source}), '')", "medium": f"coalesce(lower({medium}), '')", "referrer": f"({host})",
        "click_id": f"coalesce(regexp_extract({url}, '[?&]({marks})=', 1), '')",
    }  # fmt: skip
    cases = " ".join(f"WHEN {rule.condition.format(**columns)} THEN '{rule.channel}'" for rule in RULES)
    return f"CASE {cases} ELSE '{OTHERWISE}' END"
