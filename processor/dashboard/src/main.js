// The frame of the page: which view is shown, in which language.
import * as catalog from './catalog.js';
import { h, fill } from './dom.js';
import { bar } from './filters.js';
import { LANGUAGES, language, t } from './i18n.js';
import { newPage } from './panel.js';
import './tip.js';
import { NOWHERE, VIEWS, address, choose, follow, view } from './url.js';
import attention from './views/attention.js';
import carriers from './views/carriers.js';
import exceptions from './views/exceptions.js';
import lanes from './views/lanes.js';
import nowhere from './views/nowhere.js';
import order from './views/order.js';
import parcel from './views/parcel.js';
import parcels from './views/parcels.js';
import pipeline from './views/pipeline.js';
import subscriptions from './views/subscriptions.js';
import transit from './views/transit.js';

const PAGES = { '': carriers, transit, exceptions, lanes, attention, subscriptions, parcel, parcels, order, pipeline, [NOWHERE]: nowhere };

const element = (id) => document.getElementById(id);

// Choices that belong to one view and would mean nothing in another.
const OWN = { sort: '', metric: '', number: '', attention: '', figure: '', status: '', reason: '', code: '', party: '', cursor: '', map: '', side: '' };

function frame() {
  const here = view();
  const nav = element('views');
  document.documentElement.lang = language() === 'zh' ? 'zh-CN' : 'en';
  document.title = `${t(`view.${here || 'carriers'}`)} · courierflow`;
  // On a narrow screen the list of views scrolls.
  requestAnimationFrame(() => nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }));
  element('skip').textContent = t('skip');
  nav.setAttribute('aria-label', t('views'));
  fill(nav, VIEWS.map((name) => h('a', { href: address(name, OWN), 'data-view': true, 'aria-current': name === here ? 'page' : undefined }, t(`view.${name || 'carriers'}`))));
  fill(element('tools'), h('div', { class: 'languages', role: 'group', 'aria-label': t('language') }, LANGUAGES.map(([code, name]) =>
    h('button', { type: 'button', lang: code, 'aria-pressed': String(code === language()), onclick: () => choose({ lang: code }) }, name))));
  fill(element('footer'), h('p', {}, t('footer')), h('p', {}, h('a', { href: 'api/v1/openapi.json' }, 'API'), ` · courierflow ${catalog.all().version}`));
}

function show() {
  // What was focused in the bar is focused again after it was made anew.
  const focused = document.activeElement?.closest('#filters, #tools') && document.activeElement;
  newPage();
  frame();
  const page = PAGES[view()];
  fill(element('filters'), page.without === 'all' ? null : bar(page));
  fill(element('content'), h('h1', { class: 'hidden' }, t(`view.${view() || 'carriers'}`)), page.show());
  if (focused) refocus(focused);
}

function refocus(old) {
  const alike = [...document.querySelectorAll(`#filters ${old.tagName}, #tools ${old.tagName}`)];
  const found = alike.find((candidate) => candidate.name === old.name && candidate.type === old.type
    && (old.type === 'checkbox' || old.type === 'button' ? candidate.value === old.value && candidate.textContent === old.textContent : true));
  found?.focus();
}

async function start() {
  frame();
  try {
    await catalog.load();
  } catch (error) {
    fill(element('content'), h('section', { class: 'panel' }, h('div', { class: 'state error', role: 'alert' },
      h('strong', {}, t('error')), h('p', {}, t('error.unreachable')), h('p', { class: 'detail' }, error.message))));
    return;
  }
  follow(show);
  show();
}

start();
