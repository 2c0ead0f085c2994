// One event stream for all tabs of a login: a browser opens six connections to a host, and a stream takes one for
// as long as it lives. A lock of the browser's says which tab has the stream; it passes on what comes.
import { listen, missed } from './stream.js';

// slots is how many streams all logins of this browser may have together. Tabs of more logins than that read
// the state now and then.
const slots = 3;
const slotTime = 10_000;

const together = Boolean(navigator.locks && globalThis.BroadcastChannel);

// follow keeps a stream, or the share of one, until the login ends. It tells
//   hear(event, data)       what has happened
//   state(word, trouble)    'live', 'down', or 'none': there is no stream at the moment, and none is tried
//   ended(error)            the login has ended
export function follow(name, told) {
  if (together) new Share(name, told).run();
  else alone(told);
}

const sleep = (ms, signal) => new Promise(resolve => {
  setTimeout(resolve, ms);
  signal.addEventListener('abort', resolve);
});

// keepOpen opens one stream after another until the signal ends it. It answers with the error that ends a login.
async function keepOpen(signal, { hear, state, beat }) {
  while (!signal.aborted) {
    let live = false;
    let trouble = '';
    let pause = 1000;
    const alive = heartbeat => {
      beat(heartbeat);
      if (!live) state('live', '');
      live = true;
    };
    try {
      pause = await listen({ signal, alive, hear });
    } catch (error) {
      if (error.status === 401 || error.status === 403) return error;
      if (error.status === 429) pause = 5000;
      trouble = error.message;
    }
    if (signal.aborted) break;
    state('down', trouble);
    await sleep(pause, signal);
  }
  return null;
}

// alone is for browsers that cannot share: a stream while the page is looked at, none while it is hidden.
async function alone(told) {
  for (;;) {
    if (document.hidden) {
      told.state('none', '');
      await new Promise(resolve => document.addEventListener('visibilitychange', resolve, { once: true }));
      continue;
    }
    const hidden = new AbortController();
    document.addEventListener('visibilitychange', () => hidden.abort(), { once: true });
    const error = await keepOpen(hidden.signal, { ...told, beat() {} });
    if (error) return told.ended(error);
  }
}

class Share {
  constructor(name, told) {
    this.name = name;
    this.told = told;
    this.channel = new BroadcastChannel(name);
    this.heartbeat = 10_000;
    this.leading = null; // ends our stream, while we have it
    this.word = ['down', ''];
    this.heard();
  }

  heard() { this.heardAt = performance.now(); }

  post(kind, ...content) {
    this.heard();
    this.channel.postMessage({ kind, content });
  }

  async run() {
    this.channel.onmessage = ({ data }) => this.receive(data.kind, data.content);
    this.post('hello');
    const watch = setInterval(() => this.watch(), 1000);
    for (let over = null; !over;) {
      this.queue = new AbortController();
      const options = this.stealing ? { steal: true } : { signal: this.queue.signal };
      this.stealing = false;
      // It waits here until the tab with the stream is gone. An AbortError: we have given up waiting, or
      // another tab has taken the lock, because it heard nothing of us.
      over = await navigator.locks.request(this.name, options, () => this.lead()).catch(() => null);
      this.leading?.abort();
      this.leading = null;
      this.heard();
      if (over) this.told.ended(over);
    }
    clearInterval(watch);
    this.channel.close();
  }

  // lead has the stream, in one of the slots.
  async lead() {
    this.leading = new AbortController();
    const { signal } = this.leading;
    this.state('down', ''); // what has happened since the last stream is read by every tab when this one is live
    while (!signal.aborted) {
      for (let slot = 0; slot < slots; slot++) {
        const over = await navigator.locks.request(`evens.stream.${slot}`, { ifAvailable: true }, lock => lock && this.stream(signal));
        if (over || signal.aborted) return over;
      }
      this.state('none', '');
      await sleep(slotTime, signal);
    }
    return null;
  }

  stream(signal) {
    return keepOpen(signal, {
      state: (word, trouble) => this.state(word, trouble),
      beat: heartbeat => { this.heartbeat = heartbeat; this.post('beat', heartbeat); },
      hear: (event, data) => { this.post('event', event, data); this.told.hear(event, data); },
    });
  }

  state(word, trouble) {
    this.word = [word, trouble];
    this.post('state', ...this.word);
    this.told.state(...this.word);
  }

  // receive is what another tab says.
  receive(kind, content) {
    if (kind === 'hello') {
      if (this.leading) {
        this.post('beat', this.heartbeat);
        this.post('state', ...this.word);
      }
      return;
    }
    if (this.leading) return; // of a tab that does not know yet that it leads no more
    this.heard();
    if (kind === 'beat') [this.heartbeat] = content;
    if (kind === 'state') this.told.state(...content);
    if (kind === 'event') this.told.hear(...content);
  }

  // watch takes the stream from a tab that has fallen silent: the browser may have frozen it.
  watch() {
    const limit = missed * this.heartbeat;
    if (this.leading || performance.now() - this.heardAt < limit + Math.random() * this.heartbeat) return;
    this.told.state('down', `Nothing has come from Evens for ${limit / 1000} s.`);
    this.stealing = true;
    this.queue.abort();
    this.heard();
  }
}
