"""A Twilio for one machine: voice and messages, their rules, and signed webhooks.

The resources are those of the API of 2010-04-01, as the SDK knows them: calls, conferences and participants,
recordings, transcriptions, messages, owned numbers and numbers on sale. Legs follow their TwiML: Say, Play, Pause,
Gather, Record, Dial (conferences, numbers, browsers), Redirect, Reject, Hangup.

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
    +12025550159    answered, and never ends by itself, either

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

An answered call rings for about 2 s first, voicemail for 6. Detection, where it is asked for, knows a person after
2.4 s and a machine after 3.6, the end of its greeting after 9. `speed` makes all of it pass more quickly; durations
are reported as if it had not.

Messages are delivered, but for these:

    +12025550150    refused: invalid number (error 21211)
    +12025550151    HTTP 500, and nothing is sent
    +12025550152    it is sent, but the answer to the request never comes
    +12025550153    HTTP 429 with Retry-After
    +12025550155    delivered, but no callback ever comes
    +12025550156    delivered; each callback comes twice, and in the wrong order
    6      undelivered: the handset can't be reached (error 30003)
    8      failed: there is no such handset (error 30005)

Whoever has written STOP to a number is not written to from it (error 21610) until they write START.

`GET /` shows these tables. The sandbox has handles of its own, without credentials, JSON in and out:

    GET    /_sandbox/calls                      the calls: script, what was heard, warnings, callbacks
    GET    /_sandbox/calls/{sid}                one of them
    POST   /_sandbox/calls/{sid}/{event}        plays the contact: answer, hangup, busy, no-answer or fail
    POST   /_sandbox/calls/{sid}/digits         presses keys: {"digits": "12#"}
    GET    /_sandbox/conferences                who is in (?name=), who `hears` whom; ?all=true: those that ended, too
    GET    /_sandbox/messages                   the messages, in and out
    POST   /_sandbox/messages                   somebody writes: {"from", "to", "body", "media"}
    POST   /_sandbox/inbound                    somebody calls: {"from", "to", "talk_s", "patience_s"}; a browser
                                                (client:...) also {"url", "parameters"} of its application
    POST   /_sandbox/clients                    registers a browser: {"identity", "answer_after_s"}, null: by hand
    DELETE /_sandbox/clients/{identity}         takes that back
    POST   /_sandbox/faults                     the next {"times"} requests for {"operation"} go wrong: {"kind"} is
                                                500, 429, hang, lost or slow (by {"delay_s"})
    GET    /_sandbox/faults                     the faults to come; DELETE takes them back

Operations are named after what they touch: calls.create, calls.update, participants.create, participants.update,
recordings.download, messages.create, numbers.create and so on; `calls.*` and `*` stand for several.
"""

from integrations.sandbox.twilio.server import Sandbox, start_sandbox
from integrations.sandbox.twilio.settings import CallbackHabit, SandboxSettings

__all__ = ["CallbackHabit", "Sandbox", "SandboxSettings", "start_sandbox"]
