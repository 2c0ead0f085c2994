// Amounts as people write and read them. Everything is text: no float touches money.
import { decimals } from './currencies.js';

export const decimalsOf = currency => decimals[currency] ?? 2;

// group writes a plain number as the page does: commas between thousands, a point before decimals.
export function group(text) {
  const [whole, fraction] = text.replace('-', '−').split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction ? '.' + fraction : '');
}

// write is an amount in its currency's own decimals: "-1538.5" USD is −1,538.50.
export const write = (text, currency) => group(plain(text, currency));

// plain is the amount in its currency's own decimals for a call: "5" USD is 5.00, "5.00" JPY is 5. What an
// amount has beyond them is kept.
export function plain(text, currency) {
  const [whole, fraction = ''] = text.split('.');
  const shown = fraction.replace(/0+$/, '').padEnd(decimalsOf(currency), '0');
  return whole + (shown ? '.' + shown : '');
}

// Blanks and apostrophes group thousands in other countries, and nothing else anywhere.
const spaced = /^\d{1,3}([ \u00a0\u2009\u202f'’]\d{3})+([.,]\d+)?$/;
const blanks = /[ \u00a0\u2009\u202f'’]/g;
const thousands = mark => new RegExp(`^\\d{1,3}(\\${mark}\\d{3})+$`);

// read takes what a person typed for an amount above zero. It answers
//   {amount}    what was meant, for a call
//   {meanings}  one or two amounts that may have been meant: ask
//   {fault}     'number', 'decimals', 'zero', 'large': nothing that can be taken
//
// The rule is the one that the page writes by: commas group thousands, a point comes before decimals. The other
// way round is taken where it can mean nothing else (2,50 and 1.000,50 in US dollars). One mark before exactly
// three digits can mean either, and is asked about, unless the page itself writes so: 1,000 where the currency
// has no decimals, 1.000 where it has three.
export function read(typed, currency) {
  const places = decimalsOf(currency);
  const parts = split(typed.trim().replace(new RegExp(`\\s*${currency}$`, 'i'), ''), places); // "5.00 USD", as shown
  if (!parts) return { fault: 'number' };
  const take = ({ whole, fraction }) => {
    const shortest = fraction.replace(/0+$/, '');
    return shortest.length > places ? null : plain(whole.replace(/^0+(?=\d)/, '') + (shortest && '.' + shortest), currency);
  };
  if (parts.meanings) {
    return { meanings: parts.meanings.map(take).filter(amount => amount !== null) };
  }
  if (parts.fraction.length > places) return { fault: 'decimals' };
  const amount = take(parts);
  if (amount.split('.')[0].length > 12) return { fault: 'large' };
  if (!/[1-9]/.test(amount)) return { fault: 'zero' };
  return { amount };
}

// split finds the digits before and after the decimal mark; null where the text is no number.
function split(text, places) {
  const grouped = spaced.test(text);
  if (grouped) text = text.replace(blanks, '');
  if (!/^\d+([.,]\d+)*$/.test(text)) return null;
  const marks = text.replace(/\d/g, '');
  if (!marks) return { whole: text, fraction: '' };
  const last = marks.at(-1);
  const at = text.lastIndexOf(last);
  const whole = text.slice(0, at);
  const fraction = text.slice(at + 1);
  if (marks.length === 1) {
    const eitherWay = !grouped && fraction.length === 3 && /^[1-9]\d{0,2}$/.test(whole);
    if (!eitherWay) return { whole, fraction };
    if (last === ',' && places === 0) return { whole: whole + fraction, fraction: '' };
    if (last === '.' && places === 3) return { whole, fraction };
    return { meanings: [{ whole: whole + fraction, fraction: '' }, { whole, fraction }] };
  }
  const first = marks[0];
  if (first === last) return thousands(first).test(text) ? { whole: text.replaceAll(first, ''), fraction: '' } : null;
  return thousands(first).test(whole) ? { whole: whole.replaceAll(first, ''), fraction } : null;
}
