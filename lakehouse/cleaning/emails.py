"""E-mail addresses."""

from __future__ import annotations

import re
from typing import NamedTuple

ROLES = {
    "info", "contact", "kontakt", "office", "sales", "support", "service", "hello", "admin", "webmaster", "postmaster", "noreply",
    "no-reply",
    "marketing", "billing", "jobs", "hr", "team", "mail", "newsletter", "abuse", "privacy",
}  # fmt: skip
FREE = {
    "gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "icloud.com", "me.com", "aol.com", "gmx.de",
    "gmx.net",
    "web.de", "t-online.de", "proton.me", "protonmail.com", "mail.ru", "orange.fr", "free.fr", "libero.it", "yandex.ru", "qq.com",
    "163.com",
}  # fmt: skip
MISTYPED = {
    "gmial.com": "gmail.com", "gmai.com": "gmail.com", "gmail.con": "gmail.com", "gnail.com": "gmail.com", "gmail.co": "gmail.com",
    "hotmial.com": "hotmail.com", "hotmail.con": "hotmail.com", "yaho.com": "yahoo.com", "yahoo.con": "yahoo.com",
    "outlok.com": "outlook.com",
}  # fmt: skip


class Email(NamedTuple):
    """An address as mail is sent to it; `identity` is what two spellings of one mailbox have in common."""

    address: str
    identity: str
    domain: str
    is_role: bool
    is_free: bool
    was_mistyped: bool


def email(text: str | None) -> Email | None:
    """Valid by RFC 5321/5322 as email-validator has it, without asking the network; None where it is no address."""
    if not text:
        return None
    from email_validator import EmailNotValidError, validate_email

    given = re.sub(r"^(mailto:)?[<\s]*|[>\s;,.]*$", "", text.strip(), flags=re.IGNORECASE)
    named = re.fullmatch(r".*<([^<>]+)", given)
    given = named[1] if named else given
    local, _, domain = given.rpartition("@")
    meant = MISTYPED.get(domain.casefold(), domain)
    try:
        found = validate_email(f"{local}@{meant}", check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        return None
    box, host = found.local_part.casefold(), found.domain.casefold()
    same = box.partition("+")[0] or box
    if host in ("gmail.com", "googlemail.com"):
        same, host_of = same.replace(".", ""), "gmail.com"
    else:
        host_of = host
    return Email(f"{found.local_part}@{host}", f"{same}@{host_of}", host, box in ROLES, host in FREE, meant != domain)
