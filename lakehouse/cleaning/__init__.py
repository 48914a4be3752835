"""Shared, named steps that make values of one kind alike. Each takes a value and gives it clean, or None where it is none.

`column(step, "name")` makes a step a column of a job; steps over whole columns (`with_outliers`, `imputed`, `converted`) take and give
data frames. Nothing here reads a clock or a network: the same value always comes out the same, as long as the libraries stay.
"""

from lakehouse.cleaning.calendar import DayFacts, day_facts
from lakehouse.cleaning.columns import column
from lakehouse.cleaning.companies import CompanyName, company_name
from lakehouse.cleaning.countries import CountryFacts, country_code, country_facts
from lakehouse.cleaning.devices import Device, device
from lakehouse.cleaning.emails import Email, email
from lakehouse.cleaning.frames import converted, imputed, with_outliers
from lakehouse.cleaning.money import Money, currency_code, money
from lakehouse.cleaning.names import PersonName, person_name
from lakehouse.cleaning.phones import Phone, phone
from lakehouse.cleaning.postcodes import Postcode, postcode
from lakehouse.cleaning.texts import plain_text
from lakehouse.cleaning.times import Moment, moment
from lakehouse.cleaning.units import in_unit

__all__ = [
    "CompanyName", "CountryFacts", "DayFacts", "Device", "Email", "Moment", "Money", "PersonName", "Phone", "Postcode", "column",
    "company_name", "converted", "country_code", "country_facts", "currency_code", "day_facts", "device", "email", "imputed",
    "in_unit", "moment", "money", "person_name", "phone", "plain_text", "postcode", "with_outliers",
]  # fmt: skip
