// The parcels behind a figure: why each is in it first, and its codes when somebody looks closer.
import { ask } from '../api.js';
import * as catalog from '../catalog.js';
import { h } from '../dom.js';
import { FIGURES } from '../figures.js';
import { filters } from '../filters.js';
import { hours, time } from '../format.js';
import { t } from '../i18n.js';
import { asked, panel } from '../panel.js';
import { table } from '../table.js';
import { address, get } from '../url.js';

const SHOWN = '100';
const OWN = ['status', 'reason', 'code', 'party'];

const figure = () => get('figure') || 'parcels';

export default {
  without: [],
  show() {
    const own = Object.fromEntries(['figure', ...OWN].map((name) => [name, get(name)]));
    const question = { ...filters(), ...own };
    return panel({
      title: t(FIGURES.includes(figure()) ? `figure.${figure()}` : 'view.parcels'), note: t('list.note'), size: 'large', csv: { path: 'parcels', parameters: question },
      load: (signal) => ask('parcels', { ...question, limit: SHOWN, cursor: get('cursor') }, signal), show: list,
      // With what was asked for, which may be why there is nothing.
      empty: (answer) => [choices(), h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t('nothing')), asked(answer)), pages(answer)],
    });
  },
};

// Which figure, and what else is asked for: a click takes it away again.
function choices() {
  const chip = (changes, isChosen, ...content) => h('a', { class: 'chip', href: address('parcels', { cursor: '', ...changes }), 'data-view': true, 'aria-current': isChosen ? 'true' : undefined }, content);
  return h('div', { class: 'tally' },
    FIGURES.map((name) => chip({ figure: name === 'parcels' ? '' : name }, name === figure(), t(`figure.${name}`))),
    OWN.filter(get).map((name) => chip({ [name]: '' }, true, `${t(name)}: ${valueOf(name)}`, h('span', { 'aria-hidden': 'true' }, ' ×'), h('span', { class: 'hidden' }, t('list.without')))));
}

function valueOf(name) {
  const value = get(name);
  if (name === 'reason') return catalog.reason(value);
  if (name === 'code') return get('vendor') ? `${value} ${catalog.code(get('vendor'), value)}` : value;
  return t(`${name}.${value}`);
}

function list(answer) {
  const columns = [
    { key: 'number', header: true, label: t('number'), cell: parcel },
    { key: 'reasons', label: t('reason'), cell: reasons },
    { key: 'carrier', label: t('carrier'), cell: (row) => h('span', { class: 'carrier' }, h('span', { class: 'dot', hue: catalog.hue(row.carrier) }), catalog.carrier(row.carrier)) },
    { key: 'status', label: t('status'), cell: (row) => t(`status.${row.status}`) },
    { key: 'picked_up', label: t('step.picked_up'), cell: (row) => time(row.picked_up_at) },
    { key: 'transit', numeric: true, label: t('list.transit'), cell: (row) => hours(row.transit_hours) },
    { key: 'lane', label: t('lane'), cell: lane },
  ];
  return [choices(), table({ columns, rows: answer.rows, caption: t('view.parcels'), className: 'tall parcels' }), pages(answer)];
}

function parcel(row) {
  const gone = Object.fromEntries(['figure', 'cursor', 'vendor', 'origin', 'dest', 'from', 'to', ...OWN].map((name) => [name, '']));
  return h('a', { class: 'mono', href: address('parcel', { ...gone, number: row.tracking_number, carrier: row.carrier }), 'data-view': true }, row.tracking_number);
}

function reasons(row) {
  const words = row.exception_reasons.map(catalog.reason).join(', ');
  if (!row.exception_codes.length) return words || '–';
  return h('details', {}, h('summary', {}, words || t('exception.mark')),
    h('ul', {}, row.exception_codes.map((code) => h('li', {}, h('span', { class: 'code' }, code), ' ', catalog.code(row.vendor, code), ' ', h('span', { class: 'quiet' }, catalog.vendor(row.vendor))))));
}

function lane(row) {
  const name = (code) => (code ? catalog.province(code) : '?');
  return row.origin || row.dest ? `${name(row.origin)} → ${name(row.dest)}` : '–';
}

function pages({ next }) {
  const link = (cursor, label) => h('a', { class: 'button', href: address('parcels', { cursor }), 'data-view': true }, label);
  return (get('cursor') || next) && h('p', { class: 'pages below' }, get('cursor') && link('', t('list.first')), next && link(next, t('list.next')));
}
