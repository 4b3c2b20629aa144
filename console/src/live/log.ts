import type { LiveEvent } from './events';

export type Cursor = { epoch: string; seq: number };

/** How many events are kept to bring a slow answer up to date. */
const KEPT = 1000;

/**
 * Where this console stands in the tenant's event log, and the last events it saw.
 *
 * The log tells the socket what to ask for after a break, drops what comes twice, and hands out the
 * events that arrived while a request was under way, so that an answer read before an event cannot
 * undo it.
 */
export class EventLog {
  cursor: Cursor | null = null;
  private kept: LiveEvent[] = [];

  reset(): void {
    this.cursor = null;
    this.kept = [];
  }

  /** The server's first word on a connection. True when state has to be fetched again. */
  ready(at: Cursor): boolean {
    const before = this.cursor;
    const resumes = before !== null && before.epoch === at.epoch && at.seq <= before.seq;
    if (resumes) return false;
    this.moveTo(at);
    return true;
  }

  /** The server cannot give the missing events. True when this moves the cursor. */
  resync(at: Cursor): boolean {
    const same = this.cursor?.epoch === at.epoch && this.cursor.seq === at.seq;
    if (!same) this.moveTo(at);
    return !same;
  }

  /** True when the event is new here; an event seen before is dropped. */
  accept(event: LiveEvent): boolean {
    if (!this.cursor || event.seq <= this.cursor.seq) return false;
    this.cursor = { epoch: this.cursor.epoch, seq: event.seq };
    this.kept.push(event);
    if (this.kept.length > KEPT) this.kept.splice(0, this.kept.length - KEPT);
    return true;
  }

  /** The events after a place in the log, oldest first; none when the place is of another epoch. */
  after(place: Cursor | null): LiveEvent[] {
    if (!place || place.epoch !== this.cursor?.epoch) return [];
    return this.kept.filter((event) => event.seq > place.seq);
  }

  private moveTo(at: Cursor): void {
    this.cursor = { epoch: at.epoch, seq: at.seq };
    this.kept = [];
  }
}
