"""docs/asyncapi.yaml says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hub.events import CATALOGUE
from hub.realtime import asyncapi


def resolved(document: dict[str, Any], ref: str) -> Any:
    """What a local reference points to."""
    found: Any = document
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def refs(value: Any) -> list[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        return [*([value["$ref"]] if "$ref" in value else []), *(ref for item in value.values() for ref in refs(item))]
    return [ref for item in value for ref in refs(item)] if isinstance(value, list) else []


def test_the_document_in_the_repository_is_what_the_code_says() -> None:
    said = asyncapi.to_yaml(asyncapi.document()) + "\n"
    assert asyncapi.DOCUMENT.read_text(encoding="utf-8") == said, "run: python -m hub.realtime.asyncapi"
    assert yaml.safe_load(said) == asyncapi.document()


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi.document()
    for ref in refs(document):
        assert resolved(document, ref)


def test_every_event_of_the_catalogue_is_described_and_its_schema_is_one() -> None:
    document = asyncapi.document()
    ours = {name for name, kind in CATALOGUE.items() if kind.__module__.startswith("hub.")}
    assert "presence.changed" in ours
    assert ours <= set(document["components"]["messages"])
    for name in ours:
        payload = document["components"]["messages"][name]["payload"]
        jsonschema.Draft202012Validator.check_schema({**payload, "components": document["components"]})


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r'_dismiss\([^)]*?"(\w+)"\)', asyncapi.BYE_REASONS),
        (r'_dismiss\(self, "(\w+)"\)', asyncapi.BYE_REASONS),
        (r'_refusal\("(\w+)"', asyncapi.REFUSALS),
    ],
)
def test_every_reason_in_the_code_is_in_the_document(pattern: str, said: tuple[str, ...]) -> None:
    folder = Path(asyncapi.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    found = re.findall(pattern, text)
    assert found
    assert set(found) <= set(said)
