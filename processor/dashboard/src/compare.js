// Figures of an earlier period beside those of the chosen days: the difference, and whether it may be chance.
import { h } from './dom.js';
import { daysBefore, hours, number } from './format.js';
import { t } from './i18n.js';
import { choose, get } from './url.js';

const DAY = 86_400_000;

// 52 weeks and not a year: the same weekdays.
const LAST_YEAR = 364;

const PERIODS = {
  before: ({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY + 1,
  year: () => LAST_YEAR,
};

// The days that are compared with, or null.
export function earlier({ from, to }) {
  const days = PERIODS[get('compare')]?.({ from, to });
  return days ? { from: daysBefore(from, days), to: daysBefore(to, days) } : null;
}

export function choice() {
  const chosen = get('compare');
  const options = ['', ...Object.keys(PERIODS)].map((period) => h('option', { value: period, selected: period === chosen }, t(`compare.${period || 'none'}`)));
  return h('label', { class: 'field' }, h('span', { class: 'label' }, t('compare')), h('select', { name: 'compare', onchange: (event) => choose({ compare: event.target.value }) }, options));
}

// The difference of two shares with its interval, from the Wilson intervals of both: Newcombe's tenth method (Statistics in Medicine 17, 1998, 873–890).
export function difference(now, then, key) {
  const [share, low, high] = [key, `${key}_low`, `${key}_high`].map((column) => now[column]);
  const [shareThen, lowThen, highThen] = [key, `${key}_low`, `${key}_high`].map((column) => then[column]);
  const value = share - shareThen;
  return {
    value,
    low: value - Math.hypot(share - low, highThen - shareThen),
    high: value + Math.hypot(high - share, shareThen - lowThen),
  };
}

const signed = (value, digits) => (value > 0 ? '+' : '') + number(value, digits);

// Beside a share: by how many percentage points it differs, and what that means.
export function sharesDiffer(now, then, key, isLowGood) {
  const { value, low, high } = difference(now, then, key);
  const points = [value, low, high].map((share) => signed(share * 100, 1));
  const isReal = low > 0 || high < 0;
  const isBetter = isLowGood ? value < 0 : value > 0;
  const word = isReal ? (isBetter ? 'better' : 'worse') : 'chance';
  return h('span', { class: `difference ${word}`, title: t('compare.interval', { low: points[1], high: points[2] }) },
    t('compare.points', { points: points[0] }), ' ', t(`compare.${word}`),
    h('span', { class: 'hidden' }, t('compare.interval', { low: points[1], high: points[2] })));
}

// A median has no interval here, so nothing is said about chance.
export const mediansDiffer = (now, then) => h('span', { class: 'difference', title: t('compare.median') }, `${now > then ? '+' : ''}${hours(now - then)}`);
