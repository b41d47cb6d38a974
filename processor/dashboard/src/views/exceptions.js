// What goes wrong, how often, and who answers for it.
import { askOnce } from '../api.js';
import * as catalog from '../catalog.js';
import { chart, isDark } from '../charts.js';
import { h } from '../dom.js';
import { goToList, linked } from '../figures.js';
import { filters } from '../filters.js';
import { count, daysBefore, number, percent, shortDay } from '../format.js';
import { language, t } from '../i18n.js';
import { SOUND_RATE, median, rate, sound, soundMedian } from '../league.js';
import { panel } from '../panel.js';
import { table } from '../table.js';

// As many as can be told apart; the rest is one band.
const BANDS = 9;

export default {
  without: [],
  show() {
    const asked = filters();
    const load = askOnce('exceptions', asked);
    const part = (name, show, isEmpty, table) => panel({ title: t(`exc.${name}`), note: t(`exc.${name}.note`), size: 'large', load, show, isEmpty, empty: without, csv: { path: 'exceptions', parameters: asked, table } });
    const ofCarriers = ({ rates }) => !rates.some((row) => row.settled >= SOUND_RATE);
    return [
      part('time', overTime, ({ days }) => !days.length, 'days'), part('codes', byCode, ({ codes }) => !codes.length, 'codes'),
      part('reasons', byCarrier, ofCarriers, 'rates'), part('parties', byParty, ofCarriers, 'rates'),
    ];
  },
};

// There are parcels, and nothing to show of them: because nothing went wrong, or because nobody can say yet.
function without({ codes, cohort: [cohort] }) {
  if (!cohort) return null;
  const { parcels, settled } = cohort;
  const state = (words, advice) => h('div', { class: 'state empty', role: 'status' }, h('strong', {}, words), h('p', {}, advice));
  if (!settled) return state(t('exc.young', { parcels: count(parcels) }), t('exc.young.advice'));
  if (codes.length) return state(t('too.few'), t('exc.few', { settled: count(settled) }));
  return state(t('exc.none', { settled: count(settled) }), t('exc.none.advice', { parcels: count(parcels) }));
}

// `201 超时未签收`
const label = (row) => `${row.name} ${catalog.code(row.vendor, row.name)}`;
const subject = (row) => `${row.vendor} ${row.name}`;

function overTime({ days }, body) {
  const all = [...new Set(days.map((row) => row.day))].sort();
  const sizes = new Map();
  const names = new Map([['others', t('others')]]);
  const codes = new Map();
  for (const row of days) {
    sizes.set(subject(row), (sizes.get(subject(row)) ?? 0) + row.settled_with);
    codes.set(subject(row), { code: row.name, vendor: row.vendor });
    names.set(subject(row), `${label(row)} · ${catalog.vendor(row.vendor)}`);
  }
  const sorted = [...sizes.keys()].sort((a, b) => sizes.get(b) - sizes.get(a));
  const bands = sorted.length > BANDS ? [...sorted.slice(0, BANDS), 'others'] : sorted;
  const rates = new Map();
  for (const row of days) {
    const key = `${row.day} ${bands.includes(subject(row)) ? subject(row) : 'others'}`;
    rates.set(key, (rates.get(key) ?? 0) + row.rate * 100);
  }
  const value = (day, band) => rates.get(`${day} ${band}`) ?? 0;
  const name = (band) => names.get(band);
  chart(body, {
    label: t('exc.time'),
    height: 380,
    // A point is of the week up to its day. The rest of the codes has no list.
    onClick: ({ seriesIndex, dataIndex }) => {
      const code = codes.get(bands[seriesIndex]);
      const day = all[dataIndex];
      if (code && day) goToList('parcels', { ...code, from: daysBefore(day, 6), to: day });
    },
    make: (axis) => ({
      color: [...catalog.HUES_OF_SERIES.slice(0, BANDS), '#8b98a3'],
      legend: {},
      tooltip: { trigger: 'axis', valueFormatter: (value) => number(value, 2) },
      xAxis: { type: 'category', data: all, boundaryGap: false, ...axis, axisLabel: { ...axis.axisLabel, formatter: shortDay } },
      yAxis: { type: 'value', ...axis },
      series: bands.map((band) => ({
        name: name(band), type: 'line', stack: 'codes', showSymbol: all.length === 1, triggerLineEvent: true, lineStyle: { width: 1 }, areaStyle: { opacity: 0.75 }, emphasis: { focus: 'series' },
        data: all.map((day) => value(day, band)),
      })),
    }),
    table: { head: [t('days'), ...bands.map(name)], rows: all.map((day) => [day, ...bands.map((band) => number(value(day, band), 2))]) },
  });
}

function byCode({ codes }) {
  const columns = [
    { key: 'code', header: true, label: t('code'), value: (row) => Number(row.name), cell: (row) => h('span', { class: 'code' }, row.name) },
    { key: 'meaning', label: t('meaning'), value: (row) => catalog.code(row.vendor, row.name), cell: bilingual },
    { key: 'vendor', label: t('vendor'), value: (row) => catalog.vendor(row.vendor) },
    { key: 'party', label: t('party'), value: party },
    { key: 'parcels', numeric: true, label: t('parcels'), value: (row) => row.settled_with, cell: (row) => linked(count(row.settled_with), 'parcels', { code: row.name, vendor: row.vendor }) },
    { key: 'rate', numeric: true, low: true, label: t('share'), value: (row) => sound(row, 'rate', 'settled'), cell: (row) => rate(row, 'rate', 'settled', 0.2, 2) },
    {
      key: 'resolve', numeric: true, low: true, label: t('exc.resolve'), title: t('exc.resolve.title'),
      value: (row) => soundMedian(row, 'resolve_p50_hours', 'resolve_parcels'), cell: (row) => median(row, 'resolve_p50_hours', 'resolve_parcels'),
    },
  ];
  return table({ columns, rows: codes, first: '-parcels', caption: t('exc.codes') });
}

function bilingual({ vendor, name }) {
  const row = catalog.codeRow(vendor, name);
  if (!row) return name;
  const [first, second] = language() === 'zh' ? [row.zh, row.en] : [row.en, row.zh];
  return h('span', { class: 'names' }, first, ' ', h('span', { class: 'quiet', lang: language() === 'zh' ? 'en' : 'zh-CN' }, second));
}

function party({ vendor, name }) {
  const known = catalog.codeRow(vendor, name)?.party;
  return known ? t(`party.${known}`) : '–';
}

function byCarrier({ rates }, body) {
  const reasons = rates.filter((row) => row.kind === 'reason');
  const sizes = new Map(reasons.map((row) => [row.carrier, row.settled]));
  const carriers = [...sizes.keys()].filter((carrier) => sizes.get(carrier) >= SOUND_RATE).sort((a, b) => sizes.get(b) - sizes.get(a));
  const totals = new Map();
  for (const row of reasons) totals.set(row.name, (totals.get(row.name) ?? 0) + row.settled_with);
  const subjects = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  const cells = new Map(reasons.map((row) => [`${row.carrier} ${row.name}`, row]));
  const data = [];
  subjects.forEach((subject, x) => carriers.forEach((carrier, y) => {
    const row = cells.get(`${carrier} ${subject}`);
    const value = row ? row.rate : 0;
    if (value !== null) data.push([x, carriers.length - 1 - y, value]);
  }));
  const most = Math.max(0.01, ...data.map((cell) => cell[2]));
  chart(body, {
    label: t('exc.reasons'),
    height: 165 + carriers.length * 32,
    width: 130 + subjects.length * 40,
    onClick: ({ value }) => goToList('parcels', { reason: subjects[value[0]], carrier: carriers[carriers.length - 1 - value[1]] }),
    make: (axis, { text, surface }) => ({
      legend: { show: false },
      grid: { top: 8, bottom: 8 },
      tooltip: { formatter: ({ value }) => `${catalog.carrier(carriers[carriers.length - 1 - value[1]])}, ${catalog.reason(subjects[value[0]])}: ${percent(value[2], 2)}` },
      xAxis: { type: 'category', data: subjects.map(catalog.reason), ...axis, splitLine: { show: false }, axisLabel: { color: text, rotate: 35, interval: 0, width: 150, overflow: 'truncate' } },
      yAxis: { type: 'category', data: carriers.map(catalog.carrier).reverse(), ...axis, splitLine: { show: false }, axisLabel: { color: text } },
      visualMap: { show: false, min: 0, max: most, inRange: { color: heat() } },
      series: [{
        type: 'heatmap', data, itemStyle: { borderColor: surface, borderWidth: 2, borderRadius: 3 },
        label: { show: true, fontSize: 11, formatter: ({ value }) => (value[2] ? number(value[2] * 100, 1) : ''), color: text },
      }],
    }),
    table: { head: [t('carrier'), ...subjects.map(catalog.reason)], rows: carriers.map((carrier) => [catalog.carrier(carrier), ...subjects.map((subject) => percent(cells.get(`${carrier} ${subject}`)?.rate ?? 0, 2))]) },
  });
}

const PARTIES = [['carrier', '#c2395b'], ['consignee', '#3d6fd1'], ['shipper', '#b8860b'], ['customs', '#8a5cc9'], ['unknown', '#8b98a3']];

function byParty({ rates }, body) {
  const rows = rates.filter((row) => row.kind === 'party' && row.settled >= SOUND_RATE);
  const carriers = [...new Set(rows.map((row) => row.carrier))];
  const value = (carrier, party) => rows.find((row) => row.carrier === carrier && row.name === party)?.rate ?? 0;
  const all = (carrier) => PARTIES.reduce((total, [party]) => total + value(carrier, party), 0);
  carriers.sort((a, b) => all(a) - all(b));
  chart(body, {
    label: t('exc.parties'),
    height: 80 + carriers.length * 32,
    onClick: ({ seriesIndex, dataIndex }) => goToList('parcels', { party: PARTIES[seriesIndex][0], carrier: carriers[dataIndex] }),
    make: (axis, { text }) => ({
      color: PARTIES.map(([, hue]) => hue),
      legend: {},
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, valueFormatter: (value) => percent(value, 2) },
      xAxis: { type: 'value', ...axis, axisLabel: { ...axis.axisLabel, formatter: (value) => `${Math.round(value * 100)} %` } },
      yAxis: { type: 'category', data: carriers.map(catalog.carrier), ...axis, axisLabel: { color: text } },
      series: PARTIES.map(([party]) => ({ name: t(`party.${party}`), type: 'bar', stack: 'parties', barMaxWidth: 20, data: carriers.map((carrier) => value(carrier, party)) })),
    }),
    table: { head: [t('carrier'), ...PARTIES.map(([party]) => t(`party.${party}`))], rows: carriers.toReversed().map((carrier) => [catalog.carrier(carrier), ...PARTIES.map(([party]) => percent(value(carrier, party), 2))]) },
  });
}

// From nothing to much trouble, so light (or dark) that the text on it can be read.
export function heat() {
  return isDark() ? ['#1c242b', '#7a2e3f'] : ['#f7f8f8', '#f0a3ae'];
}
