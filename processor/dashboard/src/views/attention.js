// Parcels that somebody should do something about.
import { ask } from '../api.js';
import * as catalog from '../catalog.js';
import { h } from '../dom.js';
import { filters } from '../filters.js';
import { count, span, time } from '../format.js';
import { t } from '../i18n.js';
import { asked, panel } from '../panel.js';
import { table } from '../table.js';
import { address } from '../url.js';

const SHOWN = '200';

export default {
  without: ['from'],
  show() {
    const { carrier, vendor, origin, dest } = filters();
    const question = { carrier, vendor, origin, dest, limit: SHOWN };
    const none = { empty: (answer) => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t('att.none')), (carrier || vendor || origin || dest) && asked(answer)) };
    return [
      panel({ title: t('att.open'), note: t('att.open.note'), size: 'large', ...none, load: (signal) => ask('open-exceptions', question, signal), show: openExceptions }),
      panel({ title: t('att.stalled'), note: t('att.stalled.note'), size: 'large', ...none, load: (signal) => ask('stalled', question, signal), show: stalled }),
    ];
  },
};

const parcel = {
  key: 'number', header: true, label: t('number'), value: (row) => row.tracking_number,
  cell: (row) => h('a', { class: 'mono', href: address('parcel', { number: row.tracking_number, carrier: '', vendor: '', origin: '', dest: '', sort: '' }), 'data-view': true }, row.tracking_number),
};
const columnsOf = (...middle) => [
  { ...parcel, label: t('number') },
  { key: 'carrier', label: t('carrier'), value: (row) => catalog.carrier(row.carrier), cell: (row) => h('span', { class: 'carrier' }, h('span', { class: 'dot', hue: catalog.hue(row.carrier) }), catalog.carrier(row.carrier)) },
  ...middle,
  { key: 'lane', label: t('lane'), value: (row) => `${row.origin}${row.dest}`, cell: lane },
  { key: 'place', label: t('place'), value: (row) => row.last_location },
];

function lane(row) {
  const name = (code) => (code ? catalog.province(code) : '?');
  return row.origin || row.dest ? `${name(row.origin)} → ${name(row.dest)}` : '–';
}

function openExceptions({ rows, counts }) {
  const columns = columnsOf(
    { key: 'reason', label: t('reason'), value: (row) => catalog.reason(row.reason ?? ''), cell: (row) => h('span', {}, row.raw_code && h('span', { class: 'code' }, row.raw_code), ' ', reason(row)) },
    { key: 'party', label: t('party'), value: (row) => (row.party ? t(`party.${row.party}`) : '–') },
    { key: 'age', numeric: true, label: t('age'), value: (row) => row.open_hours, cell: (row) => span(row.open_hours) },
    { key: 'since', label: t('since'), value: (row) => row.exception_since, cell: (row) => time(row.exception_since) },
  );
  return [tally(counts, (row) => catalog.reason(row.reason ?? '')), table({ columns, rows, name: 'sort', first: '-age', caption: t('att.open'), className: 'tall' }), more(rows, counts)];
}

const reason = (row) => (row.raw_code ? catalog.code(row.vendor, row.raw_code) : catalog.reason(row.reason ?? ''));

function stalled({ rows, counts }) {
  const columns = columnsOf(
    { key: 'status', label: t('status'), value: (row) => t(`status.${row.status}`) },
    { key: 'silent', numeric: true, label: t('age'), value: (row) => row.silent_hours, cell: (row) => span(row.silent_hours) },
    { key: 'limit', numeric: true, label: t('limit'), value: (row) => row.limit_hours, cell: (row) => span(row.limit_hours) },
    { key: 'last', label: t('last.event'), value: (row) => row.last_event_at, cell: (row) => time(row.last_event_at) },
  );
  return [tally(counts, (row) => t(`status.${row.status}`)), table({ columns, rows, name: 'order', first: '-silent', caption: t('att.stalled'), className: 'tall' }), more(rows, counts)];
}

// How many, and of what: the largest groups over all carriers.
function tally(counts, name) {
  const groups = new Map();
  for (const row of counts) groups.set(name(row), (groups.get(name(row)) ?? 0) + row.parcels);
  const largest = [...groups].sort((a, b) => b[1] - a[1]).slice(0, 6);
  return h('div', { class: 'tally' }, h('strong', {}, count(sum(counts))), ' ', largest.map(([group, parcels]) => h('span', { class: 'chip' }, group, ' ', h('b', {}, count(parcels)))));
}

const sum = (counts) => counts.reduce((total, row) => total + row.parcels, 0);

const more = (rows, counts) => rows.length < sum(counts) && h('p', { class: 'note below' }, t('att.first', { n: count(rows.length) }));
