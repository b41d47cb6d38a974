// The league table: one row a carrier, each share with its interval, young cohorts greyed.
import * as catalog from './catalog.js';
import { interval } from './charts.js';
import { mediansDiffer, sharesDiffer } from './compare.js';
import { h } from './dom.js';
import { FIGURE_OF, linked } from './figures.js';
import { count, hours, percent } from './format.js';
import { t } from './i18n.js';
import { table } from './table.js';
import { address, list } from './url.js';

// A share of fewer parcels would be chance, and is not shown (D.2).
export const SOUND_RATE = 30;

// And a median of fewer than these.
export const SOUND_MEDIAN = 10;

// A carrier's row says it by itself (is_on_time_mature); what is added up over several has to be compared with this.
export const MATURE_SHARE = 0.99;

// Column, the parcels that it is a share of, and the end of its scale; less is better where that is below 1.
const RATES = [
  ['rate_48h', 'due_48h', 1],
  ['rate_72h', 'due_72h', 1],
  ['on_time_rate', 'sla_due', 1],
  ['first_attempt_cn_rate', 'settled_attempted', 1],
  ['exception_rate', 'settled', 0.5],
  ['return_rate', 'settled', 0.5],
  ['eta_hit_rate', 'eta_due', 1],
];

// `before` has the rows of the period that is compared with.
export function league(rows, { trend, before = [] } = {}) {
  const chosen = list('carrier');
  const then = new Map(before.map((row) => [row.carrier, row]));
  const columns = [
    { key: 'carrier', header: true, label: t('carrier'), value: (row) => catalog.carrier(row.carrier), cell: (row) => name(row, chosen) },
    { key: 'parcels', numeric: true, label: t('parcels'), title: t('parcels.title'), value: (row) => row.parcels, cell: (row) => linked(count(row.parcels), 'parcels', { carrier: row.carrier }) },
    trend && { key: 'trend', label: t('trend'), title: t('trend.title'), cell: trend },
    quantile('p50', 'is_p50_sound', then),
    quantile('p90', 'is_p90_sound', then),
    ...RATES.map(([key, of, end]) => ({
      key, low: end < 1, numeric: true, label: t(key), title: t(`${key}.title`), value: (row) => sound(row, key, of),
      cell: (row) => [
        row[of] ? linked(rate(row, key, of, end), FIGURE_OF[key], { carrier: row.carrier }) : rate(row, key, of, end),
        isSoundInBoth(row, then.get(row.carrier), key, of) && sharesDiffer(row, then.get(row.carrier), key, end < 1),
      ],
    })),
    {
      key: 'lost', numeric: true, low: true, label: t('lost'), title: t('lost.title'),
      // By share, or the carrier with the most parcels would be the worst.
      value: (row) => (isLostKnown(row) ? row.lost_presumed / row.parcels : null),
      cell: (row) => (isLostKnown(row) ? linked(count(row.lost_presumed), 'lost_presumed', { carrier: row.carrier }) : h('span', { class: 'quiet' }, t('not.yet'))),
    },
    { key: 'maturity', numeric: true, label: t('maturity'), title: t('maturity.title'), value: (row) => row.maturity, cell: (row) => percent(row.maturity, 0) },
  ].filter(Boolean);
  return table({ columns, rows, first: '-parcels', caption: t('league'), className: 'league', rowClass: (row) => (row.is_mature ? '' : 'young') });
}

// A share that may be compared, or nothing.
export const sound = (row, key, of) => (row[of] >= SOUND_RATE && !isYoung(row, key) ? row[key] : null);

const isSoundInBoth = (row, before, key, of) => before && sound(row, key, of) !== null && sound(before, key, of) !== null;

// Promises differ: of young parcels the short ones are due first, and their share says nothing of the others.
export const isYoung = (row, key) => key === 'on_time_rate' && !row.is_on_time_mature;

// Nothing is presumed lost before its time: until then none is not the same as no losses.
const isLostKnown = (row) => row.lost_due > 0 || row.lost_presumed > 0;

function name(row, chosen) {
  const only = chosen.length === 1 && chosen[0] === row.carrier;
  return h('span', { class: 'carrier' },
    h('span', { class: 'dot', hue: catalog.hue(row.carrier) }),
    h('a', { href: address('transit', { carrier: only ? '' : row.carrier, sort: '' }), 'data-view': true }, catalog.carrier(row.carrier)),
    !row.is_mature && h('span', { class: 'badge', title: t('young.title', { share: percent(row.maturity, 0) }) }, t('young')));
}

function quantile(key, isSound, then) {
  const column = `${key}_hours`;
  return {
    key, numeric: true, low: true, label: t(key), title: t(`${key}.title`), value: (row) => (row[isSound] ? row[column] ?? (row.is_mature ? Infinity : null) : null),
    cell: (row) => {
      if (!row[isSound]) return few(row.transit_parcels);
      // "Not reached" is a fact about a cohort that is old enough, and only "not yet" about a young one.
      if (row[column] === null) return h('span', { class: 'quiet' }, row.is_mature ? t('not.reached') : t('not.yet'));
      const before = then.get(row.carrier);
      const isComparable = before?.[isSound] && before[column] !== null && row.is_mature;
      return [hours(row[column]), isComparable && mediansDiffer(row[column], before[column])];
    },
  };
}

export function rate(row, key, of, end = 1, digits = 1) {
  if (row[of] >= SOUND_RATE && isYoung(row, key)) return tooYoung(row);
  if (sound(row, key, of) === null) return few(row[of]);
  const title = t('interval', { low: percent(row[`${key}_low`], digits), high: percent(row[`${key}_high`], digits), n: count(row[of]) });
  return h('span', { class: 'rate', title }, percent(row[key], digits),
    interval(row[key], row[`${key}_low`], row[`${key}_high`], 0, end), h('span', { class: 'hidden' }, title));
}

export const tooYoung = (row) => h('span', { class: 'quiet', title: t('on_time.young', { share: percent(row.on_time_maturity, 0) }) }, t('not.yet'));

// The median of a time that some never reach.
export function median(row, column, of) {
  if (row[of] < SOUND_MEDIAN) return few(row[of]);
  return row[column] === null ? h('span', { class: 'quiet' }, t('not.reached')) : hours(row[column]);
}

export const soundMedian = (row, column, of) => (row[of] < SOUND_MEDIAN ? null : row[column] ?? Infinity);

const few = (n) => h('span', { class: 'quiet', title: t('too.few.n', { n: count(n) }) }, n ? t('n', { n: count(n) }) : '–');
