// One order: how far it is, and its parcels.
import { ask } from '../api.js';
import * as catalog from '../catalog.js';
import * as correction from '../correction.js';
import { h } from '../dom.js';
import { count, time } from '../format.js';
import { t } from '../i18n.js';
import { asked, panel } from '../panel.js';
import { contract } from '../subscription.js';
import { table } from '../table.js';
import { address, choose, get } from '../url.js';

// As many as an answer has at most; those that have not ended come first.
const SHOWN = '500';

export default {
  without: 'all',
  show() {
    const reference = get('reference').trim();
    return [search(reference), reference && panel({
      title: t('order.title', { reference }), size: 'large', csv: { path: 'order', parameters: { reference, account: get('account'), table: 'parcels' } },
      load: (signal) => ask('order', { reference, account: get('account'), limit: SHOWN }, signal), show: orders,
      empty: (answer) => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t('order.none')), h('p', {}, t('order.none.advice')), asked(answer)),
    })];
  },
};

function search(reference) {
  const input = h('input', { type: 'search', name: 'reference', id: 'reference', value: reference, autocomplete: 'off', spellcheck: 'false', maxlength: 64, class: 'mono' });
  const find = (event) => {
    event.preventDefault();
    choose({ reference: input.value.trim(), account: '' });
  };
  return h('form', { class: 'search', role: 'search', onsubmit: find },
    h('label', { for: 'reference' }, t('order.search')), input, h('button', { type: 'submit', class: 'main' }, t('parcel.find')));
}

const TONES = { DELIVERED: 'good', SENT_BACK: 'bad', LOST: 'bad' };

// Contracts may use the same name for orders of their own.
function orders({ rows, parcels }) {
  return rows.map((order) => h('article', { class: 'life' },
    h('div', { class: 'life-head' }, h('strong', {}, contract(order)), h('span', { class: `status ${TONES[order.state] ?? 'way'}` }, t(`order.state.${order.state}`))),
    facts(order),
    listed(order, parcels.filter((parcel) => parcel.vendor === order.vendor && parcel.account === order.account))));
}

function facts(order) {
  const fact = (name, value) => value && h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const some = (name) => order[name] > 0 && count(order[name]);
  return h('dl', { class: 'details' },
    fact(t('order.parcels'), count(order.parcels)),
    fact(t('order.delivered'), count(order.delivered)),
    fact(t('order.open'), some('open')),
    fact(t('order.untold'), some('untold')),
    fact(t('order.sent_back'), some('sent_back')),
    fact(t('order.cancelled'), some('cancelled')),
    fact(t('order.lost'), some('lost')),
    fact(t('order.exceptions'), some('exceptions')),
    fact(t('order.first_delivered'), order.first_delivered_at && time(order.first_delivered_at)),
    fact(t('order.last_delivered'), order.last_delivered_at && time(order.last_delivered_at)));
}

function listed(order, rows) {
  const columns = [
    { key: 'number', header: true, label: t('number'), value: (row) => row.tracking_number, cell: (row) => h('a', { class: 'mono', href: address('parcel', { reference: '', account: '', number: row.tracking_number }), 'data-view': true }, row.tracking_number) },
    { key: 'carrier', label: t('carrier'), value: (row) => catalog.carrier(row.carrier), cell: (row) => h('span', { class: 'carrier' }, h('span', { class: 'dot', hue: catalog.hue(row.carrier) }), catalog.carrier(row.carrier)) },
    { key: 'status', label: t('status'), value: (row) => (row.status ? t(`status.${row.status}`) : t('order.untold')), cell: (row) => [row.status ? t(`status.${row.status}`) : t('order.untold'), row.annotation && [' ', correction.badge(row)]] },
    { key: 'exception', label: t('exception.title.short'), value: (row) => (row.is_exception ? t('exception.mark') : '–') },
    { key: 'picked_up', label: t('step.picked_up'), value: (row) => row.picked_up_at ?? '', cell: (row) => time(row.picked_up_at) },
    { key: 'delivered', label: t('step.delivered'), value: (row) => row.delivered_at ?? '', cell: (row) => time(row.delivered_at) },
  ];
  return [
    rows.length < order.parcels && h('p', { class: 'note' }, t('order.shown', { shown: count(rows.length), parcels: count(order.parcels) })),
    table({ columns, rows, name: 'order', first: 'number', caption: t('order.parcels'), className: 'tall' }),
  ];
}
