"""A Twilio for one machine: the calls resource, its rules, and signed status callbacks.

What becomes of a call is decided by the number called. Scripted numbers come first:

    +12025550150    refused: invalid number (error 21211)
    +12025550151    HTTP 500, and no call is made
    +12025550152    the call is made, but the answer to the request never comes
    +12025550153    HTTP 429 with Retry-After
    +12025550154    answered, and never ends by itself
    +12025550155    answered, but no callback ever comes
    +12025550156    answered; each callback comes twice, and in the wrong order
    +12025550157    answered by a fax machine
    +12025550158    answered by something that detection does not recognise

Every other number goes by its last digit:

    0-4    answered by a person, who talks for 20 to 60 s (20 + the last four digits modulo 41)
    5      busy
    6      rings until it is given up: no answer
    7      answered by voicemail
    8      fails before it rings
    9      answered, then drops after 4 s

Calls to browsers:

    client:sim-…    a robot that answers after some 50 ms and stays
    client:…        nobody is registered: no answer, at once

An answered call rings for about 2 s first, voicemail for 6. `speed` makes all of it pass more quickly; durations are
reported as if it had not.

`GET /` shows this table, `GET /_sandbox/calls` the calls so far, and `POST /_sandbox/calls/{sid}/{event}` plays the
contact: `answer`, `hangup`, `busy`, `no-answer` or `fail`.
"""

from integrations.sandbox.twilio.server import Sandbox, start_sandbox
from integrations.sandbox.twilio.settings import CallbackHabit, SandboxSettings

__all__ = ["CallbackHabit", "Sandbox", "SandboxSettings", "start_sandbox"]
