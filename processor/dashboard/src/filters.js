// The bar of choices above the figures. It writes to the URL, and shows what is there.
import * as catalog from './catalog.js';
import { day } from './day.js';
import { fill, h } from './dom.js';
import { daysBefore, today } from './format.js';
import { t } from './i18n.js';
import { choose, get, list } from './url.js';

const SPANS = [7, 30, 90];
const DEFAULT_SPAN = 30;

// Younger parcels cannot be judged by the longest horizon of transit times yet: 72 h, and 6 h for late reports. The figures that are
// shown without being asked for are those of days that had ended by then. What is given 7 days is judged over the older ones of
// these days only.
const YOUNG_HOURS = 78;
const lastJudged = () => daysBefore(today(YOUNG_HOURS), 1);

// What the API is asked for; the days are always said, so that all panels mean the same ones.
export function filters() {
  const to = get('to') || lastJudged();
  return {
    from: get('from') || daysBefore(to, DEFAULT_SPAN - 1), to,
    carrier: get('carrier'), vendor: get('vendor'), origin: get('origin'), dest: get('dest'),
  };
}

// `without` names choices that make no difference on this page; with `hasAccounts`, its figures are told apart by contracts.
export function bar({ without = [], hasAccounts = false }) {
  const now = filters();
  const shows = (name) => !without.includes(name);
  const choices = h('form', { class: 'filters', id: 'choices', role: 'search', 'aria-label': t('filters'), onsubmit: (event) => event.preventDefault() },
    shows('from') && days(now),
    shows('carrier') && carriers(),
    shows('vendor') && select('vendor', t('vendor'), catalog.all().vendors.map((row) => [row.code, catalog.vendor(row.code)])),
    hasAccounts && select('account', t('sub.account'), accounts()),
    shows('origin') && select('origin', t('origin'), provinces()),
    shows('origin') && select('dest', t('dest'), provinces()),
    h('button', { type: 'button', class: 'quiet', onclick: reset, disabled: isDefault() }, t('reset')));
  return [fold(now, without), choices];
}

// Where there is little room, the choices are behind a button that says what is chosen. They stay open over choices.
let isOpen = false;

function fold({ from, to }, without) {
  const others = KEYS.filter((key) => key !== 'from' && key !== 'to' && get(key)).length;
  const chosen = [!without.includes('from') && `${from} – ${to}`, others > 0 && t('filters.chosen', { count: others })].filter(Boolean).join(', ');
  const bar = document.getElementById('filters');
  bar.classList.toggle('open', isOpen);
  const button = h('button', {
    type: 'button', class: 'fold', 'aria-expanded': String(isOpen), 'aria-controls': 'choices', onclick: () => {
      isOpen = !isOpen;
      bar.classList.toggle('open', isOpen);
      button.setAttribute('aria-expanded', String(isOpen));
    },
  }, h('span', {}, t('filters')), h('span', { class: 'chosen' }, chosen));
  return button;
}

const KEYS = ['from', 'to', 'carrier', 'vendor', 'account', 'origin', 'dest'];

const isDefault = () => KEYS.every((key) => !get(key));

function reset() {
  choose(Object.fromEntries(KEYS.map((key) => [key, ''])));
}

// Contracts with different vendors may have the same name.
function accounts() {
  return [...new Set(catalog.all().accounts.map((row) => row.account))].map((name) => [name, name]);
}

function provinces() {
  return catalog.all().provinces.map((row) => [row.code, catalog.province(row.code)]);
}

function field(label, ...controls) {
  return h('div', { class: 'field' }, h('span', { class: 'label' }, label), controls);
}

function days({ from, to }) {
  const date = (name, value) => day({ name, value, label: t(`days.${name}`), onchoose: (chosen) => choose({ from, to, [name]: chosen }) });
  const preset = (text, first, last, isDefault) => h('button', {
    type: 'button', class: 'preset', 'aria-pressed': String(from === first && to === last), onclick: () => choose(isDefault ? { from: '', to: '' } : { from: first, to: last }),
  }, text);
  const span = (days) => preset(t('days.last', { days }), daysBefore(lastJudged(), days - 1), lastJudged(), days === DEFAULT_SPAN);
  return h('div', { class: 'field' }, h('span', { class: 'label' }, t('days')), date('from', from), h('span', { 'aria-hidden': 'true' }, '–'), date('to', to),
    h('span', { class: 'presets', title: t('days.judged', { day: lastJudged() }) }, SPANS.map(span), preset(t('days.today'), daysBefore(today(), DEFAULT_SPAN - 1), today())));
}

function select(name, label, options) {
  const value = get(name);
  // A value that is not offered is still what the page is asked for, and must be seen.
  const known = options.some(([code]) => code === value);
  return h('label', { class: 'field' }, h('span', { class: 'label' }, label),
    h('select', { name, onchange: (event) => choose({ [name]: event.target.value }) },
      h('option', { value: '' }, t('all')),
      value && !known && h('option', { value, selected: true }, value),
      options.map(([code, text]) => h('option', { value: code, selected: code === value }, text))));
}

// The mapping has more carriers than anybody scrolls through: all but the usual ones are found by their names.
const MOST_FOUND = 50;

function carriersNamed(typed) {
  const words = typed.toLowerCase();
  return catalog.all().carriers.filter(({ code, zh, en }) => [code, zh, en].some((name) => name.toLowerCase().includes(words))).slice(0, MOST_FOUND).map((row) => row.code);
}

function carriers() {
  // The bar is made anew with each choice; a list that is open stays so for the next one.
  const open = document.querySelector('#filters details.carriers')?.open ?? false;
  const chosen = list('carrier');
  const offered = (typed) => (typed ? carriersNamed(typed) : [...new Set([...catalog.PREFERRED, ...chosen])]);
  const summary = chosen.length ? chosen.map(catalog.carrier).join(', ') : t('all');
  const toggle = (code, on) => choose({ carrier: (on ? [...chosen, code] : chosen.filter((other) => other !== code)).join(',') });
  const choice = (code) => h('label', {},
    h('input', { type: 'checkbox', name: 'carrier', value: code, checked: chosen.includes(code), onchange: (event) => toggle(code, event.target.checked) }),
    h('span', { class: 'dot', hue: catalog.hue(code) }), catalog.carrier(code));
  const found = h('div', {}, offered('').map(choice));
  const label = t('carrier.find', { count: catalog.all().carriers.length });
  const find = h('input', { type: 'search', name: 'find', placeholder: label, 'aria-label': label, oninput: (event) => fill(found, offered(event.target.value.trim()).map(choice)) });
  const details = h('details', { class: 'pick carriers', open },
    h('summary', { 'aria-label': `${t('carrier')}: ${summary}` }, h('span', {}, summary)),
    h('div', { class: 'list' }, find, found));
  return field(t('carrier'), details);
}

// A click elsewhere closes what is open, and so does Escape.
document.addEventListener('click', ({ target }) => {
  if (!target.isConnected) return;
  for (const details of document.querySelectorAll('details.pick[open]')) if (!details.contains(target)) details.open = false;
});
document.addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  for (const details of document.querySelectorAll('details.pick[open]')) {
    details.open = false;
    details.querySelector('summary').focus();
  }
});
