// The page as a whole: what it reads, what it hears, and what it says of the line to Evens.
import { write } from './amount.js';
import { ask, loggedOut } from './calls.js';
import * as list from './coupons.js';
import { $, notice, who } from './page.js';
import * as slip from './slip.js';
import { follow } from './tabs.js';

// readTime is how often the state is read while no stream tells of changes.
const readTime = 10_000;

let wallets = 0;    // how many have been heard
let line = 'first'; // the stream: 'first', 'live', 'down', 'none'
let fresh = false;  // the state was read since the stream has been live
let over = false;   // the login has ended
let trouble = '';

function hearWallet(wallet) {
  wallets++;
  $('balance').textContent = `${write(wallet.total, wallet.currency)} ${wallet.currency}`;
  slip.wallet(wallet.currency);
}

function hear(event, data) {
  if (over) return;
  if (event === 'wallet') hearWallet(data);
  if (event === 'coupon') {
    list.show(data);
    slip.heard([data]);
  }
}

// read gets the present state: what was missed while no stream was open is in it.
async function read() {
  const heard = wallets;
  try {
    const [wallet, coupons] = await Promise.all([
      ask(`/v1/players/${encodeURIComponent(who.get('player'))}/wallet`),
      ask(list.listPath()),
    ]);
    if (heard === wallets) hearWallet(wallet); // else an event told something newer
    list.take(coupons);
    fresh = true;
    trouble = line === 'live' ? '' : trouble;
    await slip.heard(coupons.items, true);
    slip.remember();
  } catch (error) {
    if (error.status === 401 || error.status === 403) return ended();
    fresh = false;
    trouble = error.message;
  }
  show();
}

function state(word, why) {
  const begins = word === 'live' && line !== 'live';
  line = word;
  if (why) trouble = why;
  if (begins) {
    fresh = false;
    trouble = '';
    read(); // only now: a change before the stream began would go unnoticed
  }
  show();
}

function show() {
  if (over) return;
  const live = line === 'live' && fresh;
  const words = { first: 'Connecting', live: fresh ? 'Live' : 'Connecting', down: 'Reconnecting', none: `Read every ${readTime / 1000} s` };
  if ($('link').textContent !== words[line]) $('link').textContent = words[line];
  $('link').className = live ? 'live' : '';
  notice(trouble && !live ? trouble + ' Trying again.' : '');
}

function ended() {
  over = true;
  $('link').textContent = 'Not connected';
  $('link').className = '';
  notice(loggedOut);
  $('balance').textContent = '–';
  $('empty').textContent = 'Nobody is logged in.';
  slip.wallet('');
}

function begin() {
  slip.begin(read);
  slip.onCoupon(list.show);
  list.begin(slip.heard);
  addEventListener('hashchange', () => location.reload());
  if (!who.get('player') || !who.get('token')) {
    ended();
    return;
  }
  read();
  const timer = setInterval(() => {
    if (over) clearInterval(timer);
    else if (!document.hidden && !(line === 'live' && fresh)) read();
  }, readTime);
  document.addEventListener('visibilitychange', () => { if (!document.hidden && !over) read(); });
  // The name is seen by this browser's own pages only, and by the end of a token nobody can log in.
  follow(`evens.${who.get('player')}.${who.get('token').slice(-8)}`, { hear, state, ended });
}

begin();
