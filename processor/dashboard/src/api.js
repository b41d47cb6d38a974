// Questions to the API. An answer is rows, or a Refusal with the server's own words.
import { api } from './url.js';

export class Refusal extends Error {
  constructor(status, { code, message, field } = {}) {
    super(message ?? `HTTP ${status}`);
    this.status = status;
    this.code = code ?? 'failed';
    this.field = field;
  }
}

export async function ask(path, parameters, signal) {
  let response;
  try {
    response = await fetch(api(path, parameters), { signal, headers: { accept: 'application/json' } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, { code: 'unreachable' });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, body.error);
  return body;
}

// One answer for all panels that show a part of it; after a failure, or `fresh` milliseconds, it is asked for again.
export function askOnce(path, parameters, fresh = Infinity) {
  let answer;
  let asked = 0;
  return (signal) => {
    if (Date.now() - asked > fresh) answer = undefined;
    if (!answer) {
      asked = Date.now();
      answer = ask(path, parameters, signal).catch((error) => { answer = undefined; throw error; });
    }
    return answer;
  };
}
