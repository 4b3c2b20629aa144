"""Settings: what they say when something is missing or wrong."""

from __future__ import annotations

import pytest

from hub.config import Settings, TwilioSettings
from hub.environment import SettingsError

NEEDED = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}
ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token", "TWILIO_FROM": "+14155550100"}
SOFTPHONE = {"TWILIO_API_KEY_SID": "SK1", "TWILIO_API_KEY_SECRET": "key", "TWILIO_TWIML_APP_SID": "AP1"}


def account(**more: str) -> TwilioSettings:
    found = Settings.from_env(NEEDED | ACCOUNT | more).twilio
    assert found is not None
    return found


def test_without_an_account_there_is_none() -> None:
    assert Settings.from_env(NEEDED | SOFTPHONE).twilio is None


def test_an_account_alone_dials_one_call_a_second_and_has_no_softphone() -> None:
    found = account()

    assert (found.calls_per_second, found.has_softphone, dict(found.webhook_keys)) == (1.0, False, {})


def test_the_softphone_needs_all_of_its_three_settings() -> None:
    assert account(**SOFTPHONE).has_softphone
    for name in SOFTPHONE:
        some = {other: value for other, value in SOFTPHONE.items() if other != name}
        with pytest.raises(SettingsError, match=f"^{name} must be set"):
            account(**some)


def test_webhook_keys_are_pairs() -> None:
    assert account(TWILIO_WEBHOOK_KEYS="a=1, b=2=3,").webhook_keys == {"a": "1", "b": "2=3"}
    for wrong in ("a", "=1", "a=", "a=1,b"):
        with pytest.raises(SettingsError, match="TWILIO_WEBHOOK_KEYS"):
            account(TWILIO_WEBHOOK_KEYS=wrong)


def test_calls_per_second_are_a_number_in_bounds() -> None:
    assert account(TWILIO_CALLS_PER_SECOND="0.5").calls_per_second == 0.5
    for wrong in ("fast", "0", "-1", "nan", "inf", "1e9"):
        with pytest.raises(SettingsError, match="TWILIO_CALLS_PER_SECOND"):
            account(TWILIO_CALLS_PER_SECOND=wrong)


def test_objects_are_in_a_folder_or_in_s3() -> None:
    assert Settings.from_env(NEEDED).objects == ""
    for right in ("/var/lib/ringside/objects", "s3://bucket", "s3://bucket/a/b"):
        assert Settings.from_env(NEEDED | {"RINGSIDE_OBJECTS": right}).objects == right
    for wrong in ("objects", "./objects", "s3://", "gs://bucket"):
        with pytest.raises(SettingsError, match="RINGSIDE_OBJECTS"):
            Settings.from_env(NEEDED | {"RINGSIDE_OBJECTS": wrong})


def test_of_amazons_variables_only_those_that_count_are_taken() -> None:
    found = Settings.from_env(NEEDED | {"AWS_REGION": "eu-central-1", "AWS_ENDPOINT": "", "AWS_PROFILE": "home"})

    assert found.s3 == {"AWS_REGION": "eu-central-1"}


def test_secrets_are_not_in_the_repr() -> None:
    made = NEEDED | ACCOUNT | SOFTPHONE | {"TWILIO_WEBHOOK_KEYS": "id=hidden", "AWS_SECRET_ACCESS_KEY": "hidden"}
    shown = repr(Settings.from_env(made | {"TWILIO_API_KEY_SECRET": "hidden", "TWILIO_AUTH_TOKEN": "hidden"}))

    assert "hidden" not in shown


def test_google_is_set_up_by_its_client_and_pushes_by_all_three() -> None:
    client = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}
    pushes = {"GOOGLE_PUSH_TOPIC": "projects/p/topics/t", "GOOGLE_PUSH_ACCOUNT": "p@x", "GOOGLE_PUSH_AUDIENCE": "https://hub"}

    assert Settings.from_env(NEEDED).google is None
    found = Settings.from_env(NEEDED | client | pushes).google
    assert found is not None and found.topic == "projects/p/topics/t" and "secret" not in repr(found).replace("client_secret", "")
    with pytest.raises(SettingsError, match="GOOGLE_CLIENT_SECRET"):
        Settings.from_env(NEEDED | {"GOOGLE_CLIENT_ID": "id"})
    with pytest.raises(SettingsError, match=r"^GOOGLE_PUSH_ACCOUNT must be set"):
        Settings.from_env(NEEDED | client | {k: v for k, v in pushes.items() if k != "GOOGLE_PUSH_ACCOUNT"})


def test_a_test_clock_goes_with_a_key_of_the_test_mode_only() -> None:
    key = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    found = Settings.from_env(NEEDED | key | {"STRIPE_TEST_CLOCK": "clock_1"}).stripe
    assert found is not None and found.test_clock == "clock_1"
    for live in ("sk_live_1", "rk_live_1", "anything"):
        with pytest.raises(SettingsError, match="STRIPE_TEST_CLOCK needs a STRIPE_SECRET_KEY of the test mode"):
            Settings.from_env(NEEDED | key | {"STRIPE_SECRET_KEY": live, "STRIPE_TEST_CLOCK": "clock_1"})
    with pytest.raises(SettingsError, match="it should be the id of a test clock"):
        Settings.from_env(NEEDED | key | {"STRIPE_TEST_CLOCK": "2027-01-01"})


def test_switches_are_yes_or_no() -> None:
    assert Settings.from_env(NEEDED | {"RINGSIDE_PRIVATE_MAIL_HOSTS": "yes"}).private_mail_hosts
    with pytest.raises(SettingsError, match="RINGSIDE_PRIVATE_MAIL_HOSTS"):
        Settings.from_env(NEEDED | {"RINGSIDE_PRIVATE_MAIL_HOSTS": "perhaps"})
