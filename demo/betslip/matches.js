// The line that can be bet on, and how an outcome is named.
import { $, dash, element } from './page.js';

// Matches of the simulated BeT's line, under the names it gives them.
export const matches = [
  { id: '201000656', teams: 'Mallorca - Sevilla', tournament: 'Spain. Primera', coefs: ['2.60', '3.10', '2.85'] },
  { id: '201000061', teams: 'Porto - Sevilla', tournament: 'Champions League', coefs: ['1.95', '3.40', '3.90'] },
  { id: '201000171', teams: 'Zarya - Ajax', tournament: 'Champions League', coefs: ['5.10', '3.60', '1.70'] },
  { id: '201000983', teams: 'Sevilla - Espanyol', tournament: 'Spain. Primera', coefs: ['1.50', '4.10', '6.20'] },
];
export const outcomes = ['W1', 'X', 'W2'];

// pick is an outcome of a match as it stands on a slip.
const pick = (match, i) => ({ match, i, coef: match.coefs[i], pointer: `line#${match.id}|1|${i + 1}|0#${match.coefs[i]}` });

// pickOf finds the pick of a pointer; undefined where the line does not have it any more.
export function pickOf(pointer) {
  return matches.flatMap(match => outcomes.map((_, i) => pick(match, i))).find(p => p.pointer === pointer);
}

// drawMatches lists the line. A button's name begins with what is seen on it.
export function drawMatches(choose) {
  $('matches').replaceChildren(...matches.map(match => {
    const odds = element('div', 'odds number');
    odds.setAttribute('role', 'group');
    odds.setAttribute('aria-label', dash(match.teams));
    const [home, away] = match.teams.split(' - ');
    match.coefs.forEach((coef, i) => {
      const button = element('button', '', element('span', '', '1X2'[i]), ' ', coef);
      const p = pick(match, i);
      button.type = 'button';
      button.dataset.pointer = p.pointer;
      button.setAttribute('aria-label', `${'1X2'[i]} ${coef}, ${[home + ' wins', 'Draw', away + ' wins'][i]}`);
      button.onclick = () => choose(p);
      odds.append(button);
    });
    return element('li', '', element('div', '', element('div', 'teams', dash(match.teams)), element('div', 'soft', match.tournament)), odds);
  }));
}

// showChosen marks the outcomes that are on the slip.
export function showChosen(pointers) {
  for (const button of $('matches').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', pointers.includes(button.dataset.pointer));
  }
}

export const buttonOf = pointer => $('matches').querySelector(`button[data-pointer="${CSS.escape(pointer)}"]`);
