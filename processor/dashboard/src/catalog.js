// Names in both languages, as the server has them; a code without a name is shown as it is.
import { ask } from './api.js';
import { language } from './i18n.js';

let catalog = { carriers: [], vendors: [], accounts: [], provinces: [], codes: [], meanings: [], max_days: 400, version: '' };
const names = new Map();

export async function load() {
  catalog = await ask('catalog');
  for (const row of catalog.carriers) names.set(`carrier ${row.code}`, row);
  for (const row of catalog.vendors) names.set(`vendor ${row.code}`, row);
  for (const row of catalog.provinces) names.set(`province ${row.code}`, row);
  for (const row of catalog.codes) names.set(`code ${row.vendor} ${row.code}`, row);
  for (const row of catalog.meanings) {
    names.set(`meaning ${row.status} ${row.sub_status}`, row);
    // A reason alone: that of an exception comes first.
    const reason = `reason ${row.sub_status}`;
    if (!names.has(reason) || row.status === 'EXCEPTION') names.set(reason, row);
  }
}

export const all = () => catalog;

const name = (key, otherwise) => names.get(key)?.[language()] ?? otherwise;

export const isCarrier = (code) => names.has(`carrier ${code}`);
export const carrier = (code) => name(`carrier ${code}`, code);
export const vendor = (code) => name(`vendor ${code}`, code);
export const province = (code) => (code ? name(`province ${code.slice(0, 4)}`, code) : '');
export const code = (vendor, code) => name(`code ${vendor} ${code}`, code);
export const codeRow = (vendor, code) => names.get(`code ${vendor} ${code}`);
export const reason = (subStatus) => name(`reason ${subStatus}`, subStatus);
export const meaning = (status, subStatus) => name(`meaning ${status} ${subStatus}`, undefined);

// Ten hues that stay apart for eyes of every kind, in light and dark; a carrier keeps its own on all pages.
const HUES = ['#0f8b8d', '#e07a1f', '#3d6fd1', '#c2395b', '#6a8f2f', '#8a5cc9', '#b8860b', '#1b9e5a', '#c94f9b', '#5b7083'];
// The carriers that nearly everybody asks for.
export const PREFERRED = ['sf', 'jd', 'zto', 'yto', 'sto', 'yunda', 'jt', 'ems', 'chinapost'];

export function hue(code) {
  const place = PREFERRED.indexOf(code);
  if (place >= 0) return HUES[place];
  let sum = 0;
  for (const letter of code) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return HUES[sum % HUES.length];
}

// The hues of a chart's carriers, no two alike: each its own, unless one before it has that. Beyond ten they come again, and `dash` says
// that the line is another.
export function lines(codes) {
  const taken = new Map();
  return codes.map((code) => {
    const least = Math.min(...HUES.map((hue) => taken.get(hue) ?? 0));
    const free = HUES.filter((hue) => (taken.get(hue) ?? 0) === least);
    const own = free.includes(hue(code)) ? hue(code) : free[0];
    taken.set(own, least + 1);
    return { hue: own, dash: ['solid', 'dashed', 'dotted'][least % 3] };
  });
}

export const HUES_OF_SERIES = HUES;
