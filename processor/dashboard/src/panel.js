// A part of a page that asks something and shows the answer. It has its size before the answer is there, and says so when
// it is still asking, when there is nothing, and when something went wrong.
import * as catalog from './catalog.js';
import { h, fill } from './dom.js';
import { csvButton } from './download.js';
import { filters } from './filters.js';
import { has, language, t } from './i18n.js';
import { view } from './url.js';

let signal;
let aborter = new AbortController();

// How high each panel was when it last had its answer: while it asks again, nothing below it moves.
const heights = new Map();

// A new page: what the old one asked is of no interest any more.
export function newPage() {
  aborter.abort();
  aborter = new AbortController();
  signal = aborter.signal;
}

// `load(signal)` gives an answer, `show(answer, body)` the elements for it, `isEmpty(answer)` whether there is nothing in it,
// and `empty(answer)` what to say then, if it is another thing than that there are no parcels. `csv` says what the panel's table is as a
// file (see csvButton). With `every` (seconds) it asks again by itself.
export function panel({ title, note, size = 'middle', load, show, isEmpty = (answer) => !answer.rows?.length, empty = () => null, tools, csv, every }) {
  const body = h('div', { class: 'body' });
  const heading = h('h2', {}, title);
  const section = h('section', { class: `panel ${size}`, 'aria-busy': 'true' },
    h('div', { class: 'head' }, h('div', {}, heading, note && h('p', { class: 'note' }, note)), (tools || csv) && h('div', { class: 'tools' }, tools, csv && csvButton(csv))),
    body);

  const place = `${view()} ${title}`;

  async function ask() {
    body.style.minHeight = heights.has(place) ? `${heights.get(place)}px` : '';
    section.setAttribute('aria-busy', 'true');
    section.dataset.state = 'loading';
    fill(body, h('div', { class: 'state loading', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), t('loading')));
    await present(signal);
  }

  // Until the next answer is there the one before stays.
  function askAgain(mine) {
    if (mine.aborted) return;
    // Nobody looks, or somebody is in the middle of it.
    if (document.hidden || body.contains(document.activeElement)) later(mine);
    else present(mine);
  }

  const later = (mine) => setTimeout(() => askAgain(mine), every * 1000);

  async function present(mine) {
    try {
      const answer = await load(mine);
      if (mine.aborted) return;
      const scrolled = [...body.querySelectorAll('.scroll')].map((box) => box.scrollTop);
      if (isEmpty(answer)) {
        section.dataset.state = 'empty';
        fill(body, empty(answer) ?? nothing(answer));
      } else {
        section.dataset.state = 'ready';
        body.replaceChildren();
        body.style.minHeight = '';
        const shown = show(answer, body);
        if (shown) body.append(...[shown].flat(Infinity).filter(Boolean));
        body.querySelectorAll('.scroll').forEach((box, index) => { box.scrollTop = scrolled[index] ?? 0; });
        heights.set(place, body.offsetHeight);
      }
    } catch (error) {
      if (mine.aborted) return;
      section.dataset.state = 'error';
      fill(body, failure(error, ask));
      if (!error.status && error.code === undefined) throw error;
    } finally {
      if (!mine.aborted) {
        section.setAttribute('aria-busy', 'false');
        if (every) later(mine);
      }
    }
  }
  ask();
  return section;
}

const nothing = (answer) => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t('nothing')), h('p', {}, t('nothing.advice')), asked(answer));

// What was asked for, so that a mistyped code is seen: what the server says in English, or the same in the words of the page.
export function asked(answer) {
  return answer.explanation && h('p', { class: 'detail' }, language() === 'en' ? answer.explanation : question(answer));
}

function question(answer) {
  const { from, to, carrier, vendor, origin, dest } = filters();
  const carriers = carrier.split(',').filter(Boolean).map((code) => catalog.carrier(code) + (catalog.isCarrier(code) ? '' : t('unknown.carrier')));
  return [
    answer.from && `${t('days')} ${from} – ${to}`,
    carriers.length && `${t('carrier')} ${carriers.join(', ')}`,
    vendor && `${t('vendor')} ${catalog.vendor(vendor)}`,
    origin && `${t('origin')} ${catalog.province(origin)}`,
    dest && `${t('dest')} ${catalog.province(dest)}`,
  ].filter(Boolean).join('; ');
}

// Refusals that the page has words of its own for, and nothing to add.
const SAID = /^(database_down|busy|too_slow|too_much|unreachable|reversed_dates|too_many_days)$/;

function failure(error, again) {
  const key = `error.${error.code}`;
  const said = SAID.test(error.code) && language() !== 'en';
  return h('div', { class: 'state error', role: 'alert' },
    h('strong', {}, t('error')),
    h('p', {}, has(key) ? t(key) : t('error.failed')),
    error.message && !said && h('p', { class: 'detail' }, error.message),
    error.status !== 400 && h('button', { type: 'button', onclick: again }, t('again')));
}
