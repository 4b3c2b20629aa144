import { ago, clock, moment, serverNow, useSecond } from './time';

/** A running timer. */
export function Elapsed({ since, until }: { since: string; until?: string | null }) {
  useSecond();
  const end = until ? Date.parse(until) : serverNow();
  return <span className="tabular">{clock((end - Date.parse(since)) / 1000)}</span>;
}

/** A time in relation to now, with the full date on hover. */
export function Ago({ at }: { at: string }) {
  useSecond();
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at)}
    </time>
  );
}
