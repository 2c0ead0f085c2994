// An intent is one act of placing: these selections, this stake, once. It has an Idempotency-Key from the moment it
// is sent until its outcome is known, through reloads and in every tab, so that trying again cannot place it twice.
import { plain } from './amount.js';
import { newKey } from './page.js';
import { placeTime } from './calls.js';

const most = 20;
// askedFor is how long after a coupon was found by itself, and not by the answer to its order, the same order
// again is asked about.
const askedFor = 10 * 60_000;

// tab is this document, or in a browser without locks this tab. While it lives it holds a lock of its name, by
// which other tabs see that an order that it has sent is still waited for.
const tab = navigator.locks ? newKey() : remembered();
navigator.locks?.request('evens.tab.' + tab, () => new Promise(() => {}));

function remembered() {
  try {
    sessionStorage.evensTab ||= newKey();
    return sessionStorage.evensTab;
  } catch {
    return newKey();
  }
}

// sameAs is what makes two orders the same bet: the outcomes whatever their coefficients and order, and the stake.
export function sameAs(pointers, stake, currency) {
  return [currency, plain(stake, currency), ...pointers.map(p => p.replace(/#[^#]*$/, '')).sort()].join(' ');
}
export const sameAsCoupon = c => sameAs(c.selections.map(s => s.pointer), c.stake, c.currency);

export class Intents {
  constructor(player) {
    this.place = 'evens.intents.' + player;
    this.memory = { open: [], found: {}, claimed: [] };
    this.sending = null; // the key of the order that this document waits for
  }

  // The store: open intents; coupons that were found, by what they are; ids of coupons that answered an order.
  get store() {
    try {
      return { ...this.memory, ...JSON.parse(localStorage.getItem(this.place)) };
    } catch {
      return this.memory;
    }
  }

  change(make) {
    const store = this.store;
    make(store);
    store.open = store.open.slice(-most);
    store.claimed = store.claimed.slice(-most);
    for (const [bet, found] of Object.entries(store.found)) {
      if (Date.now() - found.at > askedFor) delete store.found[bet];
    }
    this.memory = store;
    try {
      localStorage.setItem(this.place, JSON.stringify(store));
    } catch { /* a browser that keeps nothing: then this page's memory has to do */ }
  }

  get open() { return this.store.open; }
  has(key) { return this.open.some(i => i.key === key); }

  // take is the intent for an order: one whose outcome is not known, or a new one. What is sent under a key is
  // kept in bodies. newest is the id of the newest coupon that is known: what the intent makes comes after it.
  async take(bet, body, newest) {
    const { waiting, alive } = await this.tabs();
    let intent = this.open.find(i => i.bet === bet && !waiting(i));
    const again = Boolean(intent);
    const elsewhere = again && intent.tab !== tab && alive(intent.tab); // that tab shall not place it as a new one
    intent ??= { key: newKey(), bet, bodies: [], after: newest };
    if (!intent.bodies.includes(body)) intent.bodies.push(body);
    Object.assign(intent, { tab, at: Date.now(), sending: true, unsure: again, elsewhere });
    this.sending = intent.key;
    this.change(store => { store.open = [...store.open.filter(i => i.key !== intent.key), intent]; });
    return intent;
  }

  // tabs tells of a tab whether it lives, and of an intent whether a living tab waits for its answer. Without locks
  // another tab counts as living, and as waiting for twice the time that an order may take.
  async tabs() {
    if (!navigator.locks) {
      const waiting = i => i.sending && (i.tab === tab ? i.key === this.sending : Date.now() - i.at < 2 * placeTime);
      return { waiting, alive: () => true };
    }
    const held = new Set((await navigator.locks.query()).held.map(lock => lock.name));
    const alive = name => held.has('evens.tab.' + name);
    return { waiting: i => i.sending && alive(i.tab), alive };
  }

  // lost: nobody waits for the answer any more, and the outcome is not known.
  lost(key) {
    this.sending = null;
    this.change(store => { for (const i of store.open) if (i.key === key) Object.assign(i, { sending: false, unsure: true }); });
  }

  // answered: the outcome is known by the answer to the order.
  answered(key, coupon) {
    this.sending = null;
    this.change(store => {
      const intent = store.open.find(i => i.key === key);
      store.open = store.open.filter(i => i.key !== key);
      if (!coupon) return;
      store.claimed.push(coupon.id);
      if (intent?.elsewhere) store.found[intent.bet] = { id: coupon.id, at: Date.now() };
    });
  }

  // settle finds open intents that coupons have come of: by the stream, or in the list. It answers with them. A
  // coupon that a living tab still waits for is left to its answer.
  async settle(coupons) {
    if (!this.open.length) return [];
    const { waiting } = await this.tabs();
    const settled = [];
    this.change(store => {
      for (const coupon of [...coupons].sort((a, b) => a.id < b.id ? -1 : 1)) {
        if (coupon.status === 'placing' || store.claimed.includes(coupon.id)) continue;
        const bet = sameAsCoupon(coupon);
        const same = store.open.filter(i => i.bet === bet && i.after < coupon.id);
        if (!same.length || same.some(waiting)) continue;
        store.open = store.open.filter(i => i !== same[0]);
        store.claimed.push(coupon.id);
        if (coupon.status !== 'rejected') store.found[bet] = { id: coupon.id, at: Date.now() };
        settled.push({ intent: same[0], coupon });
      }
    });
    return settled;
  }

  // found is the coupon's id where the same bet was found placed a short while ago, though nobody saw its answer.
  found(bet) {
    const found = this.store.found[bet];
    return found && Date.now() - found.at < askedFor ? found.id : null;
  }
  forget(bet) { this.change(store => { delete store.found[bet]; }); }
}
