// One parcel: where it is, everything that happened to it, and who was asked to follow it.
import { ask } from '../api.js';
import * as catalog from '../catalog.js';
import * as correction from '../correction.js';
import { h } from '../dom.js';
import { count, hours, span, time } from '../format.js';
import { t, word } from '../i18n.js';
import { panel } from '../panel.js';
import { contract, subscriptionsOf } from '../subscription.js';
import { table } from '../table.js';
import { address, choose, get } from '../url.js';

export default {
  without: 'all',
  show() {
    const number = normalised(get('number'));
    return [search(number), number ? [panel({
      title: number, size: 'large', load: (signal) => ask('parcel', { number, carrier: get('carrier') }, signal),
      // An empty answer has its own words.
      isEmpty: () => false,
      show: (answer) => (answer.rows.length ? answer.rows.map((row) => life(row, answer)) : nobody(number, answer)),
    }), pushesOf(number), subscriptionsOf(number)] : h('p', { class: 'start' }, t('parcel.start'), ' ', h('a', { href: address('order', { carrier: '' }), 'data-view': true }, t('parcel.or.order')))];
  },
};

// As everywhere else (rule 3.4): a number that was copied from a page or a spreadsheet often brings invisible characters along.
const normalised = (number) => number.normalize('NFKC').replace(/\p{Cf}/gu, '').normalize('NFKC').trim();

function search(number) {
  const input = h('input', { type: 'search', name: 'number', id: 'number', value: number, autocomplete: 'off', spellcheck: 'false', maxlength: 128, class: 'mono', 'aria-describedby': 'number-hint' });
  const find = (event) => {
    event.preventDefault();
    choose({ number: normalised(input.value), carrier: '' });
  };
  return h('form', { class: 'search', role: 'search', onsubmit: find },
    h('label', { for: 'number' }, t('parcel.search')), input, h('button', { type: 'submit', class: 'main' }, t('parcel.find')),
    h('span', { class: 'note', id: 'number-hint' }, t('parcel.hint')));
}

// What people have at hand may be the number of the carrier abroad, or that of the order.
function nobody(number, { abroad, explanation }) {
  const link = (view, changes, text) => h('a', { class: 'chip', href: address(view, { number: '', carrier: '', ...changes }), 'data-view': true }, text);
  return h('div', { class: 'state empty' }, h('strong', {}, t('parcel.none')),
    abroad.map((row) => h('p', {}, t('parcel.abroad', { carrier: row.dest_carrier ? catalog.carrier(row.dest_carrier) : '?' }), ' ', link('parcel', { number: row.tracking_number, carrier: row.carrier }, row.tracking_number))),
    h('p', {}, t('parcel.none.advice')), isReference(number) && h('p', {}, link('order', { reference: number }, t('parcel.as.order', { reference: number }))), h('p', { class: 'detail' }, explanation));
}

const isReference = (text) => /^[A-Za-z0-9._-]{1,64}$/.test(text);
const orderOf = ({ reference, account }) => reference && h('a', { class: 'mono', href: address('order', { number: '', carrier: '', reference, account }), 'data-view': true }, reference);
const knownAbroad = ({ dest_carrier: carrier, dest_number: number }) => (carrier || number) && [carrier && catalog.carrier(carrier), ' ', number && h('span', { class: 'mono' }, number)];

// As many as a parcel may have in its life.
const SHOWN = '200';

// Where the vendor's own texts lie: they are on Kafka only.
function pushesOf(number) {
  const question = { number, carrier: get('carrier') };
  return panel({
    title: t('pushes'), note: t('pushes.note'), size: 'small', csv: { path: 'pushes', parameters: question },
    load: (signal) => ask('pushes', { ...question, limit: SHOWN }, signal), show: pushes, empty: () => h('div', { class: 'state empty', role: 'status' }, h('p', {}, t('pushes.none'))),
  });
}

function pushes({ rows }) {
  const columns = [
    { key: 'at', header: true, label: t('pushes.at'), value: (row) => row.received_at, cell: (row) => time(row.received_at) },
    { key: 'topic', label: t('pushes.topic'), value: (row) => row.topic, cell: (row) => h('span', { class: 'mono' }, row.topic) },
    { key: 'partition', numeric: true, label: t('pushes.partition'), value: (row) => row.partition },
    { key: 'offset', numeric: true, label: t('pushes.offset'), value: (row) => row.offset },
    { key: 'account', label: t('sub.account'), value: contract },
    { key: 'word', label: t('pushes.word'), title: t('pushes.word.title'), value: (row) => row.tracking_status, cell: (row) => row.tracking_status || '–' },
    { key: 'origin', label: t('pushes.origin'), title: t('pushes.origin.title'), value: (row) => t(`pushes.${row.origin}`) },
    { key: 'signature', label: t('pushes.signature'), value: (row) => t(`pushes.${row.signature}`) },
    { key: 'items', numeric: true, label: t('sub.items'), value: (row) => row.items, cell: (row) => count(row.items) },
    { key: 'bytes', numeric: true, label: t('pushes.bytes'), value: (row) => row.bytes, cell: (row) => count(row.bytes) },
  ];
  return table({ columns, rows, name: 'pushes', first: '-at', caption: t('pushes'), className: 'tall' });
}

function life(row, { rows, timeline, promises, route, annotations }) {
  const isOwn = (other) => other.vendor === row.vendor && other.carrier === row.carrier && other.epoch === row.epoch;
  const own = timeline.filter(isOwn);
  const promise = promises.find(isOwn);
  const fact = (name, value) => value && h('div', {}, h('dt', {}, name), h('dd', {}, value));
  return h('article', { class: 'life' },
    h('div', { class: 'life-head' },
      h('span', { class: 'carrier' }, h('span', { class: 'dot', hue: catalog.hue(row.carrier) }), h('strong', {}, catalog.carrier(row.carrier))),
      h('span', { class: `status ${tone(row.status)}` }, catalog.meaning(row.status, row.sub_status) ?? t(`status.${row.status}`)),
      h('span', { class: 'quiet' }, t('tracked.by', { vendor: catalog.vendor(row.vendor) }), ', ', t(`tracking.${row.tracking_state}`))),
    corrected(row),
    h('dl', { class: 'details' },
      fact(t('lane'), [row.origin, row.dest].some(Boolean) && `${row.origin ?? '?'} → ${row.dest ?? '?'}`),
      fact(t('order'), orderOf(row)),
      fact(t('dest.number'), knownAbroad(row)),
      fact(t('corrected.to'), row.corrected_to && catalog.carrier(row.corrected_to)),
      fact(t('attempts'), row.attempts ? String(row.attempts) : null),
      fact(t('promise'), promise && promised(promise)),
      fact(t('estimate'), row.edd_first && [time(row.edd_first), row.edd_last && row.edd_last !== row.edd_first && [', ', t('estimate.last', { time: time(row.edd_last) })], ' ', verdict('estimate', promise?.estimate_verdict)]),
      fact(t('last.event'), row.last_event_at && time(row.last_event_at)),
      fact(t('exception.title.short'), row.exception_codes.map((code) => `${code} ${catalog.code(row.vendor, code)}`).join(', ')),
      fact(t('flags'), row.flags.map((flag) => word('flag', flag)).join(', '))),
    milestones(row),
    wayOf(row, rows, route),
    h('div', { class: 'two' },
      h('div', {}, h('h3', {}, t('parcel.changes')), changes(row, own)),
      h('div', {}, h('h3', {}, t('parcel.history')), h('p', { class: 'note' }, t('parcel.history.note')), events(row))),
    said(annotations.filter(isOwn)));
}

// Beside the vendor's word, so that nobody takes one for the other.
function corrected(row) {
  return row.annotation && h('p', { class: 'note' },
    correction.badge(row), ' ',
    t(row.contradicted ? 'said.contradicted' : 'said.by', { by: row.annotated_by, at: time(row.annotated_at), reason: row.annotation_reason }));
}

function said(rows) {
  return rows.length > 0 && h('div', {}, h('h3', {}, t('said')), h('ol', { class: 'timeline plain' }, rows.map((row) => h('li', {},
    h('time', { datetime: row.annotated_at }, time(row.annotated_at)),
    h('div', {}, h('strong', {}, correction.kind(row.kind)), row.occurred_at && [' ', time(row.occurred_at)],
      h('div', { class: 'quiet' }, [row.annotated_by, row.reason].join(' · ')))))));
}

function promised(promise) {
  if (promise.promised_hours === null && promise.promised_working_days === null) return t('promise.none');
  return [
    term(promise),
    promise.promised_until && [', ', t('promise.until', { time: time(promise.promised_until) })], ' ', verdict('promise', promise.promise_verdict),
  ];
}

function term(promise) {
  if (promise.promised_working_days === null) return t(promise.is_standard ? 'promise.standard' : 'promise.hours', { hours: promise.promised_hours });
  const days = t('promise.days', { days: promise.promised_working_days });
  return promise.promised_cutoff ? `${days}${t('promise.cutoff', { time: promise.promised_cutoff })}` : days;
}

const TONE_OF = { KEPT: 'good', MISSED: 'bad', OPEN: '' };
const verdict = (of, word) => word && h('span', { class: `badge ${TONE_OF[word]}`, title: t(`${of}.verdict.title`) }, t(`verdict.${word}`));

const STEPS = ['created', 'picked_up', 'left_origin', 'arrived_dest', 'out_for_delivery', 'available', 'delivered', 'returning', 'returned', 'cancelled'];
// Steps that are no part of an ordinary way are shown only when they were taken.
const ORDINARY = new Set(['picked_up', 'left_origin', 'arrived_dest', 'out_for_delivery', 'delivered']);

function milestones(row) {
  const ended = row.returned_at || row.cancelled_at || row.delivered_at;
  const shown = STEPS.filter((step) => row[`${step}_at`] || (ORDINARY.has(step) && !ended));
  return h('ol', { class: 'milestones', 'aria-label': t('parcel.steps') }, shown.map((step) => {
    const at = row[`${step}_at`];
    return h('li', { class: at ? 'done' : 'open' }, h('span', { class: 'step' }, t(`step.${step}`)), h('time', { datetime: at ?? undefined }, at ? time(at) : '–'));
  }));
}

// Routes know nothing of lives: the newest one is that of the newest life. Two contracts may follow the same parcel.
function wayOf(row, rows, route) {
  const isNewest = rows.every((other) => other.vendor !== row.vendor || other.carrier !== row.carrier || other.epoch <= row.epoch);
  const nodes = isNewest ? route.filter((node) => node.vendor === row.vendor && node.carrier === row.carrier && node.account === row.account) : [];
  if (!nodes.length) return null;
  const when = (node) => (node.arrived_at ? time(node.arrived_at) : node.expected_arrival_at && t('route.expected', { time: time(node.expected_arrival_at) }));
  const columns = [
    { key: 'position', numeric: true, label: t('route.position'), value: (node) => node.position },
    { key: 'name', header: true, label: t('route.name'), value: (node) => node.name, cell: (node) => [h('span', { lang: 'zh-CN' }, node.name), node.became_late && [' ', h('span', { class: 'badge bad' }, t('route.late'))]] },
    { key: 'state', label: t('route.state'), value: (node) => t(node.is_next ? 'route.NEXT' : `route.${node.state}`) },
    { key: 'planned', label: t('route.planned'), title: t('route.planned.title'), value: (node) => node.planned_arrival_at, cell: (node) => (node.planned_arrival_at ? time(node.planned_arrival_at) : '–') },
    { key: 'actual', label: t('route.actual'), value: (node) => node.arrived_at ?? node.expected_arrival_at, cell: (node) => when(node) ?? '–' },
    { key: 'late', numeric: true, label: t('route.hours.late'), title: t('route.hours.late.title'), value: (node) => node.late_hours, cell: (node) => hours(node.late_hours) },
    { key: 'dwell', numeric: true, label: t('route.dwell'), value: (node) => node.dwell_hours, cell: (node) => hours(node.dwell_hours) },
  ];
  return [h('h3', {}, t('route.title')), h('p', { class: 'note' }, t('route.note')), table({ columns, rows: nodes, name: 'route', first: 'position', caption: t('route.title') })];
}

function tone(status) {
  if (status === 'DELIVERED') return 'good';
  if (['EXCEPTION', 'RETURNING', 'RETURNED', 'LOST'].includes(status)) return 'bad';
  return 'way';
}

function changes(row, own) {
  return h('ol', { class: 'timeline' }, own.toReversed().map((change) => h('li', { class: change.is_exception ? 'bad' : tone(change.to_status) },
    h('time', { datetime: change.occurred_at }, time(change.occurred_at)),
    h('div', {},
      h('strong', {}, catalog.meaning(change.to_status, change.to_sub_status) ?? t(`status.${change.to_status}`)),
      change.raw_code && [' ', h('span', { class: 'code' }, change.raw_code)],
      change.is_exception && [' ', h('span', { class: 'badge bad' }, t('exception.mark'))],
      change.verdict === 'ANOMALY' && [' ', h('span', { class: 'badge' }, t('anomaly'))],
      h('div', { class: 'quiet' }, [change.location, change.dwell_hours !== null && t('dwell', { span: span(change.dwell_hours) })].filter(Boolean).join(' · '))))));
}

function events(row) {
  return h('ol', { class: 'timeline plain' }, row.events.toReversed().map((event) => h('li', { class: tone(event.status) },
    h('time', { datetime: event.occurred_at }, time(event.occurred_at)),
    h('div', {}, h('span', { lang: 'zh-CN' }, event.context || event.location || t(`status.${event.status}`))))));
}
