/** Where the calls behind a number are listed. */
export function callsBehind(filter: Record<string, string>): string {
  return `/calls?${new URLSearchParams(filter)}`;
}
