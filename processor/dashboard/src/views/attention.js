// Parcels that somebody should do something about.
import { ask } from '../api.js';
import * as catalog from '../catalog.js';
import * as correction from '../correction.js';
import { h } from '../dom.js';
import { FIGURE_OF, linked } from '../figures.js';
import { filters } from '../filters.js';
import { count, hours, percent, span, time } from '../format.js';
import { t } from '../i18n.js';
import { asked, panel } from '../panel.js';
import { table } from '../table.js';
import { address, get } from '../url.js';

const SHOWN = '200';
// Seconds between two questions.
const EVERY = 60;

export default {
  without: ['from'],
  show() {
    const { carrier, vendor, origin, dest } = filters();
    const question = { carrier, vendor, origin, dest };
    const ofReason = { ...question, reason: get('reason') };
    const ofStatus = { ...question, status: get('status') };
    // A chip that leads to nothing is still there to be taken away.
    const none = { isEmpty: ({ counts }) => !counts.length, empty: (answer) => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t('att.none')), (carrier || vendor || origin || dest) && asked(answer)) };
    return [
      panel({ title: t('att.open'), note: t('att.open.note'), size: 'large', every: EVERY, ...none, csv: { path: 'open-exceptions', parameters: ofReason }, load: (signal) => ask('open-exceptions', { ...ofReason, limit: SHOWN }, signal), show: openExceptions }),
      panel({ title: t('att.stalled'), note: t('att.stalled.note'), size: 'large', every: EVERY, ...none, csv: { path: 'stalled', parameters: ofStatus }, load: (signal) => ask('stalled', { ...ofStatus, limit: SHOWN }, signal), show: stalled }),
      panel({ title: t('said.list'), note: t('said.list.note'), size: 'large', every: EVERY, csv: { path: 'annotations', parameters: { carrier, vendor } }, load: (signal) => ask('annotations', { carrier, vendor, limit: SHOWN }, signal), show: corrections, isEmpty: () => false }),
      panel({ title: t('change'), note: t('change.note'), size: 'large', every: EVERY, csv: { path: 'performance-changes', parameters: { carrier, origin, dest } }, load: (signal) => ask('performance-changes', { carrier, origin, dest, limit: SHOWN }, signal), show: changes, isEmpty: ({ counts }) => !counts.length }),
    ];
  },
};

const parcel = {
  key: 'number', header: true, label: t('number'), value: (row) => row.tracking_number,
  cell: (row) => h('a', { class: 'mono', href: address('parcel', { number: row.tracking_number, carrier: '', vendor: '', origin: '', dest: '', reason: '', status: '', sort: '' }), 'data-view': true }, row.tracking_number),
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
  return [tally(counts, 'reason', catalog.reason), table({ columns, rows, name: 'sort', first: '-age', caption: t('att.open'), className: 'tall' }), more(rows, counts, 'reason')];
}

function corrections({ rows }) {
  if (!rows.length) return h('p', {}, t('said.none'));
  const columns = [
    parcel,
    { key: 'carrier', label: t('carrier'), value: (row) => catalog.carrier(row.carrier) },
    { key: 'said', label: t('said.kind'), value: (row) => correction.kind(row.annotation) },
    { key: 'vendor', label: t('said.vendor'), value: (row) => t(`status.${row.vendor_status}`), cell: (row) => [t(`status.${row.vendor_status}`), row.contradicted && [' ', h('span', { class: 'badge bad' }, t('said.contradicts'))]] },
    { key: 'why', label: t('reason'), value: (row) => row.annotation_reason },
    { key: 'by', label: t('said.who'), value: (row) => row.annotated_by },
    { key: 'at', label: t('said.at'), value: (row) => row.annotated_at, cell: (row) => time(row.annotated_at) },
  ];
  return table({ columns, rows, name: 'said', first: '-at', caption: t('said.list'), className: 'tall' });
}

const reason = (row) => (row.raw_code ? catalog.code(row.vendor, row.raw_code) : catalog.reason(row.reason ?? ''));

function stalled({ rows, counts }) {
  const columns = columnsOf(
    { key: 'status', label: t('status'), value: (row) => t(`status.${row.status}`) },
    { key: 'silent', numeric: true, label: t('age'), value: (row) => row.silent_hours, cell: (row) => span(row.silent_hours) },
    { key: 'limit', numeric: true, label: t('limit'), value: (row) => row.limit_hours, cell: (row) => span(row.limit_hours) },
    { key: 'last', label: t('last.event'), value: (row) => row.last_event_at, cell: (row) => time(row.last_event_at) },
  );
  return [tally(counts, 'status', (status) => t(`status.${status}`)), table({ columns, rows, name: 'order', first: '-silent', caption: t('att.stalled'), className: 'tall' }), more(rows, counts, 'status')];
}

// How many, and of what: the largest groups over all carriers. A group chosen is the only one that is listed; those of no name cannot be asked for.
function tally(counts, column, name) {
  const chosen = get(column);
  const groups = new Map();
  for (const row of counts) groups.set(row[column] ?? '', (groups.get(row[column] ?? '') ?? 0) + row.parcels);
  const largest = [...groups].sort((a, b) => b[1] - a[1]).filter(([group], place) => place < 6 || group === chosen);
  const chip = ([group, parcels]) => {
    const content = [name(group), ' ', h('b', {}, count(parcels))];
    if (!group) return h('span', { class: 'chip' }, content);
    return h('a', { class: 'chip', href: address('attention', { [column]: group === chosen ? '' : group }), 'data-view': true, 'aria-current': group === chosen ? 'true' : undefined }, content);
  };
  return h('div', { class: 'tally' }, h('strong', {}, count(sum(counts))), ' ', largest.map(chip));
}

const sum = (counts) => counts.reduce((total, row) => total + row.parcels, 0);

const listed = (counts, column) => sum(counts.filter((row) => !get(column) || row[column] === get(column)));
const more = (rows, counts, column) => rows.length < listed(counts, column) && h('p', { class: 'note below' }, t('att.first', { n: count(rows.length) }));

// The parcels that make a measure bad. A median has none of its own.
const PARCELS_OF = { ...FIGURE_OF, p50_hours: 'late_48h' };

function changes({ rows, counts }) {
  const total = (column) => count(counts.reduce((sum, row) => sum + row[column], 0));
  const told = h('p', {}, t(rows.length ? 'change.told' : 'change.none', { tested: total('tested'), changed: total('changed') }));
  if (!rows.length) return told;
  const value = (row, figure) => (row.measure === 'p50_hours' ? (figure === null ? t('not.reached') : hours(figure)) : percent(figure));
  const parcels = (row) => linked(value(row, row.value), PARCELS_OF[row.measure], { carrier: row.carrier, origin: row.origin, dest: row.dest, from: row.from_date, to: row.to_date });
  const columns = [
    { key: 'carrier', header: true, label: t('carrier'), value: (row) => catalog.carrier(row.carrier) },
    { key: 'lane', label: t('lane'), value: (row) => `${row.origin}${row.dest}`, cell: (row) => (row.level === 'carrier' ? t('change.all') : lane(row)) },
    { key: 'measure', label: t('measure'), value: (row) => t(`change.${row.measure}`) },
    { key: 'direction', label: t('change.direction'), value: (row) => t(row.is_worse ? 'change.worse' : 'change.better'), cell: (row) => h('span', { class: row.is_worse ? 'status bad' : 'status good' }, t(row.is_worse ? 'change.worse' : 'change.better')) },
    { key: 'before', label: t('change.before'), cell: (row) => value(row, row.value_before) },
    { key: 'now', label: t('change.now'), title: t('change.now.title'), cell: (row) => [parcels(row), ' ', h('span', { class: 'quiet' }, `${row.from_date} – ${row.to_date}`)] },
    { key: 'parcels', numeric: true, label: t('parcels'), value: (row) => row.parcels, cell: (row) => count(row.parcels) },
    { key: 'sure', numeric: true, low: true, label: t('change.sure'), title: t('change.sure.title'), value: (row) => row.q_value, cell: (row) => t(row.q_value <= 0.001 ? 'change.certain' : row.q_value <= 0.01 ? 'change.very' : 'change.quite') },
  ];
  return [told, table({ columns, rows, name: 'changes', first: 'sure', caption: t('change'), className: 'tall' })];
}
