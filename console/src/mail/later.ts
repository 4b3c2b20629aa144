/** Moments that people put things off to, in their own time. */
export type Later = { label: string; at: () => Date };

function onDay(days: number, hour: number): Date {
  const at = new Date();
  at.setDate(at.getDate() + days);
  at.setHours(hour, 0, 0, 0);
  return at;
}

function nextMonday(): Date {
  const today = new Date().getDay();
  return onDay((8 - today) % 7 || 7, 8);
}

export const LATER: Later[] = [
  { label: 'In an hour', at: () => new Date(Date.now() + 3_600_000) },
  { label: 'Tomorrow morning, 8:00', at: () => onDay(1, 8) },
  { label: 'Tomorrow afternoon, 13:00', at: () => onDay(1, 13) },
  { label: 'Monday morning, 8:00', at: nextMonday },
];
