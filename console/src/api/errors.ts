/** What the server said when it refused, in the shape of its error body. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Messages by field, from a 422. */
  get fields(): Record<string, string> {
    const list = this.details.fields;
    if (!Array.isArray(list)) return {};
    return Object.fromEntries(
      list
        .filter((item): item is { field: string; message: string } => typeof item?.field === 'string')
        .map((item) => [item.field, String(item.message)]),
    );
  }
}

function textOf(body: Record<string, unknown>, name: string): string | null {
  const value = body[name];
  return typeof value === 'string' ? value : null;
}

/** Builds an ApiError from a response whose body may be the server's error, or a proxy's page. */
export function errorFrom(response: Response, body: unknown): ApiError {
  const known: Record<string, unknown> = body && typeof body === 'object' ? { ...body } : {};
  const details = known.details;
  const retry = Number(response.headers.get('Retry-After'));
  return new ApiError(
    response.status,
    textOf(known, 'error') ?? `http_${response.status}`,
    textOf(known, 'message') ?? `The server answered ${response.status}.`,
    details && typeof details === 'object' ? { ...details } : {},
    textOf(known, 'request_id'),
    Number.isFinite(retry) && retry > 0 ? retry : null,
  );
}

/** One sentence for people, whatever was thrown. */
export function inWords(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 429) {
      return error.retryAfterS
        ? `Too many attempts. Try again in ${Math.ceil(error.retryAfterS)} seconds.`
        : 'Too many attempts. Try again in a moment.';
    }
    const fields = Object.values(error.fields);
    return fields[0] && error.status === 422 ? fields[0] : error.message;
  }
  if (error instanceof TypeError) return 'The server cannot be reached. Check the connection and try again.';
  return error instanceof Error ? error.message : 'Something went wrong.';
}
