// What every part of the page uses: its elements, its words.
export const $ = id => document.getElementById(id);

// who has the player and the token: the address that the demo prints ends in #player=…&token=….
export const who = new URLSearchParams(location.hash.slice(1));

export function element(name, className, ...content) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...content);
  return e;
}

// outside is a text that somebody else wrote. Its direction stays its own.
export const outside = text => element('bdi', '', text);

export const capital = word => word[0].toUpperCase() + word.slice(1);
export const dash = teams => teams.replace(' - ', ' – ');

export function notice(text) {
  if ($('notice').textContent !== text) $('notice').textContent = text; // an alert is read out when it changes
  $('notice').hidden = !text;
}

// newKey works on plain HTTP too, where crypto.randomUUID does not exist.
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');
