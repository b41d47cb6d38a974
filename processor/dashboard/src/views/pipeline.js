// Whether the figures are fresh: what comes in, how far behind the processor is, what was put aside, and how odd the data is.
import { ask, askOnce } from '../api.js';
import * as catalog from '../catalog.js';
import { chart } from '../charts.js';
import { h } from '../dom.js';
import { count, daysBefore, number, percent, span, time, today } from '../format.js';
import { t } from '../i18n.js';
import { SOUND_RATE } from '../league.js';
import { panel } from '../panel.js';
import { table } from '../table.js';
import { address } from '../url.js';

// As far back as the quality is counted.
const QUALITY_DAYS = 40;
// As the page of subscriptions has them.
const AUDIT_DAYS = 30;
// Seconds between two questions how it is going.
const EVERY = 15;
// Of what was not understood, the most frequent.
const SHOWN = '200';

export default {
  // The pipeline is one for all parcels.
  without: 'all',
  show() {
    const [from, to] = [daysBefore(today(), QUALITY_DAYS), today()];
    const load = askOnce('pipeline', {}, EVERY * 500);
    return [
      panel({ title: t('pipe.process'), note: t('pipe.process.note'), size: 'small', every: EVERY, load: (signal) => ask('process', {}, signal), show: process, isEmpty: () => false }),
      panel({ title: t('pipe.now'), size: 'small', csv: { path: 'pipeline', table: 'vendors' }, every: EVERY, load, show: now, isEmpty: ({ vendors }) => !vendors.length }),
      panel({ title: t('pipe.hours'), note: t('pipe.hours.note'), csv: { path: 'pipeline', table: 'hours' }, every: 4 * EVERY, load, show: hours, isEmpty: (answer) => !answer.hours.length }),
      panel({ title: t('view.subscriptions'), note: t('pipe.subscriptions.note'), size: 'small', every: 4 * EVERY, load: (signal) => ask('subscriptions', { limit: '1' }, signal), show: subscribed, isEmpty: (answer) => !answer.states.length, empty: none('sub.states') }),
      panel({ title: t('sub.completeness'), note: t('sub.completeness.note'), size: 'small', every: 4 * EVERY, load: (signal) => ask('completeness', { from: daysBefore(today(), AUDIT_DAYS - 1), to }, signal), show: complete, empty: none('sub.completeness') }),
      panel({ title: t('pipe.quality'), note: t('pipe.quality.note'), size: 'large', csv: { path: 'quality', parameters: { from, to } }, load: (signal) => ask('quality', { from, to }, signal), show: quality }),
      panel({ title: t('wording'), note: t('wording.note'), size: 'large', csv: { path: 'unknown-wording' }, load: (signal) => ask('unknown-wording', { limit: SHOWN }, signal), show: wording, empty: () => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t('wording.none'))) }),
    ];
  },
};

function now({ vendors }) {
  return h('div', { class: 'facts' }, vendors.flatMap((row) => [
    h('div', { class: 'fact' }, h('strong', {}, t('pipe.ago', { span: ago(row.seconds_ago) })), h('span', {}, `${catalog.vendor(row.vendor)}: ${t('pipe.last')}`)),
    h('div', { class: 'fact' }, h('strong', {}, count(row.last_hour)), h('span', {}, `${catalog.vendor(row.vendor)}: ${t('pipe.hour')}`)),
    h('div', { class: 'fact' }, h('strong', {}, count(row.last_day)), h('span', {}, `${catalog.vendor(row.vendor)}: ${t('pipe.day')}`)),
  ]));
}

function ago(seconds) {
  if (seconds < 120) return `${Math.max(0, seconds)} ${t('s')}`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} ${t('min')}` : span(seconds / 3600);
}

function hours(answer, body) {
  const vendors = [...new Set(answer.hours.map((row) => row.vendor))];
  const newest = Math.max(...answer.hours.map((row) => Date.parse(row.hour)));
  // An hour in which nothing came has no row, and must be seen.
  const all = Array.from({ length: 48 }, (_, back) => newest - (47 - back) * 3600e3);
  const pushes = new Map(answer.hours.map((row) => [`${row.vendor} ${Date.parse(row.hour)}`, row.pushes]));
  const value = (vendor, hour) => pushes.get(`${vendor} ${hour}`) ?? 0;
  const label = (hour) => time(new Date(hour).toISOString());
  chart(body, {
    label: t('pipe.hours'),
    height: 260,
    make: (axis) => ({
      color: catalog.HUES_OF_SERIES,
      legend: {},
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, valueFormatter: count },
      xAxis: { type: 'category', data: all.map(label), ...axis, axisLabel: { ...axis.axisLabel, formatter: (text) => text.slice(5) } },
      yAxis: { type: 'value', minInterval: 1, ...axis },
      series: vendors.map((vendor) => ({ name: catalog.vendor(vendor), type: 'bar', stack: 'pushes', data: all.map((hour) => value(vendor, hour)) })),
    }),
    table: { head: [t('since'), ...vendors.map(catalog.vendor)], rows: all.map((hour) => [label(hour), ...vendors.map((vendor) => count(value(vendor, hour)))]) },
  });
}

const fact = (value, label, state) => h('div', { class: state ? `fact ${state}` : 'fact' }, h('strong', {}, value), h('span', {}, label));
const none = (key) => () => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t(`${key}.none`)), h('p', {}, t(`${key}.none.advice`)));

function process({ readiness, samples }) {
  const of = (name) => samples.filter((sample) => sample.name === name);
  const sum = (name) => of(name).reduce((total, sample) => total + sample.value, 0);
  const parts = Object.entries(readiness.parts);
  // The dashboard alone has nothing to say of a pipeline.
  if (parts.every(([name]) => name === 'dashboard') && !of('courierflow_derive_lag_records').length) return h('div', { class: 'state empty' }, h('p', {}, t('pipe.process.none')));
  const records = (name) => (of(name).length ? count(sum(name)) : '–');
  const dead = ['derive', 'sink'].flatMap((part) => of(`courierflow_${part}_dead_letters_total`).filter((sample) => sample.value > 0).map((sample) => ({ part, ...sample })));
  const waiting = parts.filter(([, part]) => !part.ready).length;
  return [
    h('p', { class: `light ${readiness.ready ? 'good' : 'bad'}` },
      h('strong', {}, t(readiness.ready ? 'pipe.ready' : 'pipe.not.ready')), ' ',
      h('span', {}, parts.length ? t(waiting ? 'pipe.parts.waiting' : 'pipe.parts', { count: count(parts.length), waiting: count(waiting) }) : t('pipe.starting'))),
    h('ul', { class: 'parts' }, parts.map(partOf)),
    h('div', { class: 'facts' },
      fact(records('courierflow_derive_lag_records'), t('pipe.lag.derive')),
      fact(records('courierflow_sink_lag_records'), t('pipe.lag.sink')),
      fact(records('courierflow_derive_push_events_total'), t('pipe.derived')),
      fact(records('courierflow_sink_rows_total'), t('pipe.rows')),
      fact(records('courierflow_derive_shipments'), t('pipe.state')),
      fact(count(dead.reduce((total, sample) => total + sample.value, 0)), t('pipe.dead'), dead.length && 'bad')),
    dead.length > 0 && table({ rows: dead, name: 'dead', first: '-records', caption: t('pipe.dead'), columns: [
      { key: 'reason', header: true, label: t('reason'), value: (row) => row.labels.reason, cell: (row) => h('span', { class: 'code' }, row.labels.reason) },
      { key: 'part', label: t('pipe.part'), value: (row) => [row.part, row.labels.table].filter(Boolean).join(' ') },
      { key: 'records', numeric: true, label: t('pipe.records'), value: (row) => row.value, cell: (row) => count(row.value) },
    ] }),
  ];
}

// A part, and what it says of itself, in its own words.
function partOf([name, { ready, reason, last_failure: failure, degraded = {} }]) {
  const isDegraded = Object.keys(degraded).length > 0;
  return h('li', { class: ready ? (isDegraded ? 'warn' : 'good') : 'bad' },
    h('strong', {}, name), ' ', h('span', {}, t(ready ? (isDegraded ? 'pipe.degraded' : 'pipe.ready') : 'pipe.not.ready')),
    reason && h('div', { lang: 'en' }, reason),
    failure && failure !== reason && h('div', { lang: 'en' }, t('pipe.failure', { failure })),
    Object.entries(degraded).map(([what, why]) => h('div', { lang: 'en' }, `${what}: ${why}`)));
}

// Where they stand, in as few words as fit; the page of subscriptions has the rest.
const STANDING = { followed: ['ACTIVE'], waiting: ['REQUESTED', 'CALLING', 'WAITING'] };

function subscribed({ states, counts }) {
  const sum = (rows) => rows.reduce((total, row) => total + row.subscriptions, 0);
  const attention = sum(counts);
  const link = (content) => h('a', { class: 'figure', href: address('subscriptions', { vendor: '', account: '', attention: '' }), 'data-view': true }, content);
  return h('div', { class: 'facts' },
    fact(link(count(sum(states))), t('sub.subscriptions')),
    Object.entries(STANDING).map(([name, among]) => fact(count(sum(states.filter((row) => among.includes(row.state)))), t(`pipe.subscriptions.${name}`))),
    fact(link(count(attention)), t('sub.attention'), attention ? 'bad' : 'good'));
}

function complete({ rows }) {
  const sum = (column) => rows.reduce((total, row) => total + row[column], 0);
  const audited = sum('audited');
  // As elsewhere, a share of few parcels would be chance.
  const share = (part, whole) => (audited >= SOUND_RATE ? percent(sum(part) / sum(whole)) : t('n', { n: count(audited) }));
  return h('div', { class: 'facts' },
    fact(count(audited), t('sub.audited')),
    fact(share('with_missed', 'audited'), t('sub.with_missed')),
    fact(share('missed', 'events'), t('sub.missed.share')));
}

// Measure, and what it is a share of.
const MEASURES = [
  ['pushes_repeated', 'pushes'], ['transitions_retracted', 'transitions'], ['aborted', 'shipments'], ['carrier_corrected', 'shipments'],
  ['without_events', 'shipments'], ['lane_unknown', 'shipments'], ['pickup_imputed', 'shipments'], ['duration_invalid', 'shipments'],
  ['delivery_revoked', 'shipments'], ['post_terminal_scan', 'shipments'], ['unknown_code', 'shipments'], ['bad_time', 'shipments'],
  ['future_time', 'shipments'], ['tz_assumed', 'shipments'], ['route_loop', 'shipments'], ['events_without_code', 'events'], ['events_unknown', 'events'],
];

function quality({ rows }) {
  const line = (label, cells) => h('tr', {}, h('th', { scope: 'row' }, label), cells.map((cell) => h('td', { class: 'number' }, cell)));
  return h('div', { class: 'scroll', tabindex: '0' }, h('table', {},
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('measure')), rows.map((row) => h('th', { scope: 'col', class: 'number' }, catalog.vendor(row.vendor))))),
    h('tbody', {},
      line(t('quality.shipments'), rows.map((row) => count(row.shipments))),
      line(t('quality.pushes'), rows.map((row) => count(row.pushes))),
      line(t('quality.lag'), rows.map((row) => `${number(row.lag_p50_hours)} / ${number(row.lag_p95_hours)} ${t('h')}`)),
      MEASURES.map(([measure, of]) => line(t(`quality.${measure}`), rows.map((row) => (row[of] ? [percent(row[measure] / row[of], 2), ' ', h('span', { class: 'quiet' }, count(row[measure]))] : '–')))))));
}

function wording({ rows }) {
  const parcel = (row) => h('a', { class: 'mono', href: address('parcel', { number: row.last_parcel, carrier: '', vendor: '', origin: '', dest: '', sort: '' }), 'data-view': true }, row.last_parcel);
  const columns = [
    { key: 'wording', header: true, label: t('wording.wording'), value: (row) => row.wording, cell: (row) => h('span', { class: row.kind === 'text' ? '' : 'code' }, row.wording) },
    { key: 'kind', label: t('wording.kind'), value: (row) => t(`wording.kind.${row.kind}`) },
    { key: 'vendor', label: t('vendor'), value: (row) => catalog.vendor(row.vendor) },
    { key: 'carrier', label: t('carrier'), value: (row) => catalog.carrier(row.carrier) },
    { key: 'parcels', numeric: true, label: t('parcels'), value: (row) => row.parcels, cell: (row) => count(row.parcels) },
    { key: 'events', numeric: true, label: t('wording.events'), value: (row) => row.events, cell: (row) => (row.kind === 'carrier' ? '–' : count(row.events)) },
    { key: 'status', label: t('wording.status'), value: (row) => row.status && t(`status.${row.status}`) },
    { key: 'example', label: t('wording.example'), value: (row) => row.example },
    { key: 'last', label: t('wording.last'), value: (row) => row.last_received_at, cell: (row) => [time(row.last_received_at), ' ', parcel(row)] },
  ];
  return table({ columns, rows, name: 'sort', first: '-parcels', caption: t('wording'), className: 'tall' });
}
