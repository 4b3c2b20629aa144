"""Templates filled in: pure, bounded, and never with a gap."""

from __future__ import annotations

import time

import pytest

from hub.templates.language import Fields, trusted
from hub.templates.plain import clean, text_of
from hub.templates.rendering import UNSUBSCRIBE_URL, Facts, MissingValue, TemplateProblem, preview, render

FACTS: Facts = {
    "contact": Fields(
        "contact",
        {
            "first_name": "<Ada>",
            "name": "Ada & Co",
            "custom": Fields("contact.custom", {"renewal": "2027-03-04", "last name": "x"}),
        },
    ),
    "sender": Fields("sender", {"name": "Rep", "signature": trusted("<b>Rep</b>")}),
    "company": Fields("company", {"name": "Acme"}),
    "unsubscribe_url": UNSUBSCRIBE_URL,
}


def filled(html: str) -> str:
    return render("", html, FACTS).html


def test_a_mail_is_filled_in_as_html_text_and_one_line_of_subject() -> None:
    done = render(
        "For {{ contact.first_name }}\nfrom {{ sender.name }}",
        "<p>Hello {{ contact.first_name }}</p><ul>\n<li>one</li><li>two</li></ul><p>{{ sender.signature }}</p>",
        FACTS,
    )
    assert done.subject == "For <Ada> from Rep"
    assert done.html.startswith("<p>Hello &lt;Ada&gt;</p>") and "<b>Rep</b>" in done.html
    assert done.text == "Hello <Ada>\n\n- one\n- two\n\nRep\n"


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ('{{ contact.title | default: "there" }}', "there"),
        ("{% if contact.title %}has{% else %}none{% endif %}", "none"),
        ("{% unless contact.title == 'CEO' %}no CEO{% endunless %}", "no CEO"),
        ("{{ contact.custom.renewal | date: '%-d %B %Y' }}", "4 March 2027"),
        ("{{ contact.custom['last name'] }}", "x"),
        ("{{ contact.name | upcase }}", "ADA &amp; CO"),
        ("{{ contact.first_name | append: '!' }}", "&lt;Ada&gt;!"),
        ("{% assign who = contact.name %}{{ who }}", "Ada &amp; Co"),
    ],
)
def test_defaults_conditions_and_filters(source: str, becomes: str) -> None:
    assert filled(source) == becomes


@pytest.mark.parametrize(
    ("source", "variable", "said"),
    [
        ("{{ contact.title }}", "contact.title", "This contact has no title."),
        ("{{ contact.title | upcase }}", "contact.title", "This contact has no title."),
        ("{{ contact.custom.size }}", "contact.custom.size", "no value for custom.size"),
        ("{{ sender.phone }}", "sender.phone", "The sender has no value for phone"),
        ("{{ nobody.name }}", "nobody", "There is no variable called nobody."),
        ("{{ contact }}", "contact", "several things at once"),
        ("{{ contact.custom }}", "contact.custom", ""),
    ],
)
def test_what_has_no_value_stops_the_mail_and_is_named(source: str, variable: str, said: str) -> None:
    with pytest.raises(MissingValue) as stopped:
        render("Hello", source, FACTS)
    assert stopped.value.variable == variable and said in stopped.value.message
    shown, problems = preview("Hello", f"a{source}b", FACTS)
    assert (shown.html, [problem.variable for problem in problems]) == ("ab", [variable])


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact.name",
        "{% if %}",
        "{% endif %}",
        "{{ contact.name | nope }}",
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{{ '<script>' | safe }}",
        "{{ 'PHNjcmlwdD4=' | base64_decode }}",
        "{{ 'x' | replace: '', 'y' }}",
        "{{ 2 | times: 2 }}",
        "{% for i in (1..100000000) reversed %}x{% endfor %}",
        "{% if (1..100000000000) contains 'x' %}x{% endif %}",
        "{{ contact.custom.renewal | date: '%999999999d' }}",
        "{% for a in contact %}" * 20 + "{% endfor %}" * 20,
        "{% assign a = 'xxxxxxxxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 40,
        "{{ 'xxxxxxxx' " + "| append: contact.name " * 5 + "| truncate: 'x', 'y', 'z' }}",
    ],
)
def test_what_can_not_be_read_or_would_run_away_is_refused_in_words_and_soon(source: str) -> None:
    began = time.thread_time()
    with pytest.raises(TemplateProblem) as refused:
        render("Hello", source, FACTS)
    assert time.thread_time() - began < 1
    assert refused.value.part == "html" and refused.value.message.startswith("The text of this template can't be used: ")


def test_nothing_of_python_can_be_reached() -> None:
    for name in ("contact.__class__", "contact.keys", "contact.custom.__init__.__globals__", "sender.signature.__html__"):
        with pytest.raises(MissingValue):
            filled("{{ " + name + " }}")


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        '<a href="javascript:alert(1)">x</a>',
        '<p style="position:fixed;background:url(javascript:alert(1))">x</p>',
        "<svg><script>alert(1)</script></svg>",
        '<form action="https://evil.example.com"><input name="password"></form>',
        '<iframe src="https://evil.example.com"></iframe>',
        "<style>body{display:none}</style>",
    ],
)
def test_no_script_gets_into_a_mail(html: str) -> None:
    cleaned = clean(html)
    assert not any(bad in cleaned for bad in ("alert", "evil", "position", "display:none", "<form", "<iframe"))


def test_the_text_says_where_links_lead() -> None:
    assert text_of(
        '<p>See <a href="https://example.com/a">this</a>, <a href="https://b.example.com">https://b.example.com</a>.</p>'
    ) == ("See this (https://example.com/a), https://b.example.com.\n")


def test_many_mails_are_filled_in_quickly() -> None:
    began = time.thread_time()
    for _ in range(500):
        render("Hello {{ contact.first_name }}", "<p>Hello {{ contact.first_name }}, {{ sender.signature }}</p>" * 4, FACTS)
    assert time.thread_time() - began < 1.5
