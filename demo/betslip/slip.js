// The slip: what is chosen, for how much, and placing it.
import { decimalsOf, group, plain, read as readAmount, write } from './amount.js';
import { ask, placeTime } from './calls.js';
import { reasonOf } from './coupons.js';
import { Intents, sameAs, sameAsCoupon } from './intents.js';
import { buttonOf, drawMatches, outcomes, pickOf, showChosen } from './matches.js';
import { $, dash, element, who } from './page.js';

// answerTime is how long the answer to an order may come after its coupon has come by the stream.
const answerTime = 2000;

const chosen = new Map();
const intents = new Intents(who.get('player'));
let currency = '';  // of the wallet; '' until it is known
let newest = null;  // id of the newest coupon; null until the list has been read
let sending = null; // {intent, stop} while an answer is waited for
let unsure = null;  // the intent whose outcome is not known and which the message is about
let readState;

// begin draws the slip. read gets the present state from Evens.
export function begin(read) {
  readState = read;
  drawMatches(p => {
    if (chosen.get(p.match.id)?.i === p.i) chosen.delete(p.match.id);
    else chosen.set(p.match.id, p);
    say('');
    draw();
  });
  drawUsual();
  $('slip').onsubmit = event => { event.preventDefault(); place(); };
  $('stake').onfocus = () => $('stake').select();
  $('stake').oninput = () => { say(''); draw(); };
  $('stake').onchange = () => {
    const { amount } = stake();
    if (amount) $('stake').value = write(amount, currency); // as it was understood
  };
  addEventListener('storage', () => { if (unsure && !intents.has(unsure.key)) toldElsewhere(unsure); });
  draw();
}

function drawUsual() {
  document.querySelector('.quick').replaceChildren(...['5', '10', '25'].map(amount => {
    const button = element('button', 'number', amount);
    button.type = 'button';
    button.setAttribute('aria-label', `Stake ${write(amount, currency)}`);
    button.onclick = () => setStake(amount);
    return button;
  }));
}

function setStake(amount) {
  $('stake').value = write(amount, currency);
  say('');
  draw();
}

// wallet tells the slip in which currency it bets: '' where nobody is logged in.
export function wallet(of) {
  if (of === currency) return;
  const untouched = $('stake').value === write('5', currency);
  currency = of;
  if (untouched) $('stake').value = write('5', currency);
  drawUsual();
  draw();
}

const stake = () => readAmount($('stake').value, currency);

// possibleWin counts as BeT does: coefficients multiplied exactly, an express's product rounded half up to
// hundredths, then the win to what the currency has.
function possibleWin(amount, coefs) {
  const scaled = (text, places) => { const [w, f = ''] = text.split('.'); return BigInt(w + f.padEnd(places, '0')); };
  const shown = (n, places) => {
    const text = String(n).padStart(places + 1, '0');
    return places ? text.slice(0, -places) + '.' + text.slice(-places) : text;
  };
  const halfUp = (n, unit) => (n + unit / 2n) / unit;
  const coef = halfUp(coefs.map(c => scaled(c, 2)).reduce((a, c) => a * c, 1n), 100n ** BigInt(coefs.length - 1));
  const places = decimalsOf(currency);
  return { coef: shown(coef, 2), win: shown(halfUp(scaled(amount, 4) * coef, 10n ** BigInt(6 - places)), places) };
}

let drawn = '';
function draw() {
  const picks = [...chosen.values()];
  showChosen(picks.map(p => p.pointer));
  const list = picks.map(p => p.pointer).join(' ');
  if (list !== drawn) $('chosen').replaceChildren(...picks.map(describe)); // or the focus in it would be lost
  drawn = list;
  $('chosen').hidden = !picks.length;
  $('hint').hidden = picks.length > 0;
  $('win').hidden = !picks.length;
  if (picks.length) {
    const { amount } = stake();
    const { coef, win } = possibleWin(amount || '0', picks.map(p => p.coef));
    $('win').replaceChildren(element('span', 'soft', `Coefficient ${group(coef)}`),
      element('span', 'number', 'Possible win ', element('b', '', amount ? write(win, currency) : '–')));
  }
  // Who has pressed it keeps the focus while it works: aria-disabled, not disabled.
  $('place').disabled = !picks.length || !currency || newest === null;
  $('place').setAttribute('aria-disabled', String(Boolean(sending) || $('place').disabled));
  $('place').textContent = sending ? 'Placing…' : picks.length > 1 ? `Place express of ${picks.length}` : picks.length ? 'Place single' : 'Place';
}

function describe(p) {
  const remove = element('button', 'remove', '×');
  remove.type = 'button';
  remove.setAttribute('aria-label', `Remove ${dash(p.match.teams)}`);
  remove.onclick = () => {
    const at = [...chosen.keys()].indexOf(p.match.id);
    chosen.delete(p.match.id);
    draw();
    const left = $('chosen').querySelectorAll('.remove');
    (left[Math.min(at, left.length - 1)] || buttonOf(p.pointer)).focus(); // the next one, or where it was chosen
    announce(`${dash(p.match.teams)} removed, ${chosen.size || 'none'} left`);
  };
  return element('li', '', element('span', '', dash(p.match.teams) + ' ', element('span', 'soft', '· ' + outcomes[p.i])),
    element('span', 'number', p.coef), remove);
}

export function announce(text) { $('news').textContent = text; }

// say shows a message, with a button for each answer that it asks for.
function say(text, kind = '', ...answers) {
  if (!text) unsure = null;
  const inside = $('message').contains(document.activeElement) && document.activeElement !== $('message');
  const buttons = answers.map(([label, act]) => {
    const button = element('button', 'answer', label);
    button.type = 'button';
    button.onclick = act;
    return button;
  });
  $('message').replaceChildren(text, ...(buttons.length ? [element('span', 'answers', ...buttons)] : []));
  $('message').className = kind;
  $('message').hidden = !text;
  $('stake').setAttribute('aria-invalid', kind === 'bad' && !stake().amount);
  if (inside) (text ? $('message') : $('stake')).focus();
}

function faultText(fault) {
  const places = decimalsOf(currency);
  const such = `such as ${write('5', currency)}.`;
  if (fault === 'large') return 'The stake is too large.';
  return places ? `Enter a stake above zero with up to ${places} decimals, ${such}` : `Enter a stake above zero without decimals, ${such}`;
}

// asked is the stake for an order; null where it cannot be taken as it is, and the player is told or asked.
function asked() {
  const { amount, meanings, fault } = stake();
  if (amount) return amount;
  if (fault) {
    say(faultText(fault), 'bad');
  } else {
    const shown = meanings.map(m => `${write(m, currency)} ${currency}`);
    say(`Do you mean ${shown.join(' or ')}?`, 'bad', ...meanings.map((m, i) => [shown[i], () => { setStake(m); $('place').focus(); }]));
  }
  $('stake').focus();
  $('stake').select();
  return null;
}

// place sends what is on the slip. certain: the player knows that the same coupon is placed already.
async function place(certain = false) {
  if (sending || !chosen.size || $('place').disabled) return;
  const amount = asked();
  if (!amount) return;
  const pointers = [...chosen.values()].map(p => p.pointer);
  const bet = sameAs(pointers, amount, currency);
  if (!certain && intents.found(bet)) {
    say('The same coupon was placed a moment ago: it is in the list. Place another one like it?', 'wait', ['Place another', () => place(true)]);
    return;
  }
  const body = JSON.stringify({
    player_id: who.get('player'), selections: pointers, stake: amount, currency, lang: 'en', rate_mode: $('accept').checked ? 'accept' : 'reject',
  });
  const stop = new AbortController();
  sending = { stop, intent: null };
  say('');
  draw();
  const intent = await intents.take(bet, body, newest);
  sending.intent = intent;
  intents.forget(bet);
  try {
    answered(intent, await send(intent, body, stop.signal));
  } catch (error) {
    refused(intent, error);
  } finally {
    sending = null;
    draw();
  }
}

// send posts the order. Where its key has stood for another body before, that order has arrived, and this one has
// not been placed: the answer to the other is asked for.
async function send(intent, body, signal) {
  const post = content => ask('/v1/coupons', {
    method: 'POST', body: content, time: placeTime, signal, headers: { 'Content-Type': 'application/json', 'Idempotency-Key': intent.key },
  });
  for (const content of [body, ...intent.bodies.filter(b => b !== body).reverse()]) {
    try {
      return await post(content);
    } catch (error) {
      if (error.code !== 'idempotency_conflict') throw error;
    }
  }
  throw Object.assign(new Error('Evens has another order under this key.'), { status: 0 });
}

function answered(intent, coupon) {
  intents.answered(intent.key, coupon);
  showCoupon(coupon);
  tell(coupon, intent.bet);
}

let showCoupon = () => {};
export function onCoupon(show) { showCoupon = show; }

// tell says what has become of an order, and takes it off the slip.
function tell(coupon, bet) {
  const onSlip = currency && chosen.size && bet === sameAs([...chosen.values()].map(p => p.pointer), stake().amount || '0', currency);
  const amount = sum => write(sum, coupon.currency);
  if (coupon.status === 'rejected') say(`Rejected, your stake is back. ${reasonOf(coupon)}`, 'bad');
  else if (coupon.status === 'unconfirmed') say(reasonOf(coupon), 'wait');
  else if (coupon.status === 'placing') say('The bookmaker is being asked: see the list.', 'wait');
  else say(`Accepted: ${amount(coupon.stake)} at ${group(coupon.coef)}, possible win ${amount(coupon.possible_win)}.`, 'good');
  if (coupon.status === 'rejected' || !onSlip) return;
  const focused = document.activeElement;
  chosen.clear();
  draw();
  // What had the focus is gone, or cannot be used any more.
  if (focused === $('place') || focused === document.body || !focused.isConnected) $('message').focus();
}

// The refusals that Evens keeps with the key: nothing was placed under it, and nothing will be.
const final = ['insufficient_funds', 'limit_exceeded', 'exclusion_active'];

// refused says why there is no coupon, or that it is not known whether there is one.
function refused(intent, error) {
  const open = error.status === 0 || error.status >= 500 || error.code === 'request_in_progress';
  if (!open && (!intent.unsure || final.includes(error.code))) {
    intents.answered(intent.key, null);
    say(error.message, 'bad');
    return;
  }
  intents.lost(intent.key);
  say(`${error.message} It is not known whether the coupon was placed. Place it again: it cannot be placed twice.`, 'bad');
  unsure = intent;
  readState(); // it may be in the list
}

// heard is told of every coupon that the stream, an answer or the list brings.
export async function heard(coupons, list = false) {
  if (list) newest ??= '';
  for (const { id } of coupons) if (newest !== null && id > newest) newest = id;
  const mine = sending?.intent;
  if (mine && coupons.some(c => c.status !== 'placing' && c.id > mine.after && sameAsCoupon(c) === mine.bet) &&
      intents.open.filter(i => i.bet === mine.bet).length === 1) {
    setTimeout(() => { if (sending?.intent === mine) sending.stop.abort(); }, answerTime);
  }
  for (const { intent, coupon } of await intents.settle(coupons)) {
    if (!unsure || unsure.key === intent.key) { unsure = null; tell(coupon, intent.bet); }
  }
  draw();
}

// toldElsewhere: another tab has learned what became of it.
function toldElsewhere({ bet }) {
  if (!intents.found(bet)) { say(''); return; }
  say('Your coupon was placed: it is in the list.', 'good');
  chosen.clear();
  draw();
}

// remember says what is not known since the page was open before, and offers to go on with it.
export function remember() {
  const intent = intents.open.find(i => i.unsure || i.sending);
  if (!intent || sending || unsure || chosen.size || !$('message').hidden) return;
  const order = JSON.parse(intent.bodies.at(-1));
  const picks = order.selections.map(pickOf).filter(Boolean);
  if (order.currency !== currency || picks.length < order.selections.length) return;
  const teams = picks.map(p => dash(p.match.teams)).join(', ');
  say(`It is not known whether your coupon of ${write(order.stake, currency)} ${currency} on ${teams} was placed. ` +
    'Place it again: it cannot be placed twice.', 'wait', ['Put it back on the slip', () => {
    for (const p of picks) chosen.set(p.match.id, p);
    $('stake').value = write(plain(order.stake, currency), currency);
    $('accept').checked = order.rate_mode === 'accept';
    draw();
    $('place').focus();
  }]);
}
