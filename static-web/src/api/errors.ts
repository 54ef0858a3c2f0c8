import type { Problem, SpecProblem } from './types';

/** Every answer that is not a success, as data: RFC 9457 problem details, or what stands for them when there are none. */
export class ApiError extends Error {
  readonly status: number;
  /** Stable code, e.g. `CREDITS_EXHAUSTED`; `UNREACHABLE` when no answer came. */
  readonly code: string;
  readonly detail: string | undefined;
  /** Every single finding, with JSON pointers. */
  readonly errors: SpecProblem[];
  /** The error's page, when the answer named one. */
  readonly docs: string | undefined;

  constructor(problem: Partial<Problem> & { status: number }) {
    super(problem.detail ?? problem.title ?? `The server answered ${problem.status}.`);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.code ?? `HTTP_${problem.status}`;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.docs = problem.type && /^(https?:|\/)/.test(problem.type) ? problem.type : undefined;
  }
}

/** Reads an answer that is not a success. A body that is no problem document still gives an `ApiError`. */
export async function toApiError(response: Response): Promise<ApiError> {
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  if (isJson) {
    try {
      const body = (await response.json()) as Partial<Problem>;
      return new ApiError({ ...body, status: response.status });
    } catch {
      // Cut off or malformed: the status still says what kind of error it is.
    }
  }
  return new ApiError({ status: response.status, title: response.statusText || `The server answered ${response.status}.` });
}

export function unreachable(cause: unknown): ApiError {
  const error = new ApiError({
    status: 0,
    code: 'UNREACHABLE',
    title: 'The server did not answer.',
    detail: 'The server did not answer. Check that Omium is running, then try again.',
  });
  error.cause = cause;
  return error;
}
