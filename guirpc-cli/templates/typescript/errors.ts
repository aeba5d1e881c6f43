/** The errors of the functions that have one of their own. */
export interface Errors {
{{members}}}

/** Whether a call of this function failed with the function's own error, which is its member `error` then. */
export function isErrorOf<F extends keyof Errors>(error: unknown, name: F): error is FunctionError<Errors[F]> {
  return error instanceof FunctionError && error.service === service.name && error.function === name;
}

/** What a function throws to fail with its own error. */
export function errorOf<F extends keyof Errors>(name: F, error: Errors[F]): FunctionError<Errors[F]> {
  return new FunctionError(service.name, name, error);
}

