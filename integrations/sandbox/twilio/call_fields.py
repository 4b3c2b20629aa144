"""What the sandbox says about a call, in the fields of its requests."""

from typing import Final

from integrations.sandbox.twilio.calls import Call
from integrations.sandbox.twilio.courier import Fields
from integrations.sandbox.twilio.wording import API_VERSION, country, now, rfc_2822

_SIP_CODES: Final = {"busy": "486", "no-answer": "487", "failed": "404"}


def request_fields(call: Call) -> Fields:
    """Return what comes with every request for TwiML. https://www.twilio.com/docs/voice/twiml#request-parameters"""
    fields = {
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "Called": call.to,
        "Caller": call.from_,
        "To": call.to,
        "From": call.from_,
        "Direction": call.direction,
    }
    for party, who in (("To", call.to), ("Called", call.to), ("From", call.from_), ("Caller", call.from_)):
        if who.startswith("+"):
            fields |= {f"{party}City": "", f"{party}State": "", f"{party}Zip": "", f"{party}Country": country(who)}
    if call.parent_sid:
        fields["ParentCallSid"] = call.parent_sid
    if call.forwarded_from:
        fields["ForwardedFrom"] = call.forwarded_from
    if call.answered_by and not call.is_over:
        fields["AnsweredBy"] = call.answered_by
    return fields


def callback_fields(call: Call) -> Fields:
    """Return what a status callback says about `call` now. Durations are in it once the call is over."""
    fields = request_fields(call)
    fields.pop("AnsweredBy", None)
    fields |= {
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(call.events_sent),
        "Timestamp": rfc_2822(now()) or "",
    }
    if call.is_over:
        seconds = call.duration_s or 0
        fields |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
        if call.status in _SIP_CODES:
            fields["SipResponseCode"] = call.plan.sip_code or _SIP_CODES[call.status]
        if call.answered_by:
            fields["AnsweredBy"] = call.answered_by
    return fields
