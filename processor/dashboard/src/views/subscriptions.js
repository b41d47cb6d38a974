// What the vendors were asked to follow: whether all parcels are, what needs somebody, what is used up and what it costs.
import { answers } from '../answers.js';
import { ask, askOnce } from '../api.js';
import * as catalog from '../catalog.js';
import { coverage } from '../coverage.js';
import { h } from '../dom.js';
import { count, daysBefore, number, percent, span, time, today } from '../format.js';
import { t } from '../i18n.js';
import { SOUND_RATE, rate, sound } from '../league.js';
import { panel } from '../panel.js';
import { byContract, code, reason, state } from '../subscription.js';
import { table } from '../table.js';
import { address, get } from '../url.js';

const SHOWN = '200';
// As many as the view of the coverage has.
const DAYS = 30;

export default {
  // What is counted here has neither days nor a lane of its own, and most of it no carrier.
  without: ['from', 'carrier', 'origin'],
  hasAccounts: true,
  show() {
    const contracts = { vendor: get('vendor'), account: get('account') };
    const { vendor } = contracts;
    const [from, to] = [daysBefore(today(), DAYS - 1), today()];
    const load = askOnce('subscriptions', { ...contracts, attention: get('attention'), limit: SHOWN });
    const part = (name, more) => panel({ title: t(`sub.${name}`), note: t(`sub.${name}.note`), size: 'middle', empty: nothing(name), ...more });
    return [
      part('coverage', { size: 'large', csv: { path: 'coverage', parameters: contracts, table: 'accounts' }, load: (signal) => ask('coverage', contracts, signal), show: coverage, isEmpty: ({ days }) => !days.length }),
      part('states', { csv: { path: 'subscriptions', parameters: contracts, table: 'states' }, load, show: states, isEmpty: ({ states }) => !states.length }),
      part('attention', { csv: { path: 'subscriptions', parameters: { ...contracts, attention: get('attention') }, table: 'rows' }, load, show: attention, isEmpty: ({ counts }) => !counts.length }),
      part('quota', { size: 'small', csv: { path: 'quota', parameters: contracts }, load: (signal) => ask('quota', contracts, signal).then(thisMonth), show: quota }),
      part('cost', { size: 'small', csv: { path: 'cost', parameters: contracts }, load: (signal) => ask('cost', contracts, signal), show: cost }),
      part('answers', { csv: { path: 'vendor-answers', parameters: { from, to, ...contracts }, table: 'codes' }, load: (signal) => ask('vendor-answers', { from, to, ...contracts }, signal), show: answers, isEmpty: ({ codes }) => !codes.length }),
      part('completeness', { size: 'small', csv: { path: 'completeness', parameters: { from, to, vendor } }, load: (signal) => ask('completeness', { from, to, vendor }, signal), show: completeness }),
    ];
  },
};

const nothing = (name) => () => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, t(`sub.${name}.none`)), h('p', {}, t(`sub.${name}.none.advice`)));

const carrierColumn = () => ({
  key: 'carrier', label: t('carrier'), value: (row) => catalog.carrier(row.carrier),
  cell: (row) => h('span', { class: 'carrier' }, h('span', { class: 'dot', hue: catalog.hue(row.carrier) }), catalog.carrier(row.carrier)),
});
const numeric = (key, label, more) => ({ key, numeric: true, label, value: (row) => row[key], cell: (row) => count(row[key]), ...more });

function states({ states: rows }) {
  const columns = [
    { key: 'state', header: true, label: t('sub.state'), value: (row) => t(`sub.state.${row.state}`), cell: (row) => state(row) },
    { key: 'reason', label: t('reason'), value: reason },
    byContract(), carrierColumn(),
    numeric('subscriptions', t('sub.subscriptions')),
    { key: 'oldest', label: t('sub.oldest'), value: (row) => row.oldest_since, cell: (row) => time(row.oldest_since) },
  ];
  return [
    tally(sums(rows, (row) => row.state), (name) => t(`sub.state.${name}`)),
    table({ columns, rows, name: 'states', first: '-subscriptions', caption: t('sub.states'), className: 'tall' }),
  ];
}

function attention({ rows, counts }) {
  const chosen = get('attention');
  const kinds = sums(counts, (row) => row.attention);
  const shown = chosen ? kinds.get(chosen) ?? 0 : total(kinds);
  const parcel = (row) => h('a', { class: 'mono', href: address('parcel', { number: row.tracking_number, carrier: '', vendor: '', account: '', attention: '', sort: '' }), 'data-view': true }, row.tracking_number);
  const columns = [
    { key: 'number', header: true, label: t('number'), value: (row) => row.tracking_number, cell: parcel },
    { key: 'attention', label: t('sub.attention.why'), value: (row) => t(`sub.attention.${row.attention}`) },
    { key: 'state', label: t('sub.state'), value: (row) => t(`sub.state.${row.state}`), cell: (row) => [state(row), ' ', code(row)] },
    { key: 'reason', label: t('reason'), value: reason },
    carrierColumn(), byContract(),
    { key: 'age', numeric: true, label: t('age'), value: (row) => row.age_hours, cell: (row) => span(row.age_hours) },
    { key: 'since', label: t('since'), value: (row) => row.since, cell: (row) => time(row.since) },
    { key: 'requester', label: t('sub.requester'), value: (row) => row.requester },
    { key: 'reference', label: t('sub.reference'), value: (row) => row.reference },
  ];
  return [
    tally(kinds, (name) => t(`sub.attention.${name}`), (name) => address('subscriptions', { attention: name === chosen ? '' : name })),
    table({ columns, rows, name: 'sort', first: '-age', caption: t('sub.attention'), className: 'tall' }),
    rows.length < shown && h('p', { class: 'note below' }, t('sub.first', { n: count(rows.length), all: count(shown) })),
  ];
}

function sums(rows, group) {
  const groups = new Map();
  for (const row of rows) groups.set(group(row), (groups.get(group(row)) ?? 0) + row.subscriptions);
  return groups;
}

const total = (groups) => [...groups.values()].reduce((sum, some) => sum + some, 0);

// How many, and of what; with a `link`, each group can be chosen, and chosen again to see all.
function tally(groups, name, link) {
  const chip = ([group, subscriptions]) => {
    const content = [name(group), ' ', h('b', {}, count(subscriptions))];
    if (!link) return h('span', { class: 'chip' }, content);
    return h('a', { class: 'chip', href: link(group), 'data-view': true, 'aria-current': group === get('attention') ? 'true' : undefined }, content);
  };
  const largest = [...groups].sort((a, b) => b[1] - a[1]);
  return h('div', { class: 'tally' }, h('strong', {}, count(total(groups))), ' ', largest.map(chip));
}

// Of earlier months only a rest is known.
function thisMonth(answer) {
  const month = Number(today().slice(0, 7).replace('-', ''));
  return { ...answer, rows: answer.rows.filter((row) => row.month === month) };
}

const monthName = (month) => `${String(month).slice(0, 4)}-${String(month).slice(4)}`;

function quota({ rows }) {
  const columns = [
    { ...byContract(), header: true },
    { key: 'month', label: t('month'), value: (row) => row.month, cell: (row) => monthName(row.month) },
    numeric('numbers', t('sub.numbers'), { title: t('sub.numbers.title') }),
    ...[1, 2, 3, 4].map((calls) => numeric(`accepted_${calls}`, t(`sub.accepted_${calls}`), { title: t(`sub.accepted_${calls}.title`) })),
    numeric('accepted', t('sub.quota.accepted'), { title: t('sub.quota.accepted.title') }),
  ];
  return table({ columns, rows, name: 'quota', first: '-numbers', caption: t('sub.quota'), className: 'tall' });
}

function cost({ rows }) {
  const price = ({ vendor, account }) => catalog.all().accounts.find((known) => known.vendor === vendor && known.account === account)?.price ?? null;
  const money = (row) => (row.units === null || price(row) === null ? null : row.units * price(row));
  const columns = [
    { key: 'month', header: true, label: t('month'), value: (row) => row.month, cell: (row) => monthName(row.month) },
    byContract(),
    numeric('calls', t('sub.calls'), { title: t('sub.calls.title') }),
    numeric('accepted', t('sub.accepted.calls'), { title: t('sub.accepted.calls.title') }),
    numeric('units', estimate(t('sub.units')), { title: t('sub.units.title') }),
    numeric('units_if_renewed', estimate(t('sub.units_if_renewed')), { title: t('sub.units_if_renewed.title') }),
    rows.some((row) => money(row) !== null) && numeric('money', estimate(t('sub.money')), { title: t('sub.money.title'), value: money, cell: (row) => number(money(row), 2) }),
  ].filter(Boolean);
  return table({ columns, rows, name: 'cost', first: '-month', caption: t('sub.cost'), className: 'tall' });
}

const estimate = (label) => t('sub.estimate', { label });

function completeness({ rows }) {
  const missed = (row) => ({ ...row, with_missed_rate: row.with_missed_share, with_missed_rate_low: row.with_missed_low, with_missed_rate_high: row.with_missed_high });
  const columns = [
    { ...carrierColumn(), header: true },
    { key: 'vendor', label: t('vendor'), value: (row) => catalog.vendor(row.vendor) },
    numeric('audited', t('sub.audited'), { title: t('sub.audited.title') }),
    numeric('with_missed', t('sub.with_missed'), { title: t('sub.with_missed.title') }),
    {
      key: 'rate', numeric: true, low: true, label: t('share'), title: t('sub.with_missed.share'),
      value: (row) => sound(row, 'with_missed_share', 'audited'), cell: (row) => rate(missed(row), 'with_missed_rate', 'audited', 0.5),
    },
    numeric('events', t('sub.events'), { title: t('sub.events.title') }),
    numeric('missed', t('sub.missed'), { low: true, title: t('sub.missed.title') }),
    {
      key: 'of_events', numeric: true, low: true, label: t('sub.missed.share'), title: t('sub.missed.share.title'),
      value: (row) => (row.audited >= SOUND_RATE ? row.missed_share : null), cell: (row) => percent(row.audited >= SOUND_RATE ? row.missed_share : null),
    },
  ];
  return table({ columns, rows, name: 'completeness', first: '-audited', caption: t('sub.completeness'), className: 'tall' });
}
