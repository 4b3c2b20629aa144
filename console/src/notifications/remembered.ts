/** For whom this browser takes pushes: the device's id by company and person. Others who sign in here have not asked for it. */
const KEY = 'ringside-push';

type Remembered = Record<string, string>;

function read(): Remembered {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return kept && typeof kept === 'object' ? (kept as Remembered) : {};
  } catch {
    return {};
  }
}

function write(kept: Remembered): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Without storage it is asked for again at the next visit.
  }
}

export function deviceOf(person: string): string | null {
  return read()[person] ?? null;
}

export function remember(person: string, deviceId: string): void {
  write({ ...read(), [person]: deviceId });
}

/** True when nobody is left who wants pushes here. */
export function forget(person: string): boolean {
  const { [person]: _gone, ...others } = read();
  write(others);
  return Object.keys(others).length === 0;
}
