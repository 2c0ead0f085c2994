// Calls of /v1. Each ends: what Evens does not answer in time is told, and nothing waits for it.
import { capital, who } from './page.js';

// How long a call may take, answer included. Evens itself gives one up after 15 s, and asks the bookmaker
// before it answers an order.
const readTime = 10_000;
export const placeTime = 30_000;

export const loggedOut = 'Nobody is logged in here, or not any more. Open the address that the demo prints.';

const failure = (text, status, code) => Object.assign(new Error(text), { status, code });

// call answers with a response whose status is good. What it throws has a text for the player, the status (0: no
// answer, or not the whole of one) and the code.
export async function call(path, options = {}) {
  const headers = { Authorization: 'Bearer ' + who.get('token'), ...options.headers };
  const answer = await fetch(path, { cache: 'no-store', ...options, headers }).catch(error => {
    throw failure(silence(error, options.time), 0);
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const texts = { unauthorized: loggedOut, insufficient_funds: 'Not enough money on your balance for this stake.' };
  throw failure(texts[problem.code] || capital(problem.detail || problem.title || 'HTTP ' + answer.status) + '.', answer.status, problem.code);
}

const silence = (error, time) => error.name === 'TimeoutError' ? `Evens has not answered for ${time / 1000} s.` : 'Evens cannot be reached.';

// ask is a call whose answer is JSON. A signal in the options ends it early.
export async function ask(path, options = {}) {
  const time = options.time ?? readTime;
  const limit = AbortSignal.timeout(time);
  const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
  const answer = await call(path, { ...options, time, signal });
  return answer.json().catch(error => {
    throw failure(error.name === 'TimeoutError' ? silence(error, time) : 'The answer of Evens was cut off.', 0);
  });
}
