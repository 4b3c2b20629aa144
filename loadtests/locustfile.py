"""Reps, managers and mobiles. What they do and how often is what a day on a sales floor looks like, hurried a little."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import gevent
from gevent.event import Event
from locust import FastHttpUser, between, events, task
from websocket import WebSocketException

from loadtests.floor_socket import FloorSocket
from loadtests.plan import Person, Plan, Roster
from loadtests.recorder import Recorder

OVER = frozenset({"completed", "busy", "no_answer", "failed", "canceled"})
CALL_S = 90.0
NOTE_S = 60.0

plan = Plan.read()
roster = Roster(plan)
recorder = Recorder()


def _on_request(name: str, response_time: float, context: dict[str, str], exception: object = None, **_more: Any) -> None:
    recorder.request(name, response_time, str(exception) if exception else None, context["kind"])


def _on_user_error(exception: BaseException, **_more: Any) -> None:
    recorder.error(f"a user failed: {exception!r}")


def _on_quitting(**_more: Any) -> None:
    recorder.write(plan.out)


events.request.add_listener(_on_request)  # type: ignore[no-untyped-call]
events.user_error.add_listener(_on_user_error)  # type: ignore[no-untyped-call]
events.quitting.add_listener(_on_quitting)  # type: ignore[no-untyped-call]

# The time the run takes would count from before all of this was imported, which on a busy machine is most of a short run.
gevent.get_hub().loop.update_now()


class Member(FastHttpUser):
    """Somebody who is signed in and has the floor on their screen."""

    abstract = True
    host = plan.url
    kind = ""
    # What takes long is counted, and breaks the promise by that.
    network_timeout = 60.0
    connection_timeout = 30.0
    person: Person
    socket: FloorSocket

    def context(self) -> dict[str, str]:
        """What is counted with each request."""
        return {"kind": self.kind}

    def on_start(self) -> None:
        """Sign in and open the screen."""
        self.person = roster.next(self.kind)
        self.socket = FloorSocket(plan.url, self.person.token, recorder, self.see)
        self.screen("socket: connect")

    def on_stop(self) -> None:
        """Close the screen."""
        self.socket.break_off()

    def see(self, event: dict[str, Any]) -> None:
        """Take in an event."""

    def screen(self, name: str) -> None:
        """Connect the socket, and count how long that took."""
        try:
            recorder.request(name, self.socket.connect(), None, self.kind)
        except (WebSocketException, OSError) as problem:
            recorder.error(f"{name}: {problem!r}")

    def ask(self, method: str, route: str, path: str = "", body: dict[str, Any] | None = None) -> Any:
        """One request below /api/v1, counted by its route; the answer's JSON, None when it failed."""
        with self.client.request(
            method,
            "/api/v1" + (path or route),
            name=f"{method} {route}",
            json=body,
            headers={"Authorization": f"Bearer {self.person.token}"},
            catch_response=True,
        ) as answer:
            if answer.status_code >= 400 or answer.status_code == 0:
                answer.failure(f"{answer.status_code} {(answer.text or '')[:200]}")
                return None
            answer.success()
            return answer.json() if answer.content else None


class Rep(Member):
    """Calls, notes, looks up."""

    weight = 70
    kind = "rep"
    wait_time = between(1.5, 5)

    def on_start(self) -> None:
        """Begin somewhere in the list, with a note that was left to write, and see it, so that any run has something to see."""
        self._states: dict[str, Event] = {}
        self._noted = Event()
        super().on_start()
        self._own = list(self.person.contacts)
        random.shuffle(self._own)
        self._next = 0
        self.write_note()
        if not self._noted.wait(NOTE_S):
            recorder.error("a note was not seen by who wrote it")

    def see(self, event: dict[str, Any]) -> None:
        """Notice one's own notes, and how calls end."""
        if event["type"] == "activity.created":
            writer = event["data"]["activity"]["actor"]
            if writer is not None and writer["id"] == self.person.user_id:
                self._noted.set()
        if event["type"] == "call.state_changed" and event["data"]["call"]["state"] in OVER:
            waiting = self._states.get(event["data"]["call"]["id"])
            if waiting is not None:
                waiting.set()

    def _contact(self) -> str:
        self._next += 1
        return self._own[self._next % len(self._own)]

    @task(4)
    def list_contacts(self) -> None:
        """Look through the list, and sometimes further down."""
        page = self.ask("GET", "/contacts", "/contacts?limit=50")
        if page and page["next_cursor"] and random.random() < 0.3:  # noqa: S311
            self.ask("GET", "/contacts", f"/contacts?limit=50&cursor={quote(page['next_cursor'])}")

    @task(4)
    def search(self) -> None:
        """Type a few letters."""
        word = random.choice(plan.words)  # noqa: S311
        for end in (2, len(word)):
            self.ask("GET", "/search", f"/search?q={quote(word[:end])}")

    @task(5)
    def open_contact(self) -> None:
        """Read about somebody."""
        contact = self._contact()
        self.ask("GET", "/contacts/{id}", f"/contacts/{contact}")
        self.ask("GET", "/contacts/{id}/timeline", f"/contacts/{contact}/timeline")

    @task(2)
    def write_note(self) -> None:
        """Write down what was said."""
        self.ask("POST", "/contacts/{id}/notes", f"/contacts/{self._contact()}/notes", {"body": "Wants an offer by Friday."})

    @task(2)
    def call(self) -> None:
        """Call somebody, wait until it is over, and say how it went."""
        placed = self.ask("POST", "/calls", body={"contact_id": self._contact()})
        if placed is None:
            return
        over = self._states[placed["id"]] = Event()
        deadline = gevent.Timeout.start_new(CALL_S)
        try:
            while not over.wait(2.0):
                # It may have ended before anybody listened for it.
                now = self.ask("GET", "/calls/{id}", f"/calls/{placed['id']}")
                if now and now["state"] in OVER:
                    break
        except gevent.Timeout:
            recorder.error("a call did not end")
            return
        finally:
            deadline.close()
            del self._states[placed["id"]]
        said = {"disposition": "connected", "note": "Talked about the renewal."}
        self.ask("PUT", "/calls/{id}/disposition", f"/calls/{placed['id']}/disposition", said)


class Manager(Member):
    """Watches the floor, and who listens to what."""

    weight = 10
    kind = "manager"
    wait_time = between(2, 8)

    @task(4)
    def look_at_floor(self) -> None:
        """The whole floor, and who listens to one of its calls."""
        floor = self.ask("GET", "/floor")
        if floor and floor["live_calls"]:
            live = random.choice(floor["live_calls"])["id"]  # noqa: S311
            self.ask("GET", "/calls/{id}/listeners", f"/calls/{live}/listeners")

    @task(1)
    def look_at_alerts(self) -> None:
        """What one is warned of."""
        self.ask("GET", "/floor/alerts")

    @task(1)
    def look_at_calls(self) -> None:
        """The calls of the day."""
        self.ask("GET", "/calls")


class Mobile(Member):
    """On the way: a list of tasks, and a line that breaks."""

    weight = 20
    kind = "mobile"
    wait_time = between(3, 10)

    @task(3)
    def look_at_tasks(self) -> None:
        """What is to do."""
        self.ask("GET", "/tasks", f"/tasks?open=true&assignee_id={self.person.user_id}")

    @task(1)
    def look_at_notifications(self) -> None:
        """What there is to know."""
        self.ask("GET", "/notifications")

    @task(2)
    def lose_the_line(self) -> None:
        """Break off, be away for a while, and come back to all that was missed."""
        self.socket.break_off()
        gevent.sleep(random.uniform(0.5, 4))  # noqa: S311
        recorder.reconnected += 1
        self.screen("socket: come back")
