import { currentContext } from './cellContext.js';
import { sendToServer } from './ServerLink.js';

interface Question {
  resolve(value: string): void;
  readonly signal: AbortSignal;
}

/** No front end is there that could ask, as in nbconvert. */
export class NoInputError extends Error {
  override readonly name: string = 'NoInputError';
}

let open: Question | undefined;

/**
 * Asks the user for a line of text.
 *
 * @throws NoInputError where nobody can be asked; what the signal was aborted with if the cell is stopped.
 */
export function askUser(prompt = '', password = false): Promise<string> {
  const context = currentContext();
  const name = password ? 'password()' : 'input()';
  if (!context?.allowStdin) {
    return Promise.reject(new NoInputError(`${name}: nobody can be asked here; give the value in the cell instead`));
  }
  if (open) return Promise.reject(new NoInputError(`${name}: one question is open already; await its answer first`));
  const { signal } = context.controller;
  context.signalTaken = true;
  return new Promise<string>((resolve, reject) => {
    const question = { resolve, signal };
    open = question;
    signal.addEventListener('abort', () => {
      if (open === question) open = undefined;
      reject(signal.reason);
    });
    sendToServer({ type: 'ask', parent: context.parent, prompt: String(prompt), password });
  });
}

/** The user has answered. */
export function receiveAnswer(value: string): void {
  const question = open;
  open = undefined;
  question?.resolve(value);
}
