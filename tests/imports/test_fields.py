"""Columns are recognised by the names other systems give them."""

from __future__ import annotations

import pytest

from hub.imports.fields import guess_fields

HUBSPOT = {
    "Record ID": None, "First Name": "first_name", "Last Name": "last_name", "Email": "email", "Phone Number": "phone",
    "Mobile Phone Number": "phone_mobile", "Contact owner": "owner", "Lead Status": "stage", "Lifecycle Stage": None,
    "Company name": "company", "Associated Company": None, "Job Title": "title", "Marketing emails opened": None,
    "Email Domain": None,
    "Additional email addresses": "email", "Country/Region": "country", "WhatsApp Phone Number": "phone_mobile",
    "Unsubscribed from all email": None,
}  # fmt: skip
SALESFORCE = {
    "Salutation": None, "FirstName": "first_name", "LastName": "last_name", "Title": "title", "Account Name": "company",
    "Phone": "phone", "MobilePhone": "phone_mobile", "HomePhone": "phone_home", "OtherPhone": "phone_other", "Fax": None,
    "Email": "email", "LeadSource": None, "Status": "stage", "MailingCountry": "country", "Lead Owner": "owner",
}  # fmt: skip
GOOGLE_OLD = {
    "Name": "full_name", "Given Name": "first_name", "Additional Name": None, "Family Name": "last_name",
    "Group Membership": "tags", "E-mail 1 - Type": "email_label", "E-mail 1 - Value": "email", "Phone 1 - Type": "phone_label",
    "Phone 1 - Value": "phone", "Organization 1 - Name": "company", "Organization 1 - Title": "title", "Notes": None,
    "Website 1 - Value": None,
}  # fmt: skip
GOOGLE_NEW = {
    "First Name": "first_name", "Middle Name": None, "Last Name": "last_name", "Organization Name": "company",
    "Organization Title": "title", "Labels": "tags", "E-mail 1 - Label": "email_label", "E-mail 1 - Value": "email",
    "Phone 2 - Label": "phone_label", "Phone 2 - Value": "phone", "Address 1 - Country": "country",
}  # fmt: skip
OUTLOOK = {
    "Title": None, "First Name": "first_name", "Last Name": "last_name", "Company": "company", "Job Title": "title",
    "E-mail Address": "email", "E-mail Display Name": None, "E-mail 2 Address": "email", "Business Phone": "phone",
    "Business Phone 2": "phone", "Home Phone": "phone_home", "Mobile Phone": "phone_mobile", "Company Main Phone": None,
    "Assistant's Phone": None, "Business Fax": None, "Categories": "tags", "Business Country/Region": "country",
}  # fmt: skip
PIPEDRIVE = {
    "Person - Name": "full_name", "Person - Organization": "company", "Person - Email - Work": "email",
    "Person - Email - Home": "email_home", "Person - Phone - Work": "phone", "Person - Phone - Mobile": "phone_mobile",
    "Person - Labels": "tags", "Person - Owner": "owner", "Deal - Stage": "stage",
}  # fmt: skip
CUSTOMERS = {
    "Index": None, "Customer Id": None, "First Name": "first_name", "Last Name": "last_name", "Company": "company", "City": None,
    "Country": "country", "Phone 1": "phone", "Phone 2": "phone", "Email": "email", "Subscription Date": None, "Website": None,
}  # fmt: skip
LEADS = {
    "Index": None, "Account Id": None, "Lead Owner": "owner", "First Name": "first_name", "Last Name": "last_name",
    "Company": "company", "Phone 1": "phone", "Phone 2": "phone", "Email 1": "email", "Email 2": "email", "Website": None,
    "Source": None, "Deal Stage": "stage", "Notes": None,
}  # fmt: skip
GERMAN = {
    "Vorname": "first_name",
    "Nachname": "last_name",
    "E-Mail-Adresse": "email",
    "Mobiltelefon": "phone_mobile",
    "Firma": "company",
}


@pytest.mark.parametrize(
    "columns", [HUBSPOT, SALESFORCE, GOOGLE_OLD, GOOGLE_NEW, OUTLOOK, PIPEDRIVE, CUSTOMERS, LEADS, GERMAN],
    ids=["hubspot", "salesforce", "google old", "google new", "outlook", "pipedrive", "customers", "leads", "german"],
)  # fmt: skip
def test_the_usual_names_are_recognised(columns: dict[str, str | None]) -> None:
    assert dict(zip(columns, guess_fields(list(columns)), strict=True)) == columns


def test_the_columns_we_add_to_failed_rows_are_left_out_when_they_come_back() -> None:
    assert guess_fields(["Email", "line", "reason"]) == ["email", "ignore", "ignore"]
