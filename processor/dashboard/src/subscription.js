// What pages say of a subscription and of a call, and the two as they are shown with a parcel.
import { ask } from './api.js';
import * as catalog from './catalog.js';
import { h } from './dom.js';
import { count, time } from './format.js';
import { t, word } from './i18n.js';
import { panel } from './panel.js';
import { table } from './table.js';
import { address } from './url.js';

// The contract that is called; a request that could not be used has led to none.
export const contract = ({ vendor, account }) => [vendor && catalog.vendor(vendor), account].filter(Boolean).join(' · ') || '–';

export const byContract = () => ({ key: 'account', label: t('sub.account'), value: contract });

export const reason = ({ reason }) => (reason ? word('sub.reason', reason) : null);
export const code = ({ code }) => code && h('span', { class: 'code' }, code);

const TONES = { ACTIVE: 'good', REJECTED: 'bad', FALLBACK: 'bad', QUOTA: 'bad' };

export const state = (row) => h('span', { class: `status ${TONES[row.state] ?? ''}` }, word('sub.state', row.state));

export const answer = ({ class: name }) => word('sub.class', name);
export const kind = ({ kind: name }) => word('sub.kind', name);

// As many calls as a parcel may have in its life.
const SHOWN = '100';

export function subscriptionsOf(number) {
  return [
    panel({ title: t('sub.of'), size: 'small', load: (signal) => ask('subscription', { number }, signal), show: ({ rows }) => rows.map(one), empty: () => none('sub.of.none') }),
    panel({ title: t('sub.calls.of'), size: 'small', csv: { path: 'vendor-calls', parameters: { number } }, load: (signal) => ask('vendor-calls', { number, limit: SHOWN }, signal), show: calls, empty: () => none('sub.calls.of.none') }),
  ];
}

const none = (key) => h('div', { class: 'state empty', role: 'status' }, h('p', {}, t(key)));

function one(row) {
  const fact = (name, value) => value && h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const ended = row.ended_at && [time(row.ended_at), row.ended_word && [' ', h('span', { class: 'code' }, row.ended_word)]];
  return h('article', { class: 'life' },
    h('div', { class: 'life-head' }, h('strong', {}, contract(row)), state(row), row.reason && h('span', {}, reason(row), ' ', code(row)), h('span', { class: 'quiet' }, t('sub.since', { time: time(row.since) }))),
    h('dl', { class: 'details' },
      fact(t('carrier'), carriers(row)),
      fact(t('sub.round'), t('sub.round.attempt', { round: count(row.round), attempt: count(row.attempt) })),
      fact(t('sub.requested.at'), time(row.requested_at)),
      fact(t('sub.requester'), row.requester),
      fact(t('sub.reference'), row.reference && h('a', { class: 'mono', href: address('order', { number: '', carrier: '', reference: row.reference, account: row.account }), 'data-view': true }, row.reference)),
      fact(t('sub.first_push'), row.first_push_at ? time(row.first_push_at) : t('sub.first_push.none')),
      fact(t('sub.not_before'), row.not_before && time(row.not_before)),
      fact(t('sub.accepted.month'), accepted(row)),
      fact(t('sub.ended'), ended)));
}

function carriers(row) {
  const former = row.former_carriers.length > 0 && h('span', { class: 'quiet' }, ` ${t('sub.former', { carriers: row.former_carriers.join(', ') })}`);
  return [catalog.carrier(row.carrier), former];
}

const accepted = (row) => row.calls.map((calls) => `${String(calls.month).slice(0, 4)}-${String(calls.month).slice(4)}: ${count(calls.accepted)}`).join(', ');

function calls({ rows }) {
  const columns = [
    { key: 'at', header: true, label: t('sub.call.at'), value: (row) => row.started_at, cell: (row) => time(row.started_at) },
    { key: 'kind', label: t('sub.call.kind'), value: kind },
    { key: 'why', label: t('reason'), value: (row) => word('sub.why', row.reason) },
    byContract(),
    { key: 'class', label: t('sub.class'), value: answer },
    { key: 'code', label: t('code'), value: (row) => row.code, cell: (row) => code(row) ?? '–' },
    { key: 'message', label: t('sub.message'), value: (row) => row.message, cell: (row) => h('span', { class: 'words', lang: 'zh-CN' }, row.message ?? '–') },
    { key: 'ms', numeric: true, label: t('sub.duration'), value: (row) => row.duration_ms, cell: (row) => `${count(row.duration_ms)}\u00a0ms` },
    { key: 'items', numeric: true, label: t('sub.items'), value: (row) => row.items, cell: (row) => count(row.items) },
  ];
  return table({ columns, rows, name: 'calls', first: '-at', caption: t('sub.calls.of'), className: 'tall' });
}
