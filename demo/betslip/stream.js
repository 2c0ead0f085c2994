// The event stream of /v1. EventSource cannot send a bearer token, so it is read by hand.
import { call } from './calls.js';

// connectTime is how long the first byte may take.
const connectTime = 10_000;

// missed is how many heartbeats may be missed before a stream counts as dead.
export const missed = 3;

// listen reads one stream until it ends, the signal ends it, or nothing has come for `missed` heartbeats. Evens
// says in a header how long a heartbeat is.
//   alive(ms)          bytes have come; ms is the heartbeat
//   hear(event, data)  an event
// It answers with the pause that Evens asks for before the next one, in milliseconds.
export async function listen({ signal, alive, hear }) {
  const dead = new AbortController();
  let silence = '';
  let timer;
  const within = (ms, text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { silence = text; dead.abort(); }, ms);
  };
  let pause = 1000;
  try {
    within(connectTime, `Evens has not answered for ${connectTime / 1000} s.`);
    const answer = await call('/v1/events', { signal: AbortSignal.any([dead.signal, signal]) });
    const heartbeat = Number(answer.headers.get('Evens-Heartbeat')) || connectTime;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const { value, done } = await reader.read();
      if (done) return pause;
      within(missed * heartbeat, `Nothing has come from Evens for ${missed * heartbeat / 1000} s.`);
      alive(heartbeat);
      text += value;
      for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
        const fields = text.slice(0, at).split('\n');
        const get = name => fields.filter(l => l.startsWith(name + ':')).map(l => l.slice(name.length + 1).trim()).join('\n');
        pause = Number(get('retry')) || pause;
        if (get('data')) hear(get('event'), JSON.parse(get('data')));
      }
    }
  } catch (error) {
    if (silence) throw Object.assign(new Error(silence), { status: 0 });
    if (signal.aborted || error.status === undefined) return pause; // a cut is an end
    throw error;
  } finally {
    clearTimeout(timer);
    dead.abort(); // nothing stays open
  }
}
