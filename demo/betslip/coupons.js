// The list of coupons: what the stream, the answers and the list tell of them.
import { group, write } from './amount.js';
import { ask } from './calls.js';
import { matches, outcomes } from './matches.js';
import { $, capital, dash, element, notice, outside } from './page.js';

// What a player may be told of a coupon's error.code; error.message is for operators.
const reasons = {
  selection_unavailable: 'This outcome is gone. Choose another one.',
  selection_blocked: 'This outcome is blocked at the moment. Try again later.',
  same_match: 'Two selections belong together. Take one of them out.',
  coef_changed: 'The coefficient has changed.',
  provider_unavailable: 'The bookmaker cannot be reached. Try again later.',
  unconfirmed: 'The bookmaker’s answer was lost. The stake stays reserved until it is known.',
  interrupted: 'The bookmaker’s answer was lost. The stake stays reserved until it is known.',
  duplicate_bet_code: 'The bookmaker’s answer is unclear. The stake stays reserved until it is known.',
  unconfirmed_expired: 'The bookmaker never confirmed it.',
};
export const reasonOf = coupon => reasons[coupon.error.code] || 'The bookmaker did not take it.';

// Coupons, newest first: their ids tell the time.
const pageSize = 25;
const coupons = new Map();
const rows = new Map();
let cursor = null;

const ranks = { placing: 0, unconfirmed: 1, accepted: 2, rejected: 2, won: 3, lost: 3, refunded: 3, cancelled: 4 };
// Answers and events overtake each other: what a coupon went through only grows.
const isOlder = (a, b) => a.settlements.length < b.settlements.length || (a.settlements.length === b.settlements.length && ranks[a.status] < ranks[b.status]);
const differs = (a, b) => a.status !== b.status || a.payout !== b.payout;

// show takes a coupon as an answer or an event tells it.
export function show(coupon) {
  const known = coupons.get(coupon.id);
  if (known && isOlder(coupon, known)) return;
  const changed = !known || differs(known, coupon);
  if (changed && ranks[coupon.status] > 2) {
    $('news').textContent = `Coupon ${coupon.bet_code || ''} ${coupon.status}, payout ${write(coupon.payout, coupon.currency)} ${coupon.currency}`;
  }
  coupons.set(coupon.id, coupon);
  draw(coupon, changed);
}

// listPath asks for as many as are shown: what was missed is among them.
export const listPath = () => `/v1/coupons?limit=${Math.min(Math.max(pageSize, coupons.size), 500)}`;

// take shows a page of the list.
export function take(list) {
  for (const coupon of list.items) {
    const known = coupons.get(coupon.id);
    if (known && isOlder(coupon, known)) continue;
    coupons.set(coupon.id, coupon);
    if (!known || differs(known, coupon)) draw(coupon, false);
  }
  cursor = list.next_cursor;
  $('more').hidden = !cursor;
  $('empty').textContent = 'None yet.';
  $('empty').hidden = coupons.size > 0;
}

// begin makes the button for earlier coupons work. heard is told of those that come.
export function begin(heard) {
  let loading = false;
  $('more').onclick = async () => {
    if (loading) return;
    loading = true; // not disabled: it would lose the focus
    try {
      const before = coupons.size;
      const list = await ask(`/v1/coupons?limit=${pageSize}&cursor=${encodeURIComponent(cursor)}`);
      take(list);
      heard(list.items);
      notice('');
      $('news').textContent = `${coupons.size - before} more coupons`;
      if ($('more').hidden) $('coupons-title').focus();
    } catch (e) {
      notice(e.message);
    } finally {
      loading = false;
    }
  };
}

function draw(coupon, changed) {
  const row = describe(coupon);
  row.classList.toggle('changed', changed);
  const old = rows.get(coupon.id);
  if (old) {
    const focused = old.contains(document.activeElement);
    if (old.querySelector('details')?.open) row.querySelector('details').open = true;
    old.replaceWith(row);
    if (focused) row.querySelector('summary')?.focus();
  } else {
    const next = [...$('coupons').children].find(other => other.dataset.id < coupon.id);
    $('coupons').insertBefore(row, next || null);
  }
  rows.set(coupon.id, row);
  $('empty').hidden = true;
}

function when(text) {
  const at = new Date(text);
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const shown = at.toDateString() === new Date().toDateString() ? time : at.toLocaleDateString([], { day: 'numeric', month: 'short' }) + ', ' + time;
  const e = element('time', '', shown);
  e.dateTime = text;
  return e;
}

function selection(s) {
  const match = matches.find(m => m.id === s.match_id);
  const outcome = match && outcomes[s.pointer.split(/[#|]/)[3] - 1];
  const name = s.teams || match?.teams || 'Match ' + s.match_id;
  return element('li', '', outside(dash(name)), ' ', element('span', 'soft', '· ', outside(s.bet_name || outcome || 'outcome'), ' at '),
    element('span', 'number', s.coef));
}

// story says how often BeT changed its mind, and why a coupon was not taken.
function story(coupon) {
  if (coupon.error) return reasonOf(coupon);
  const told = coupon.settlements.map(s => s.outcome + (s.outcome === 'lost' ? '' : ' ' + write(s.payout_after, coupon.currency)));
  return told.length > 1 ? 'Corrected: ' + told.join(', then ') : '';
}

function describe(coupon) {
  const n = coupon.selections.length;
  const head = element('div', 'soft', n > 1 ? `Express of ${n} · ` : 'Single · ', when(coupon.placed_at), ...(coupon.bet_code ? [' · ', outside(coupon.bet_code)] : []));
  const items = coupon.selections.map(selection);
  const shown = n > 3 ? items.slice(0, 2) : items;
  const what = element('div', 'what', head, element('ul', '', ...shown));
  if (shown.length < n) what.append(element('details', '', element('summary', '', `${n - shown.length} more selections`), element('ul', '', ...items.slice(shown.length))));
  const note = story(coupon);
  if (note) what.append(element('div', 'note', note));
  const [label, sum] = ranks[coupon.status] > 2 ? ['Payout', coupon.payout]
    : coupon.status === 'rejected' ? ['Stake returned', coupon.stake] : ['Possible win', coupon.possible_win];
  const sums = element('div', 'money number', element('div', '', element('span', 'soft', label + ' '), element('strong', '', write(sum, coupon.currency))),
    element('div', 'soft', `${write(coupon.stake, coupon.currency)} at ${group(coupon.coef)}`));
  const row = element('li', 'coupon ' + coupon.status, element('span', 'status', capital(coupon.status)), what, sums);
  row.dataset.id = coupon.id;
  row.dataset.status = coupon.status;
  return row;
}

